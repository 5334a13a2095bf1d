package database

import (
	"context"
	"fmt"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/dialects/mysql"
	"github.com/lmsvault/vault/dialects/postgres"
	"github.com/lmsvault/vault/dialects/sqlite"
)

// Address says where a site's database is. Stages embed it in their settings.
type Address struct {
	Engine string        `key:"engine" required:"true" oneof:"mysql postgres sqlite" help:"engine of the database; mysql is MariaDB, too" example:"mysql"`
	DSN    config.Secret `key:"dsn" help:"the database, as the stages mysql and postgres take it" example:"${env:MOODLE_DSN}"`
	Path   string        `key:"path" help:"the file of an SQLite database" example:"/srv/moodle/site.sqlite"`
	Prefix string        `key:"prefix" default:"mdl_" help:"prefix of the site's table names; may be empty"`
	Schema string        `key:"schema" help:"the schema with the site's tables on PostgreSQL; default: the one in which the user's new tables are created" example:"public"`
}

// Validate checks which settings the engine needs. A stage with settings of its own to
// check calls it.
func (a *Address) Validate() error {
	switch {
	case a.Engine == sqlite.Dialect && a.Path == "":
		return config.At("path", "path is needed for SQLite")
	case a.Engine != sqlite.Dialect && a.DSN.IsZero():
		return config.At("dsn", "dsn is needed for this engine")
	case a.Engine == mysql.Dialect:
		return mysql.CheckDSN(a.DSN)
	case a.Engine == postgres.Dialect:
		c := postgres.Connection{DSN: a.DSN}
		return c.Validate()
	}
	return nil
}

// Open connects to the database. Errors never contain the password. The caller closes it.
func (a *Address) Open(ctx context.Context) (*Database, error) {
	var engine engine
	var err error
	switch a.Engine {
	case mysql.Dialect:
		engine, err = openMySQL(ctx, a)
	case postgres.Dialect:
		engine, err = openPostgres(ctx, a)
	case sqlite.Dialect:
		engine, err = openSQLite(ctx, a)
	default:
		return nil, failure.New(failure.Usage, "the engine %q is not supported", a.Engine)
	}
	if err != nil {
		return nil, fmt.Errorf("the site's database: %w", err)
	}
	return &Database{engine: engine, prefix: a.Prefix}, nil
}
