package mysql

import (
	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/moodle"
	"github.com/lmsvault/vault/dialects/mysql"
)

// Config is what the sink can be told.
type Config struct {
	DSN    config.Secret `key:"dsn" required:"true" help:"where the database is, as go-sql-driver writes it; special characters of user and password stay as they are" example:"user:password@tcp(db:3306)/moodle"`
	Prefix string        `key:"prefix" default:"mdl_" help:"what the names of the tables will begin with; may be empty"`
	moodle.Replacing
	Collation string `key:"collation" help:"the collation of tables that come from another engine, as utf8mb4_bin, which tells apart what differs by case or accents like PostgreSQL does; without, the database's default"`
	Load      string `key:"load" default:"auto" oneof:"auto local_infile insert" help:"how rows are loaded: by LOAD DATA LOCAL, by INSERT, or by what the server allows"`
}

// Validate checks what the tags can't say.
func (c *Config) Validate() error {
	return mysql.CheckDSN(c.DSN)
}
