package main

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/go-sql-driver/mysql"
	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"

	"github.com/lmsvault/vault/internal/servers"
)

// database is the name of the sample site's database on both servers.
const database = "vault_bench"

// site is the sample site, the programs' directories below dir, and how they reach
// both.
type site struct {
	dir, vault string
	maria      *mysql.Config // without a database
	postgres   *url.URL      // of the administrator
	secret     string        // passphrase of all repositories
	dbBytes    int64
	fileBytes  int64
}

func newSite(dir, vault string) (*site, error) {
	s := &site{dir: dir, vault: vault}
	var err error
	if s.maria, err = mysql.ParseDSN(os.Getenv(servers.MariaDBEnv)); err != nil || os.Getenv(servers.MariaDBEnv) == "" {
		return nil, fmt.Errorf("%s is not set; run make bench", servers.MariaDBEnv)
	}
	if s.postgres, err = url.Parse(os.Getenv(servers.PostgresEnv)); err != nil || s.postgres.Host == "" {
		return nil, fmt.Errorf("%s is not set; run make bench", servers.PostgresEnv)
	}
	raw := make([]byte, 16)
	if _, err := rand.Read(raw); err != nil {
		return nil, err
	}
	s.secret = hex.EncodeToString(raw)
	return s, s.writeSecrets()
}

// writeSecrets writes the files from which the peers read passwords.
func (s *site) writeSecrets() error {
	host, port, err := net.SplitHostPort(s.maria.Addr)
	if err != nil {
		return fmt.Errorf("%s: %w", servers.MariaDBEnv, err)
	}
	client := fmt.Sprintf("[client]\nhost=%s\nport=%s\nuser=%s\npassword=%s\n", host, port, s.maria.User, s.maria.Passwd)
	from := url.URL{Scheme: "mysql", User: url.UserPassword(s.maria.User, s.maria.Passwd), Host: s.maria.Addr, Path: "/" + database}
	to := *s.postgres
	to.Scheme, to.Path, to.RawQuery = "postgresql", "/"+database, "" // pgloader does not support sslmode=disable in the query
	// With its default prefetch of 100,000 rows pgloader's heap overflows on rows of
	// a megabyte.
	load := fmt.Sprintf("LOAD DATABASE FROM %s INTO %s\nWITH create tables, create indexes, reset sequences, prefetch rows = 1000;\n", &from, &to)
	return errors.Join(
		os.WriteFile(s.path("client.cnf"), []byte(client), 0o600),
		os.WriteFile(s.path("pgloader.load"), []byte(load), 0o600),
		os.WriteFile(s.path("restic.secret"), []byte(s.secret), 0o600),
	)
}

func (s *site) path(name string) string { return filepath.Join(s.dir, name) }

// env returns the environment variables for the pipelines in bench/pipelines.
func (s *site) env() []string {
	maria := s.maria.Clone()
	maria.DBName = database
	to := *s.postgres
	to.Path = "/" + database
	return []string{
		"BENCH_MARIADB=" + maria.FormatDSN(), "BENCH_POSTGRES=" + to.String(), "BENCH_SECRET=" + s.secret,
		"RESTIC_PASSWORD_FILE=" + s.path("restic.secret"), "RESTIC_CACHE_DIR=" + s.path("restic.cache"),
	}
}

// run measures a pipeline of bench/pipelines.
func (s *site) run(ctx context.Context, pipeline string, set ...string) (cost, error) {
	args := []string{"run", "bench/pipelines/" + pipeline + ".yaml"}
	for _, x := range set {
		args = append(args, "--set", x)
	}
	return measure(ctx, s.env(), s.vault, args...)
}

// fill generates the site and prints its size.
func (s *site) fill(ctx context.Context, factor string) error {
	if err := s.exec(ctx, "mysql", s.maria.FormatDSN(), "CREATE OR REPLACE DATABASE "+database+" CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci"); err != nil {
		return err
	}
	took, err := s.run(ctx, "site", "factor="+factor, "site="+s.path("site"))
	if err != nil {
		return fmt.Errorf("generating the sample site: %w", err)
	}
	db, err := sql.Open("mysql", s.maria.FormatDSN())
	if err != nil {
		return err
	}
	err = db.QueryRowContext(ctx, "SELECT SUM(data_length) FROM information_schema.tables WHERE table_schema = ?", database).Scan(&s.dbBytes)
	if err = errors.Join(err, db.Close()); err != nil {
		return err
	}
	if s.fileBytes, err = size(s.path("site/filedir")); err != nil {
		return err
	}
	fmt.Printf("sample site: %s in the database, %s in files, generated in %.1f s\n", humanize.IBytes(uint64(s.dbBytes)), humanize.IBytes(uint64(s.fileBytes)), took.wall.Seconds())
	return nil
}

// emptyTarget recreates the PostgreSQL database.
func (s *site) emptyTarget(ctx context.Context) error {
	return s.exec(ctx, "pgx", s.postgres.String(), "DROP DATABASE IF EXISTS "+database+" WITH (FORCE)", "CREATE DATABASE "+database+" ENCODING 'UTF8' TEMPLATE template0")
}

// drop removes the databases, also after an interrupt.
func (s *site) drop() error {
	ctx, stop := context.WithTimeout(context.Background(), time.Minute)
	defer stop()
	return errors.Join(
		s.exec(ctx, "mysql", s.maria.FormatDSN(), "DROP DATABASE IF EXISTS "+database),
		s.exec(ctx, "pgx", s.postgres.String(), "DROP DATABASE IF EXISTS "+database+" WITH (FORCE)"),
	)
}

func (s *site) exec(ctx context.Context, driver, dsn string, statements ...string) (err error) {
	db, err := sql.Open(driver, dsn)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	for _, q := range statements {
		if _, err := db.ExecContext(ctx, q); err != nil {
			return err
		}
	}
	return nil
}

// size returns the total bytes of the files below a path.
func size(path string) (int64, error) {
	var n int64
	err := filepath.WalkDir(path, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err == nil {
			n += info.Size()
		}
		return err
	})
	return n, err
}
