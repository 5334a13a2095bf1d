package postgres

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/failure"
)

// Connection is what the configurations of source and sink have in common:
// where the site's tables are.
type Connection struct {
	DSN         config.Secret   `key:"dsn" required:"true" place:"database" help:"the database, as a URL or as key=value words" example:"postgres://moodle:secret@db.example.org:5432/moodle"`
	Prefix      string          `key:"prefix" default:"mdl_" place:"prefix" help:"what the names of the site's tables begin with; may be empty"`
	Schema      string          `key:"schema" place:"schema" help:"the schema with the site's tables; where it is not given, the one in which the user's new tables are made" example:"public"`
	LockTimeout config.Duration `key:"lock_timeout" default:"30s" help:"how long to wait for a table that another session has locked"`
}

// Validate checks what the tags can't say.
func (c *Connection) Validate() error {
	dsn := c.DSN.Reveal()
	isURL := strings.HasPrefix(dsn, "postgres://") || strings.HasPrefix(dsn, "postgresql://")
	if !isURL && (strings.Contains(dsn, "@tcp(") || strings.Contains(dsn, "@unix(")) {
		return config.At("dsn", "dsn is of MySQL, and this stage is of PostgreSQL: write use: mysql")
	}
	return wholePaths(dsn)
}

var fileOption = regexp.MustCompile(`\b(sslrootcert|sslcert|sslkey|passfile|servicefile)\s*=\s*'?([^&\s']*)`)

// wholePaths refuses files of a DSN whose place would depend on the working directory.
func wholePaths(dsn string) error {
	for _, m := range fileOption.FindAllStringSubmatch(dsn, -1) {
		path := m[2]
		if decoded, err := url.PathUnescape(path); err == nil {
			path = decoded
		}
		if path != "" && path != "system" && !filepath.IsAbs(path) {
			return config.At("dsn", "dsn: %s must be an absolute path, such as %s=/etc/ssl/certs/db.pem", m[1], m[1])
		}
	}
	return nil
}

// Conn is one session at the server. It is used by one goroutine at a time.
type Conn struct {
	*pgx.Conn
	Site    Site
	Address string // for messages: user@host:port/database, without the password
	Version int    // 150018
	Release string // 15.18 (Debian 15.18-0+deb12u1)
	Standby bool   // a replica that only reads
}

// Supported versions of the server.
const (
	oldest = 13_00_00
	newest = 18
)

// Open starts a session in which every value is written in one exact way,
// whatever the defaults of server, database and user are, and nothing times out
// but the wait for a lock. An error never holds the password.
func (c Connection) Open(ctx context.Context) (*Conn, error) {
	cfg, err := pgx.ParseConfig(c.DSN.Reveal())
	if err != nil {
		var file *fs.PathError
		if errors.As(err, &file) {
			return nil, failure.New(failure.Usage, "dsn: %w", file)
		}
		// The library's own words may quote the DSN.
		return nil, failure.New(failure.Usage, "dsn is neither postgres://USER:PASSWORD@HOST:PORT/DATABASE (special characters percent-encoded) nor host=… user=… password=… dbname=…")
	}
	cfg.DefaultQueryExecMode = pgx.QueryExecModeExec // prepared statements don't survive poolers
	if cfg.ConnectTimeout == 0 {
		cfg.ConnectTimeout = 30 * time.Second
	}
	if err := contradictions(cfg.RuntimeParams, c.settings(Site{}, cfg.RuntimeParams)); err != nil {
		return nil, err
	}
	conn := &Conn{Address: fmt.Sprintf("%s@%s:%d/%s", cfg.User, cfg.Host, cfg.Port, cfg.Database)}
	if conn.Conn, err = pgx.ConnectConfig(ctx, cfg); err != nil {
		return nil, unreachable(conn.Address, &cfg.Config, err)
	}
	if err := conn.setUp(ctx, c); err != nil {
		return nil, errors.Join(err, conn.Close(context.WithoutCancel(ctx)))
	}
	return conn, nil
}

// settings are those of a session, whose name in the server's lists the DSN may choose.
func (c Connection) settings(site Site, params map[string]string) []setting {
	return settings(site, time.Duration(c.LockTimeout), cmp.Or(params["application_name"], "vault"))
}

// Close ends the session; open transactions are rolled back.
func (c *Conn) Close(ctx context.Context) error {
	if c.IsClosed() {
		select {
		case <-c.PgConn().CleanupDone(): // a cancelled statement is closed in the background
		case <-ctx.Done():
		}
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if err := c.Conn.Close(ctx); err != nil {
		return fmt.Errorf("%s: closing the connection: %w", c.Address, err)
	}
	return nil
}

func (c *Conn) setUp(ctx context.Context, want Connection) error {
	var schema *string
	var backend uint32
	err := c.QueryRow(ctx, `SELECT current_schema()::text, pg_backend_pid(), current_setting('server_version_num')::int,
		current_setting('server_version'), pg_is_in_recovery()`).Scan(&schema, &backend, &c.Version, &c.Release, &c.Standby)
	if err != nil {
		return fmt.Errorf("%s: asking the server who it is: %w", c.Address, err)
	}
	if c.Version < oldest {
		return failure.New(failure.Refused, "%s: the server is PostgreSQL %s; versions %d to %d are supported", c.Address, c.Release, oldest/10000, newest)
	}
	c.Site = Site{want.Schema, want.Prefix}
	if want.Schema == "" {
		if schema == nil {
			return failure.New(failure.Refused, "%s: no schema of the user's search_path exists; set schema to the one that has the site's tables", c.Address)
		}
		c.Site.Schema = *schema
	}
	if backend != c.PgConn().PID() {
		if err := c.refuseTransactionPooling(ctx, backend); err != nil {
			return err
		}
	}
	if err := c.settle(ctx, want.settings(c.Site, c.Config().RuntimeParams)); err != nil {
		return err
	}
	var there bool
	if err := c.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = $1)`, c.Site.Schema).Scan(&there); err != nil {
		return fmt.Errorf("%s: looking for schema %s: %w", c.Address, c.Site.Schema, err)
	}
	if !there {
		return failure.New(failure.Refused, "%s: there is no schema %q in the database", c.Address, c.Site.Schema)
	}
	return nil
}

// refuseTransactionPooling finds out whether the pooler, of which it is known that
// it stands between, gives the server's session that this client just had to
// another client while this one stays connected.
func (c *Conn) refuseTransactionPooling(ctx context.Context, backend uint32) error {
	second, err := pgx.ConnectConfig(ctx, c.Config())
	if err != nil {
		return unreachable(c.Address, &c.Config().Config, err)
	}
	var other uint32
	err = second.QueryRow(ctx, `SELECT pg_backend_pid()`).Scan(&other)
	if err = errors.Join(err, second.Close(context.WithoutCancel(ctx))); err != nil {
		return fmt.Errorf("%s: asking the pooler for a second session: %w", c.Address, err)
	}
	if other == backend {
		return failure.New(failure.Refused, "%s: a pooler in transaction mode stands in front of the server, which snapshots and session settings don't survive; give the server's own address or a pool in session mode", c.Address)
	}
	return nil
}

func unreachable(address string, cfg *pgconn.Config, err error) error {
	var server *pgconn.PgError
	if !errors.As(err, &server) {
		var tried *pgconn.ConnectError
		if errors.As(err, &tried) && ctxError(err) == nil {
			return failure.New(failure.Refused, "%s: no server answers; check host, port, sslmode and that it runs: %w", address, errors.Unwrap(tried))
		}
		return fmt.Errorf("%s: connecting: %w", address, err)
	}
	what := "the server refuses the connection"
	switch server.Code {
	case "28P01", "28000":
		what = fmt.Sprintf("the server refuses user %q or the password", cfg.User)
	case "3D000":
		what = fmt.Sprintf("there is no database %q; create it first", cfg.Database)
	case "53300":
		what = "the server has no connection left (max_connections)"
	case "42501":
		what = fmt.Sprintf("user %q may not connect to database %q", cfg.User, cfg.Database)
	}
	return failure.New(failure.Refused, "%s: %s: %w", address, what, server)
}

func ctxError(err error) error {
	if errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}
