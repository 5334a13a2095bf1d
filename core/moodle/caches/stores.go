package caches

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/lmsvault/vault/core/moodle/php"
)

// Store is a place that the site's configuration of caches, muc/config.php, names.
type Store struct {
	Name   string // as the administrator called it
	Plugin string // file, redis, memcached, apcu …
	Path   string // of a file store with a directory of its own, "" for the usual one
	Server string // address of a server, "" if there is none or it is unknown
	Prefix string // of the keys on a server
}

// maxConfig is the most bytes of muc/config.php that are read.
const maxConfig = 4 << 20

// ConfigFile is the path of the configuration of caches below the data root.
const ConfigFile = "muc/config.php"

// Stores reads the configuration of caches in a file, in the order of their names. It
// executes nothing. There are none if the file is missing: the site then uses only files
// of its data root.
func Stores(ctx context.Context, file string) ([]Store, error) {
	file, err := filepath.Abs(file)
	if err != nil {
		return nil, err
	}
	src, err := read(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the configuration of caches: %w", err)
	}
	r, err := php.Run(ctx, program, php.Options{Files: files{file, src}, Limits: php.Limits{FileSize: maxConfig}})
	if err != nil {
		return nil, fmt.Errorf("reading the configuration of caches: %w", err)
	}
	properties, _ := r.Properties("out")
	for _, p := range properties {
		if p.Name == "stores" {
			return stores(file, p.Value)
		}
	}
	return nil, fmt.Errorf("%s: it sets no $configuration['stores']", file)
}

func stores(file string, list php.Value) ([]Store, error) {
	if why := list.Unknown(); why != nil || list.Kind() != php.KindArray {
		return nil, fmt.Errorf("%s: the stores of $configuration can't be determined", file)
	}
	var all []Store
	text := func(v php.Value, name string) string {
		item, _ := v.Item(name)
		s, _ := item.Text()
		return strings.TrimSpace(s)
	}
	for key, v := range list.Items {
		settings, _ := v.Item("configuration")
		s := Store{Name: key, Plugin: text(v, "plugin"), Path: text(settings, "path"), Server: text(settings, "server"), Prefix: text(settings, "prefix")}
		if s.Server == "" {
			s.Server = servers(settings)
		}
		all = append(all, s)
	}
	slices.SortFunc(all, func(a, b Store) int { return strings.Compare(a.Name, b.Name) })
	return all, nil
}

// servers returns the servers of Memcached: a list of addresses, or of lists that begin
// with one.
func servers(settings php.Value) string {
	list, ok := settings.Item("servers")
	if !ok {
		return ""
	}
	var all []string
	for _, one := range list.Items {
		host, isText := one.Text()
		if !isText {
			first, _ := one.Item("0")
			host, _ = first.Text()
			second, _ := one.Item("1")
			if port, _ := second.Text(); port != "" {
				host += ":" + port
			}
		}
		all = append(all, host)
	}
	return strings.Join(all, ", ")
}

// program is the path of the program that includes the configuration.
const program = "/vault.php"

// files gives the evaluator the program and the configuration, no other files.
type files struct {
	file string
	src  []byte
}

// Read returns the program or the configuration.
func (f files) Read(name string) ([]byte, error) {
	switch name {
	case program:
		quoted := strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(f.file)
		return []byte("<?php\ndefine('MOODLE_INTERNAL', true);\ninclude '" + quoted + "';\n$out = new stdClass(); $out->stores = $configuration['stores'];\n"), nil
	case f.file:
		return f.src, nil
	}
	return nil, errors.New("it is outside of the configuration of caches")
}

// Stat describes the configuration.
func (f files) Stat(name string) (fs.FileInfo, error) {
	if name != f.file {
		return nil, errors.New("it is outside of the configuration of caches")
	}
	return os.Stat(name)
}

// Real returns the path itself.
func (f files) Real(name string) (string, error) { return name, nil }

// read returns a regular file of at most maxConfig bytes.
func read(file string) ([]byte, error) {
	info, err := os.Stat(file)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > maxConfig {
		return nil, fmt.Errorf("%s is not a regular file of at most %d bytes", file, maxConfig)
	}
	return os.ReadFile(file)
}
