package mysql

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/dialects/mysql"
)

type sink struct {
	cfg    Config
	env    stage.Env
	server *mysql.Server
	writer *mysql.Writer
	plan   *stage.Plan // since Begin
	tables []table     // of the plan
	run    int         // part of the names of tables that this run creates beside the site
	begun  bool
	locked *sql.Conn // holds the lock on the target
	// receipts is the full name of the table with the units' receipts.
	receipts string
	exchange *renames // requested by Publish
	exposed  bool     // the table with the receipts names the run, and stays until Settle
	left     error    // why old tables still exist after the exchange

	mu      sync.Mutex
	refused map[string]bool // tables with rejected rows
}

// table is a table of the plan, and the full name under which it is loaded.
type table struct {
	schema.Table
	at string
}

// connect opens the target once and prepares writing DDL for it.
func (s *sink) connect(ctx context.Context, p *stage.Plan) error {
	if s.writer != nil {
		return nil
	}
	if err := s.open(ctx); err != nil {
		return err
	}
	collations, err := s.server.Collations(ctx)
	if err != nil {
		return err
	}
	s.writer = &mysql.Writer{
		Server: s.server, Collations: collations, Prefix: s.cfg.Prefix,
		FromPrefix: p.Facts["prefix"], KeepNames: p.Facts["dialect"] == mysql.Dialect,
		Collation: s.cfg.Collation,
	}
	return nil
}

// open opens the target once.
func (s *sink) open(ctx context.Context) (err error) {
	if s.server == nil {
		s.server, err = mysql.Connect(ctx, s.cfg.DSN)
	}
	return err
}

// each calls do for all tables, by index, concurrently.
func (s *sink) each(ctx context.Context, do func(ctx context.Context, k int) error) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(max(s.env.Workers, 1))
	for k := range s.tables {
		group.Go(func() error { return do(ctx, k) })
	}
	return group.Wait()
}

// Finish builds the indexes and sets the next values of sequences.
func (s *sink) Finish(ctx context.Context, _ *stage.Outcome) error {
	return s.each(ctx, func(ctx context.Context, k int) error {
		t := &s.tables[k]
		if err := s.complete(ctx, t); err != nil {
			return fmt.Errorf("%s: completing table %s: %w", s.server.Address, t.Name, err)
		}
		return nil
	})
}

// complete builds a table's indexes. The next value of its sequence was set when it
// was created, and the server raised it with each row.
func (s *sink) complete(ctx context.Context, t *table) (err error) {
	d, err := s.writer.Define(&t.Table)
	if err != nil {
		return err
	}
	statements := d.Indexes(t.at)
	if t.Sequence != nil && s.lostRows(t.Name) {
		// A rejected row has raised it nevertheless.
		statements = append(statements, fmt.Sprintf("ALTER TABLE %s AUTO_INCREMENT = %d", mysql.Ident(t.at), t.Sequence.Next))
	}
	if len(statements) == 0 {
		return nil
	}
	defer stage.Step(ctx, "building the indexes of "+t.Name)()
	conn, err := s.server.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	// MySQL sorts an index in 1 MiB by default; MariaDB and MySQL before 8.0.27 do
	// not have the variable.
	if _, err := conn.ExecContext(ctx, "SET SESSION innodb_ddl_buffer_size = 67108864"); err != nil && mysql.Number(err) != unknownVariable {
		return err
	}
	for _, statement := range statements {
		if _, err := conn.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

const unknownVariable = 1193

func (s *sink) lostRows(table string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.refused[table]
}

// Close closes the connections.
func (s *sink) Close(ctx context.Context) error {
	if s.server == nil {
		return nil
	}
	err := errors.Join(s.unlock(ctx), s.server.Close())
	s.server, s.writer = nil, nil
	if err != nil {
		return errors.Join(errors.New("closing the connections"), err)
	}
	return nil
}
