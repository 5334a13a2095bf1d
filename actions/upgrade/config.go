package upgrade

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/lmsvault/vault/core/moodle/siteconfig"
	"github.com/lmsvault/vault/dialects/site"
)

// lend writes a config.php for the site into a directory of code that has none, readable
// only by the account, and returns a function that removes it.
func lend(dir string, s *site.Site, a account) (remove func() error, err error) {
	text, err := configuration(dir, s)
	if err != nil {
		return nil, err
	}
	path := filepath.Join(dir, siteconfig.FileName)
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("writing a temporary config.php: %w", err)
	}
	remove = func() error {
		if err := os.Remove(path); err != nil {
			return fmt.Errorf("removing the temporary config.php, which holds the password of the database: %w", err)
		}
		return nil
	}
	_, err = f.WriteString(text)
	if err == nil && a.switches() {
		err = f.Chown(int(a.UID), int(a.GID))
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return nil, errors.Join(fmt.Errorf("writing a temporary config.php: %w", err), remove())
	}
	return remove, nil
}

// configuration returns a config.php with the site's database, data root and address.
func configuration(dir string, s *site.Site) (string, error) {
	d, err := s.Site.Database()
	root, badRoot := s.DataRoot()
	address, badAddress := s.WWWRoot()
	if err := errors.Join(err, badRoot, badAddress); err != nil {
		return "", err
	}
	setup := filepath.Join(dir, "lib", "setup.php")
	if _, err := os.Stat(setup); err != nil {
		setup = filepath.Join(dir, "public", "lib", "setup.php")
	}
	var b strings.Builder
	b.WriteString("<?php // written by vault for an upgrade, and removed after it\nunset($CFG);\nglobal $CFG;\n$CFG = new stdClass();\n")
	set := func(name, value string) { fmt.Fprintf(&b, "$CFG->%s = %s;\n", name, quoted(value)) }
	set("dbtype", d.Type)
	set("dblibrary", "native")
	host, options := d.Host, map[string]string{}
	switch {
	case d.Engine == siteconfig.SQLite:
		options["file"] = d.Path
	case d.Socket != "":
		host, options["dbsocket"] = "localhost", d.Socket
	}
	set("dbhost", host)
	set("dbname", d.Name)
	set("dbuser", d.User)
	set("dbpass", d.Password.Reveal())
	set("prefix", d.Prefix)
	if d.Port > 0 {
		options["dbport"] = strconv.Itoa(d.Port)
	}
	options["dbcollation"], options["dbschema"], options["ssl"] = d.Collation, d.Schema, d.TLS
	if d.Timeout > 0 {
		options["connecttimeout"] = strconv.Itoa(max(1, int(d.Timeout.Seconds())))
	}
	b.WriteString("$CFG->dboptions = [")
	for _, name := range []string{"file", "dbport", "dbsocket", "dbcollation", "dbschema", "ssl", "connecttimeout"} {
		if value := options[name]; value != "" {
			fmt.Fprintf(&b, "%s => %s, ", quoted(name), quoted(value))
		}
	}
	b.WriteString("];\n")
	set("wwwroot", address)
	set("dataroot", root)
	fmt.Fprintf(&b, "$CFG->directorypermissions = 0%o;\n$CFG->admin = 'admin';\nrequire_once(%s);\n", s.DirectoryPermissions(), quoted(setup))
	return b.String(), nil
}

// quoted returns a text as PHP source.
func quoted(text string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(text) + "'"
}
