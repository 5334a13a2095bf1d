package mysql

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/failure"
)

// CheckDSN returns an error for the setting dsn if it belongs to another engine.
func CheckDSN(dsn config.Secret) error {
	if text := dsn.Reveal(); strings.HasPrefix(text, "postgres://") || strings.HasPrefix(text, "postgresql://") {
		return config.At("dsn", "dsn is for PostgreSQL, but this stage is for MySQL; write use: postgres")
	}
	if _, path, ok := strings.Cut(dsn.Reveal(), "@unix("); ok && !strings.HasPrefix(path, "/") && !strings.HasPrefix(path, "@") {
		return config.At("dsn", "dsn: the socket in unix(…) must be an absolute path")
	}
	return contradictions(dsn.Reveal())
}

// Server is a database on a server and its properties. It is safe for concurrent use;
// its fields do not change after Connect.
type Server struct {
	*sql.DB
	MariaDB   bool
	Version   string // 10.11.19, 9.7.4
	Database  string
	Address   string // for messages: user@host:port/database, without the password
	Charset   string // of the database, like Collation
	Collation string
	MaxPacket int  // maximum bytes of a statement
	FoldCase  bool // table names are case-insensitive
	LocalData bool // LOAD DATA LOCAL is allowed
	NeedsKey  bool // tables without a primary key are refused
	MakesKeys bool // tables without a primary key get an invisible one

	major, minor int
	// implicit: a TIMESTAMP NOT NULL without a default gets a default and ON UPDATE
	// (explicit_defaults_for_timestamp is off, as in MariaDB before 10.10).
	implicit bool
}

// Engine returns the product and its version: "MariaDB 10.11.19".
func (s *Server) Engine() string {
	if s.MariaDB {
		return "MariaDB " + s.Version
	}
	return "MySQL " + s.Version
}

// atLeast reports whether the version of the server, MySQL or MariaDB, is at least
// major.minor.
func (s *Server) atLeast(major, minor int) bool {
	return s.major > major || s.major == major && s.minor >= minor
}

// Connect opens the database of a go-sql-driver DSN. Every connection has the
// variables of session. Errors never contain the password.
func Connect(ctx context.Context, dsn config.Secret) (*Server, error) {
	cfg, err := mysql.ParseDSN(dsn.Reveal())
	if err != nil {
		// The driver's own error may quote the DSN.
		return nil, failure.New(failure.Usage, "dsn is not user:password@tcp(host:port)/database; special characters of the parameters after ? must be percent-encoded")
	}
	if cfg.DBName == "" {
		return nil, failure.New(failure.Usage, "dsn has no database name; write user:password@tcp(host:port)/database")
	}
	if err := contradictions(dsn.Reveal()); err != nil {
		return nil, failure.Wrap(failure.Usage, err)
	}
	cfg.ParseTime, cfg.InterpolateParams, cfg.MultiStatements, cfg.ColumnsWithAlias = false, false, false, false
	cfg.AllowAllFiles = false               // otherwise a server could request any file of this machine
	cfg.MaxAllowedPacket = 0                // ask the server
	cfg.Logger = log.New(io.Discard, "", 0) // everything it logs is also returned as an error
	if cfg.Timeout == 0 {
		cfg.Timeout = 30 * time.Second
	}
	if err := cfg.Apply(mysql.Charset("utf8mb4", "")); err != nil {
		return nil, err
	}
	s := &Server{Database: cfg.DBName, Address: cfg.User + "@" + cfg.Addr + "/" + cfg.DBName}
	want, err := s.detect(ctx, cfg)
	if err != nil {
		return nil, failure.Wrap(failure.Refused, s.explain(cfg, err))
	}
	if s.DB, err = open(cfg, want); err != nil {
		return nil, err
	}
	s.SetMaxIdleConns(16)
	if err := s.PingContext(ctx); err != nil {
		return nil, errors.Join(failure.Wrap(failure.Refused, s.explain(cfg, err)), s.Close())
	}
	return s, nil
}

// open returns a pool of connections with the given session variables.
func open(cfg *mysql.Config, want []variable) (*sql.DB, error) {
	connector, err := mysql.NewConnector(cfg)
	if err != nil {
		return nil, failure.New(failure.Usage, "dsn: %w", err)
	}
	return sql.OpenDB(settled{connector, want}), nil
}

// detect identifies the server and returns the session variables that it knows. Until
// then it uses variables that every server has, because the answers depend on them.
func (s *Server) detect(ctx context.Context, cfg *mysql.Config) (want []variable, err error) {
	db, err := open(cfg, sessionOf(cfg.Params, func(v variable) bool { return !v.some }))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	var version string
	var fold int
	err = db.QueryRowContext(ctx, `SELECT VERSION(), @@lower_case_table_names, @@max_allowed_packet, @@local_infile, @@character_set_database, @@collation_database`).
		Scan(&version, &fold, &s.MaxPacket, &s.LocalData, &s.Charset, &s.Collation)
	if err != nil {
		return nil, err
	}
	s.MariaDB = strings.Contains(version, "MariaDB")
	s.FoldCase = fold != 0
	if err := s.version(version); err != nil {
		return nil, err
	}
	values, err := variables(ctx, db)
	if err != nil {
		return nil, err
	}
	s.implicit = values["explicit_defaults_for_timestamp"] == "OFF"
	s.NeedsKey = values["sql_require_primary_key"] == "ON" || values["innodb_force_primary_key"] == "ON"
	want = sessionOf(cfg.Params, func(v variable) bool { _, ok := values[v.name]; return ok })
	if values[ownKeys.name] == "ON" {
		_, err := db.ExecContext(ctx, "SET "+ownKeys.name+" = "+ownKeys.value)
		if s.MakesKeys = Denied(err); s.MakesKeys {
			return want, nil
		}
		want = append(want, ownKeys)
		return want, err
	}
	return want, nil
}

// version parses the server's version string.
func (s *Server) version(words string) (err error) {
	s.Version, _, _ = strings.Cut(strings.TrimPrefix(words, "5.5.5-"), "-")
	parts := strings.SplitN(s.Version, ".", 3)
	if len(parts) < 2 {
		return fmt.Errorf("unknown server version %q; Vault supports MySQL and MariaDB", words)
	}
	numbers := make([]int, 3)
	for k, part := range parts {
		if numbers[k], err = strconv.Atoi(part); err != nil {
			return fmt.Errorf("unknown server version %q: %w", words, err)
		}
	}
	s.major, s.minor = numbers[0], numbers[1]
	return s.refuseOld(numbers[2])
}

// refuseOld returns an error for unsupported versions.
func (s *Server) refuseOld(patch int) error {
	if s.MariaDB && !s.atLeast(10, 6) {
		return failure.New(failure.Refused, "the server is MariaDB %s; 10.6 or newer is required", s.Version)
	}
	// Older catalogs lack expressions in indexes and CHECK constraints.
	if !s.MariaDB && (!s.atLeast(8, 0) || s.major == 8 && s.minor == 0 && patch < 16) {
		return failure.New(failure.Refused, "the server is MySQL %s; 8.0.16 or newer is required", s.Version)
	}
	return nil
}

// variables reads session variables that Vault checks but that not every server has.
func variables(ctx context.Context, db *sql.DB) (values map[string]string, err error) {
	names := []string{ownKeys.name, "sql_require_primary_key", "innodb_force_primary_key", "explicit_defaults_for_timestamp"}
	for _, v := range session {
		names = append(names, v.name)
	}
	rows, err := db.QueryContext(ctx, `SHOW SESSION VARIABLES WHERE Variable_name IN ('`+strings.Join(names, "', '")+`')`)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	values = map[string]string{}
	for rows.Next() {
		var name, value string
		if err := rows.Scan(&name, &value); err != nil {
			return nil, err
		}
		values[strings.ToLower(name)] = value
	}
	return values, rows.Err()
}

// explain adds cause and remedy to an error of the first connection.
func (s *Server) explain(cfg *mysql.Config, err error) error {
	var refused *mysql.MySQLError
	var network *net.OpError
	switch {
	case errors.As(err, &refused) && (refused.Number == 1045 || refused.Number == 1698):
		return fmt.Errorf("%s: wrong user %q or password: %w", s.Address, cfg.User, err)
	case errors.As(err, &refused) && refused.Number == 1044:
		return fmt.Errorf("%s: user %q has no access to database %q: %w", s.Address, cfg.User, cfg.DBName, err)
	case errors.As(err, &refused) && refused.Number == 1049:
		return fmt.Errorf("%s: database %q does not exist; create it first: %w", s.Address, cfg.DBName, err)
	case errors.As(err, &refused) && refused.Number == 1040:
		return fmt.Errorf("%s: too many connections (max_connections): %w", s.Address, err)
	case errors.As(err, &network):
		return fmt.Errorf("%s: no answer from the server; check host and port, and that the server is running: %w", s.Address, err)
	}
	return fmt.Errorf("%s: %w", s.Address, err)
}

// Number returns the server's error number, or 0 for an error that is not from the
// server.
func Number(err error) uint16 {
	var e *mysql.MySQLError
	if errors.As(err, &e) {
		return e.Number
	}
	return 0
}

// Denied reports whether the server refused a statement because a privilege is
// missing.
func Denied(err error) bool {
	switch Number(err) {
	case 1044, 1045, 1142, 1143, 1227, 1370:
		return true
	}
	return false
}

// LocalDataForbidden reports whether LOAD DATA LOCAL is disabled.
func LocalDataForbidden(err error) bool {
	switch Number(err) {
	case 1148, 3948, 4166:
		return true
	}
	return false
}

// Lost reports whether the connection is lost.
func Lost(err error) bool {
	switch Number(err) {
	case 1053, 1317, 1927, 3024, 4031: // shutdown, killed, killed (MariaDB), timed out, idle too long
		return true
	}
	var network net.Error
	return errors.Is(err, mysql.ErrInvalidConn) || errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone) || errors.As(err, &network) || errors.Is(err, io.ErrUnexpectedEOF)
}
