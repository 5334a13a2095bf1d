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

// Connection holds the settings shared by source and sink: where the site's tables
// are.
type Connection struct {
	DSN         config.Secret   `key:"dsn" required:"true" place:"database" help:"the database, as a URL or as key=value pairs" example:"postgres://moodle:secret@db.example.org:5432/moodle"`
	Prefix      string          `key:"prefix" default:"mdl_" place:"prefix" help:"prefix of the site's table names; may be empty"`
	Schema      string          `key:"schema" place:"schema" help:"the schema with the site's tables (default: the one in which the user's new tables are created)" example:"public"`
	LockTimeout config.Duration `key:"lock_timeout" default:"30s" help:"how long to wait for a table locked by another session"`
}

// Validate checks what the tags cannot express.
func (c *Connection) Validate() error {
	dsn := c.DSN.Reveal()
	isURL := strings.HasPrefix(dsn, "postgres://") || strings.HasPrefix(dsn, "postgresql://")
	if !isURL && (strings.Contains(dsn, "@tcp(") || strings.Contains(dsn, "@unix(")) {
		return config.At("dsn", "dsn is for MySQL, but this stage is for PostgreSQL; write use: mysql")
	}
	return wholePaths(dsn)
}

var fileOption = regexp.MustCompile(`\b(sslrootcert|sslcert|sslkey|passfile|servicefile)\s*=\s*'?([^&\s']*)`)

// wholePaths returns an error for files in a DSN whose path depends on the working
// directory.
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

// Conn is a session on the server. It is used by one goroutine at a time.
type Conn struct {
	*pgx.Conn
	Site    Site
	Address string // for messages: user@host:port/database, without the password
	Version int    // 150018
	Release string // 15.18 (Debian 15.18-0+deb12u1)
	Standby bool   // a read-only replica
}

// Supported versions of the server.
const (
	oldest = 13_00_00
	newest = 18
)

// Open starts a session in which every value has one exact text, whatever the
// defaults of server, database and user, and nothing but waiting for a lock times
// out. Errors never contain the password.
func (c Connection) Open(ctx context.Context) (*Conn, error) {
	cfg, err := pgx.ParseConfig(c.DSN.Reveal())
	if err != nil {
		var file *fs.PathError
		if errors.As(err, &file) {
			return nil, failure.New(failure.Usage, "dsn: %w", file)
		}
		// The library's own message may quote the DSN.
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

// settings returns a session's settings. The DSN may choose the session's application
// name.
func (c Connection) settings(site Site, params map[string]string) []setting {
	return settings(site, time.Duration(c.LockTimeout), cmp.Or(params["application_name"], "vault"))
}

// Close ends the session. Open transactions are rolled back.
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
		return fmt.Errorf("%s: identifying the server: %w", c.Address, err)
	}
	if c.Version < oldest {
		return failure.New(failure.Refused, "%s: the server is PostgreSQL %s; versions %d to %d are supported", c.Address, c.Release, oldest/10000, newest)
	}
	c.Site = Site{want.Schema, want.Prefix}
	if want.Schema == "" {
		if schema == nil {
			return failure.New(failure.Refused, "%s: no schema of the user's search_path exists; set schema to the one with the site's tables", c.Address)
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
		return failure.New(failure.Refused, "%s: the database has no schema %q", c.Address, c.Site.Schema)
	}
	return nil
}

// refuseTransactionPooling returns an error if a pooler, known to be in between,
// gives this client's server session to another client while this one stays
// connected.
func (c *Conn) refuseTransactionPooling(ctx context.Context, backend uint32) error {
	second, err := pgx.ConnectConfig(ctx, c.Config())
	if err != nil {
		return unreachable(c.Address, &c.Config().Config, err)
	}
	var other uint32
	err = second.QueryRow(ctx, `SELECT pg_backend_pid()`).Scan(&other)
	if err = errors.Join(err, second.Close(context.WithoutCancel(ctx))); err != nil {
		return fmt.Errorf("%s: opening a second session through the pooler: %w", c.Address, err)
	}
	if other == backend {
		return failure.New(failure.Refused, "%s: the connection goes through a pooler in transaction mode, which loses snapshots and session settings; use the server's own address or a pool in session mode", c.Address)
	}
	return nil
}

func unreachable(address string, cfg *pgconn.Config, err error) error {
	var server *pgconn.PgError
	if !errors.As(err, &server) {
		var tried *pgconn.ConnectError
		if errors.As(err, &tried) && ctxError(err) == nil {
			return failure.New(failure.Refused, "%s: no answer from the server; check host, port and sslmode, and that the server is running: %w", address, errors.Unwrap(tried))
		}
		return fmt.Errorf("%s: connecting: %w", address, err)
	}
	what := "the server refused the connection"
	switch server.Code {
	case "28P01", "28000":
		what = fmt.Sprintf("wrong user %q or password", cfg.User)
	case "3D000":
		what = fmt.Sprintf("database %q does not exist; create it first", cfg.Database)
	case "53300":
		what = "too many connections (max_connections)"
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
