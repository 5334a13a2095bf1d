// Package postgres is what the source and the sink of PostgreSQL 13–18 share:
// connecting, reading a site's structure from the catalog, writing it as DDL, and
// reading rows with COPY.
//
// Facts are from the PostgreSQL manual: "System Catalogs", "COPY" (Text Format),
// "Error Codes".
package postgres

// Dialect is the name that schema.Table.Dialect has for tables of this package.
const Dialect = "postgres"

// Marker is the table, without the site's prefix, that stands in a schema while
// a restore into it is not finished or its proof failed: such a site is not whole.
const Marker = "vault_restoring"
