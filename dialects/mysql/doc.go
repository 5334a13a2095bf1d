// Package mysql is shared by the source and the sink of MySQL 8–9 and MariaDB
// 10.6–11.8: it connects, reads a site's structure, writes it as DDL, and reads rows.
// Both engines are the dialect "mysql"; Server.MariaDB tells them apart.
package mysql

import "strings"

// Dialect is the schema.Table.Dialect of tables of this package.
const Dialect = "mysql"

// Marker is the table, named without the site's prefix, that exists in a database
// while a restore into it is not finished and proven. A site with it is incomplete.
const Marker = "vault_restoring"

// Incoming and Outgoing are the beginnings of the names, without the site's prefix,
// of tables beside a site: new tables that will replace it, and old ones that are to
// be dropped. A run's number and a number within the run follow:
// vault_new_48213377_12.
const (
	Incoming = "vault_new_"
	Outgoing = "vault_old_"
)

// beside reports whether a name without prefix begins with Incoming or Outgoing.
func beside(name string) bool {
	numbers, incoming := strings.CutPrefix(name, Incoming)
	outgoing := false
	if !incoming {
		numbers, outgoing = strings.CutPrefix(name, Outgoing)
	}
	return (incoming || outgoing) && numbers != "" && strings.Trim(numbers, "0123456789_") == ""
}
