package mysql

import (
	"fmt"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/dialects/mysql"
)

// Config is what the source can be told.
type Config struct {
	DSN         config.Secret   `key:"dsn" required:"true" help:"where the database is, as go-sql-driver writes it; special characters of user and password stay as they are" example:"user:password@tcp(db:3306)/moodle"`
	Prefix      string          `key:"prefix" default:"mdl_" help:"what the names of the site's tables begin with; may be empty. One that is not a Moodle site's is refused if another is"`
	LockTimeout config.Duration `key:"lock_timeout" default:"10s" help:"how long to wait for the short lock with which all connections begin at one moment"`
	Connections int             `key:"connections" min:"0" max:"64" help:"how many connections read at once; as many as there are workers if 0"`
}

// Validate checks what the tags can't say.
func (c *Config) Validate() error {
	if c.LockTimeout < 0 {
		return fmt.Errorf("lock_timeout is %s, it can't be negative", c.LockTimeout)
	}
	return mysql.CheckDSN(c.DSN)
}
