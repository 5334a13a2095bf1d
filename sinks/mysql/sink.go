package mysql

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/dialects/mysql"
)

type sink struct {
	cfg    Config
	env    stage.Env
	server *mysql.Server
	writer *mysql.Writer
	tables []schema.Table
	begun  bool

	mu      sync.Mutex
	refused map[string]bool // tables that lost rows
}

// connect opens the target once and prepares to write DDL for it.
func (s *sink) connect(ctx context.Context, p *stage.Plan) (err error) {
	if s.server != nil {
		return nil
	}
	if s.server, err = mysql.Connect(ctx, s.cfg.DSN, map[string]string{"foreign_key_checks": "0"}); err != nil {
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

// Begin empties the target if it may, marks it as unfinished and creates the tables.
func (s *sink) Begin(ctx context.Context, p *stage.Plan) error {
	if err := s.begin(ctx, p); err != nil {
		return err
	}
	return nil
}

func (s *sink) begin(ctx context.Context, p *stage.Plan) error {
	if err := s.connect(ctx, p); err != nil {
		return err
	}
	s.refused = map[string]bool{}
	s.tables = nil
	for k := range p.Tables {
		s.tables = append(s.tables, p.Tables[k].Schema)
	}
	st, err := s.server.Inspect(ctx, s.cfg.Prefix)
	if err != nil {
		return err
	}
	if there := siteNames(st, s.cfg.Prefix); len(there) > 0 && !s.cfg.Replace {
		return failure.New(failure.Refused, "%s: the database has tables with the prefix %q: %s", s.server.Address, s.cfg.Prefix, some(there))
	}
	if err := s.mark(ctx); err != nil {
		return err
	}
	if err := s.drop(ctx, st); err != nil {
		return err
	}
	return s.each(ctx, s.tables, func(ctx context.Context, t *schema.Table) error {
		if _, err := s.server.ExecContext(ctx, s.writer.Define(t).Create); err != nil {
			return fmt.Errorf("%s: creating table %s: %w", s.server.Address, t.Name, err)
		}
		return nil
	})
}

// each does something for many tables side by side.
func (s *sink) each(ctx context.Context, tables []schema.Table, do func(ctx context.Context, t *schema.Table) error) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(max(s.env.Workers, 1))
	for k := range tables {
		group.Go(func() error { return do(ctx, &tables[k]) })
	}
	return group.Wait()
}

func (s *sink) marker() string { return mysql.Ident(s.cfg.Prefix + mysql.Marker) }

// mark says, for everyone who looks, that the database is no whole site.
func (s *sink) mark(ctx context.Context) error {
	_, err := s.server.ExecContext(ctx, "CREATE TABLE IF NOT EXISTS "+s.marker()+" (id int NOT NULL PRIMARY KEY) ENGINE=InnoDB COMMENT='A restore into this database is not finished: it is no whole site'")
	if err != nil {
		return fmt.Errorf("%s: marking the database as unfinished: %w", s.server.Address, err)
	}
	s.begun = true
	return nil
}

func (s *sink) drop(ctx context.Context, st *mysql.Structure) error {
	var views, tables []string
	for _, l := range st.Losses {
		name := s.cfg.Prefix + l.Path[len(stage.DB)+1:]
		if l.Kind == stage.LossView {
			views = append(views, name)
		}
	}
	for _, t := range st.Tables {
		tables = append(tables, t.FullName)
	}
	for _, d := range []struct {
		kind  string
		names []string
	}{{"VIEW", views}, {"TABLE", tables}} {
		if len(d.names) == 0 {
			continue
		}
		if _, err := s.server.ExecContext(ctx, "DROP "+d.kind+" IF EXISTS "+mysql.Idents(d.names)); err != nil {
			return fmt.Errorf("%s: dropping what is to be replaced: %w", s.server.Address, err)
		}
	}
	return nil
}

// Finish builds the indexes and sets what the sequences give next.
func (s *sink) Finish(ctx context.Context, _ *stage.Outcome) error {
	return s.each(ctx, s.tables, func(ctx context.Context, t *schema.Table) error {
		if err := s.complete(ctx, t); err != nil {
			return fmt.Errorf("%s: completing table %s: %w", s.server.Address, t.Name, err)
		}
		return nil
	})
}

// Publish takes the mark away.
func (s *sink) Publish(ctx context.Context) error {
	if _, err := s.server.ExecContext(ctx, "DROP TABLE IF EXISTS "+s.marker()); err != nil {
		return fmt.Errorf("%s: taking the mark of an unfinished restore away: %w", s.server.Address, err)
	}
	return nil
}

// complete builds a table's indexes. What its sequence gives next was set when it
// was created, and the server has raised it with each row.
func (s *sink) complete(ctx context.Context, t *schema.Table) (err error) {
	statements := s.writer.Define(t).Indexes
	if t.Sequence != nil && s.lostRows(t.Name) {
		// A refused row has raised it all the same.
		statements = append(statements, fmt.Sprintf("ALTER TABLE %s AUTO_INCREMENT = %d", mysql.Ident(s.cfg.Prefix+t.Name), t.Sequence.Next))
	}
	if len(statements) == 0 {
		return nil
	}
	conn, err := s.server.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	// MySQL sorts an index in 1 MiB if it isn't told otherwise; MariaDB and MySQL before 8.0.27 don't know the variable.
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

// Abort leaves what is there, marked: a source refuses it, and a sink wants replace.
func (s *sink) Abort(ctx context.Context) error {
	if !s.begun {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer cancel()
	if err := s.mark(ctx); err != nil {
		return err
	}
	return nil
}

// Close ends the connections.
func (s *sink) Close(context.Context) error {
	if s.server == nil {
		return nil
	}
	err := s.server.Close()
	s.server = nil
	if err != nil {
		return errors.Join(errors.New("closing the connections"), err)
	}
	return nil
}
