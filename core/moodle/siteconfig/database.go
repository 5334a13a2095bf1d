package siteconfig

import (
	"net"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/moodle/php"
)

// Engine is a kind of database, with the name of the stages that read and write it.
type Engine string

// The engines that Vault supports. Moodle has no driver for SQLite; sites for tests and
// demonstrations use it.
const (
	MySQL    Engine = "mysql"    // MariaDB and Aurora too
	Postgres Engine = "postgres" // pgsql in config.php
	SQLite   Engine = "sqlite"   // sqlite3 in config.php, with the file in dboptions
)

// engines maps the values of dbtype to engines.
var engines = map[string]Engine{"mysqli": MySQL, "mariadb": MySQL, "auroramysql": MySQL, "pgsql": Postgres, "sqlite3": SQLite}

// Database locates a site's tables. If there are read-only replicas, it is the primary.
type Database struct {
	Engine   Engine
	Type     string // dbtype: mysqli, mariadb, auroramysql, pgsql, sqlite3
	Path     string // the file of an SQLite database; of the others only Prefix is set then
	Host     string // "" for a socket
	Port     int
	Socket   string // the socket of MySQL; the directory of PostgreSQL's sockets
	Name     string
	User     string
	Password config.Secret
	Prefix   string // may be empty
	Schema   string // of PostgreSQL; "" for the user's own
	// TLS is "" for the driver's default, or disable, prefer, require (encrypted, the
	// server's certificate is not checked) or verify-full.
	TLS       string
	Timeout   time.Duration // for connecting; 0 for the default
	Collation string        // that Moodle gives new tables of MySQL; "" for its default
	Replicas  int           // configured read-only replicas, which are not used
}

// Database returns the site's database. Its error joins one *UnknownError for each
// reason why required settings are unknown.
func (s *Site) Database() (Database, error) {
	var d Database
	var faults []error
	must := func(text string, err error) string {
		if err != nil {
			faults = append(faults, err)
		}
		return text
	}
	d.Type = must(s.needed("dbtype"))
	if d.Engine = engines[d.Type]; d.Engine == "" && d.Type != "" {
		_, _, pos, _ := s.lookup("dbtype")
		faults = append(faults, failure.New(failure.Refused, "%s: Vault does not support the database of this dbtype%s; it supports mysqli, mariadb, auroramysql and pgsql", pos, named(d.Type)))
	}
	if d.Engine == SQLite {
		return s.file(d)
	}
	d.Host = must(s.optional("dbhost"))
	d.Name = must(s.needed("dbname"))
	d.User = must(s.needed("dbuser")) // the drivers would take the name of who runs Vault
	d.Password = config.NewSecret(must(s.optional("dbpass")))
	d.Prefix = must(s.optional("prefix"))
	port := must(s.option("dbport"))
	socket := must(s.option("dbsocket"))
	d.TLS = must(s.option("ssl"))
	if d.Engine == Postgres {
		if own, err := s.option("dbhandlesoptions"); err != nil || own == "" || own == "0" {
			d.Schema = must(s.option("dbschema"))
		}
	}
	// The remaining settings are not needed to connect.
	if seconds, err := s.option("connecttimeout"); err == nil {
		if n, err := strconv.ParseFloat(seconds, 64); err == nil && n > 0 && n < 86400 {
			d.Timeout = time.Duration(n * float64(time.Second))
		}
	}
	d.Collation, _ = s.option("dbcollation")
	d.Replicas = s.replicas()
	if err := grouped(faults); err != nil {
		return Database{}, err
	}
	return s.address(d, port, socket)
}

// named returns dbtype in parentheses if Moodle has ever supported that engine.
func named(dbtype string) string {
	switch dbtype {
	case "sqlsrv", "oci", "mssql", "mysql", "postgres7":
		return " (" + dbtype + ")"
	}
	return ""
}

// option returns the text of an element of dboptions, "" if there is none.
func (s *Site) option(name string) (string, error) {
	full := "dboptions." + name
	if secret, ok := s.given[full]; ok {
		return secret.Reveal(), nil
	}
	all, shown, pos, ok := s.lookup("dboptions")
	switch {
	case !ok && s.open != nil:
		return "", s.unknown(full, "", pos, s.open)
	case all.Unknown() != nil:
		return "", s.unknown(full, shown, pos, all.Unknown())
	}
	v, ok := all.Item(name)
	if !ok {
		return "", nil
	}
	if text, isText := v.Text(); isText && text == "" {
		return "", nil // empty is the default here, whatever it came from
	}
	return s.text(full, v, "", pos)
}

// file returns an SQLite database, which has no server and no user.
func (s *Site) file(d Database) (Database, error) {
	path, badPath := s.option("file")
	prefix, badPrefix := s.optional("prefix")
	if err := grouped(slices.DeleteFunc([]error{badPath, badPrefix}, func(err error) bool { return err == nil })); err != nil {
		return Database{}, err
	}
	_, _, pos, _ := s.lookup("dboptions")
	switch {
	case path == "":
		return Database{}, s.unknown("dboptions.file", "", pos, nil)
	case !filepath.IsAbs(path):
		return Database{}, failure.New(failure.Usage, "%s: dboptions.file is not an absolute path", pos)
	}
	return Database{Engine: d.Engine, Type: d.Type, Path: filepath.Clean(path), Prefix: prefix}, nil
}

// replicas counts the read-only replicas.
func (s *Site) replicas() int {
	all, _, _, _ := s.lookup("dboptions")
	readonly, _ := all.Item("readonly")
	instance, ok := readonly.Item("instance")
	switch {
	case !ok:
		return 0
	case instance.Kind() != php.KindArray:
		return 1
	}
	if _, single := instance.Item("dbhost"); single {
		return 1
	}
	return instance.Len()
}

// address determines host, port and socket as Moodle's drivers do.
func (s *Site) address(d Database, port, socket string) (Database, error) {
	_, _, pos, _ := s.lookup("dboptions")
	if socket == "0" { // what PHP takes for false
		socket = ""
	}
	if port != "" && port != "0" {
		n, err := strconv.Atoi(strings.TrimSpace(port))
		if err != nil || n < 1 || n > 65535 {
			return Database{}, failure.New(failure.Usage, "%s: dboptions.dbport is not the number of a port", pos)
		}
		d.Port = n
	}
	_, _, pos, _ = s.lookup("dbhost")
	d.Host = strings.TrimPrefix(strings.TrimSpace(d.Host), "p:")
	if host, rest, ok := hostAndPort(d.Host); ok {
		if n, err := strconv.Atoi(rest); err == nil && n > 0 && n <= 65535 {
			d.Host, d.Port = host, n
		} else if strings.HasPrefix(rest, "/") {
			d.Host, socket = "localhost", rest
		} else {
			return Database{}, failure.New(failure.Usage, "%s: dbhost has neither a port nor a socket after its colon", pos)
		}
	}
	if d.Engine == MySQL {
		s.mysqlAddress(&d, socket)
	} else {
		s.postgresAddress(&d, socket)
	}
	return d, s.writable(d)
}

// hostAndPort splits HOST:PORT, [IPV6]:PORT or HOST:/SOCKET; ok is false for a host
// alone, an IPv6 address without brackets and a path.
func hostAndPort(text string) (host, rest string, ok bool) {
	if net.ParseIP(text) != nil || strings.HasPrefix(text, "/") {
		return "", "", false
	}
	if strings.HasPrefix(text, "[") {
		host, rest, ok = strings.Cut(text[1:], "]")
		if ok && rest == "" {
			return "", "", false
		}
		return host, strings.TrimPrefix(rest, ":"), ok
	}
	return strings.Cut(text, ":")
}

// mysqlSockets lists the paths where distributions put the socket of MySQL, which PHP
// takes from its own configuration.
var mysqlSockets = []string{
	"/run/mysqld/mysqld.sock", "/var/run/mysqld/mysqld.sock", "/var/lib/mysql/mysql.sock", "/tmp/mysql.sock",
	"/opt/bitnami/mariadb/tmp/mysql.sock", "/opt/bitnami/mysql/tmp/mysql.sock", "/opt/lampp/var/mysql/mysql.sock",
}

// mysqlAddress returns the socket for localhost, whatever the port, or the loopback
// address if no socket is found.
func (s *Site) mysqlAddress(d *Database, socket string) {
	d.Host = strings.Trim(d.Host, "[]")
	if d.Port == 0 {
		d.Port = 3306
	}
	if strings.HasPrefix(d.Host, "/") {
		socket, d.Host = d.Host, ""
	}
	if d.Host != "" && d.Host != "localhost" {
		return
	}
	d.Host = ""
	if strings.HasPrefix(socket, "/") {
		d.Socket = socket
		return
	}
	for _, known := range mysqlSockets {
		if s.exists(known) {
			d.Socket = known
			return
		}
	}
	d.Host = "127.0.0.1"
}

var postgresSockets = []string{"/run/postgresql", "/var/run/postgresql", "/tmp"}

// postgresAddress returns a socket if dbsocket requests one and the host is this
// machine, if the host is a directory, or if there is no host.
func (s *Site) postgresAddress(d *Database, socket string) {
	d.Host = strings.Trim(d.Host, "[]")
	if d.Port == 0 {
		d.Port = 5432
	}
	if strings.HasPrefix(d.Host, "/") {
		socket, d.Host = d.Host, ""
	}
	if d.Host != "" && (socket == "" || d.Host != "localhost" && d.Host != "127.0.0.1") {
		return
	}
	d.Host, d.Socket = "", socket
	if !strings.HasPrefix(socket, "/") {
		d.Socket = postgresSockets[0]
		for _, known := range postgresSockets {
			if s.exists(path.Join(known, ".s.PGSQL."+strconv.Itoa(d.Port))) {
				d.Socket = known
				break
			}
		}
	} else if port, ok := strings.CutPrefix(path.Base(socket), ".s.PGSQL."); ok {
		d.Socket = path.Dir(socket)
		if n, err := strconv.Atoi(port); err == nil {
			d.Port = n
		}
	}
}
