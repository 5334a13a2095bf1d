// Package mysql is what the source and the sink of MySQL 8–9 and MariaDB
// 10.6–11.8 share: connecting, reading a site's structure, writing it as DDL,
// and reading rows. The two engines are one dialect, "mysql"; where they differ,
// Server.MariaDB tells them apart.
package mysql

// Dialect is the name that schema.Table.Dialect has for tables of this package.
const Dialect = "mysql"

// Marker is the table, without the site's prefix, that stands in a database
// while a restore into it is not finished and proved: such a site is not whole.
const Marker = "vault_restoring"
