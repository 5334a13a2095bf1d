// Package postgres is shared by the source and the sink of PostgreSQL 13–18: it
// connects, reads a site's structure from the catalog, writes it as DDL, and reads
// rows with COPY.
//
// It follows the PostgreSQL manual: "System Catalogs", "COPY" (Text Format), "Error
// Codes".
package postgres

// Dialect is the schema.Table.Dialect of tables of this package.
const Dialect = "postgres"

// Marker is the table, named without the site's prefix, that exists in a schema while
// a restore into it is not finished or its proof failed. A site with it is
// incomplete.
const Marker = "vault_restoring"
