package mysql

import (
	"fmt"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/dialects/mysql"
)

// Config is the configuration of the source.
type Config struct {
	DSN         config.Secret   `key:"dsn" required:"true" help:"the database, in the format of go-sql-driver; special characters in user and password are not escaped" example:"user:password@tcp(db:3306)/moodle"`
	Prefix      string          `key:"prefix" default:"mdl_" help:"prefix of the site's table names; may be empty. A prefix without a Moodle site is refused if the database has a site with another prefix"`
	LockTimeout config.Duration `key:"lock_timeout" default:"10s" help:"how long to wait for the brief lock under which all connections begin their snapshot"`
	Connections int             `key:"connections" min:"0" max:"64" help:"number of connections that read concurrently; 0: the number of workers"`
}

// Validate checks what the tags cannot express.
func (c *Config) Validate() error {
	if c.LockTimeout < 0 {
		return fmt.Errorf("lock_timeout is %s, but must not be negative", c.LockTimeout)
	}
	return mysql.CheckDSN(c.DSN)
}
