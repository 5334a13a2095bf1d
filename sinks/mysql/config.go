package mysql

import (
	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/moodle"
	"github.com/lmsvault/vault/dialects/mysql"
)

// Config is the configuration of the sink.
type Config struct {
	DSN    config.Secret `key:"dsn" required:"true" help:"the database, in the format of go-sql-driver; special characters in user and password are not escaped" example:"user:password@tcp(db:3306)/moodle"`
	Prefix string        `key:"prefix" default:"mdl_" help:"prefix of the new table names; may be empty"`
	moodle.Replacing
	Collation string `key:"collation" help:"collation of tables from another engine, such as utf8mb4_bin, which distinguishes case and accents like PostgreSQL (default: the database's)"`
	Load      string `key:"load" default:"auto" oneof:"auto local_infile insert" help:"how rows are loaded: with LOAD DATA LOCAL, with INSERT, or whichever the server allows"`
}

// Validate checks what the tags cannot express.
func (c *Config) Validate() error {
	return mysql.CheckDSN(c.DSN)
}
