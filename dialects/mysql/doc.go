// Package mysql is what the source and the sink of MySQL 8–9 and MariaDB
// 10.6–11.8 share: connecting, reading a site's structure, writing it as DDL,
// and reading rows. The two engines are one dialect, "mysql"; where they differ,
// Server.MariaDB tells them apart.
package mysql

import "strings"

// Dialect is the name that schema.Table.Dialect has for tables of this package.
const Dialect = "mysql"

// Marker is the table, without the site's prefix, that stands in a database
// while a restore into it is not finished and proved: such a site is not whole.
const Marker = "vault_restoring"

// Incoming and Outgoing begin the names, without the site's prefix, of tables
// beside a site: of those that are to take its place, and of those that were
// there before and are to be dropped. The number of a run and a number in that
// run follow: vault_new_48213377_12.
const (
	Incoming = "vault_new_"
	Outgoing = "vault_old_"
)

// beside tells whether a name without prefix is one of Incoming or Outgoing.
func beside(name string) bool {
	numbers, incoming := strings.CutPrefix(name, Incoming)
	outgoing := false
	if !incoming {
		numbers, outgoing = strings.CutPrefix(name, Outgoing)
	}
	return (incoming || outgoing) && numbers != "" && strings.Trim(numbers, "0123456789_") == ""
}
