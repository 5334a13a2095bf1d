package mysql

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/dialects/mysql"
)

// Begin creates the tables beside the existing ones. With stage.ReplaceInPlace it
// also moves them and the marker into place with one statement; until that succeeds
// nothing is changed.
func (s *sink) Begin(ctx context.Context, p *stage.Plan) error {
	if err := s.connect(ctx, p); err != nil {
		return err
	}
	if err := s.lock(ctx); err != nil {
		return err
	}
	err := s.begin(ctx, p)
	if err != nil && !s.begun {
		return errors.Join(err, s.unlock(ctx))
	}
	return err
}

func (s *sink) begin(ctx context.Context, p *stage.Plan) error {
	s.plan, s.exchange, s.exposed = p, nil, false
	s.run = 10_000_000 + rand.IntN(90_000_000)
	s.refused = map[string]bool{}
	s.tables = nil
	for k := range p.Tables {
		s.tables = append(s.tables, table{p.Tables[k].Schema, s.beside(mysql.Incoming, k)})
	}
	s.receipts = s.beside(mysql.Incoming, len(s.tables))
	st, err := s.server.Inspect(ctx, s.cfg.Prefix)
	if err != nil {
		return err
	}
	old, err := s.standing(st, p)
	if err != nil {
		return err
	}
	// Tables that an earlier run left beside the site do not belong to it.
	if err := s.drop(ctx, st.LeftoverViews, st.Leftovers); err != nil {
		return err
	}
	if err := s.create(ctx); err != nil {
		return s.takeBack(ctx, err)
	}
	if p.Replace != stage.ReplaceInPlace {
		s.begun = true
		return nil
	}
	r := s.renaming(old)
	r.add(s.receipts, s.marker())
	if _, err := s.server.ExecContext(ctx, r.statement()); err != nil {
		return s.takeBack(ctx, fmt.Errorf("%s: moving the new tables into place: %w", s.server.Address, err))
	}
	s.begun = true
	for k := range s.tables {
		s.tables[k].at = s.final(k)
	}
	s.receipts = s.marker()
	return s.drop(ctx, r.views, r.tables)
}

// beside returns the full name of a table beside the site; kind is mysql.Incoming or
// mysql.Outgoing.
func (s *sink) beside(kind string, k int) string {
	return fmt.Sprintf("%s%s%d_%d", s.cfg.Prefix, kind, s.run, k)
}

// final returns the full name of a planned table after publishing.
func (s *sink) final(k int) string { return s.cfg.Prefix + s.tables[k].Name }

func (s *sink) create(ctx context.Context) error {
	// Statements in progress are not cancelled when another one fails: the server
	// could still execute them after the cleanup.
	err := s.each(ctx, func(failed context.Context, k int) error {
		if failed.Err() != nil {
			return failed.Err()
		}
		d, err := s.writer.Define(&s.tables[k].Table)
		if err != nil {
			return err
		}
		if _, err := s.server.ExecContext(ctx, d.Create(s.tables[k].at)); err != nil {
			return fmt.Errorf("%s: creating table %s: %w", s.server.Address, s.tables[k].Name, err)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return s.mark(ctx, s.receipts)
}

// takeBack drops what was created beside the site, which is unchanged.
func (s *sink) takeBack(ctx context.Context, cause error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 90*time.Second)
	defer cancel()
	return errors.Join(cause, s.dropIncoming(ctx))
}

// dropIncoming drops what this run created beside the site.
func (s *sink) dropIncoming(ctx context.Context) error {
	var created []string
	for k := range len(s.tables) + 1 {
		created = append(created, s.beside(mysql.Incoming, k))
	}
	return s.drop(ctx, nil, created)
}

func (s *sink) marker() string { return s.cfg.Prefix + mysql.Marker }

// mark creates the table with the receipt of each committed unit, as JSON in pieces
// that fit into a statement. With the name of the marker it shows that the database
// is incomplete.
func (s *sink) mark(ctx context.Context, name string) error {
	_, err := s.server.ExecContext(ctx, "CREATE TABLE IF NOT EXISTS "+mysql.Ident(name)+" (unit binary(32) NOT NULL, piece int NOT NULL, receipt longblob NOT NULL, PRIMARY KEY (unit, piece)) ENGINE=InnoDB COMMENT='A restore into this database is not finished'")
	if err != nil {
		return fmt.Errorf("%s: marking the database as unfinished: %w", s.server.Address, err)
	}
	return nil
}

func (s *sink) drop(ctx context.Context, views, tables []string) error {
	for _, d := range []struct {
		kind  string
		names []string
	}{{"VIEW", views}, {"TABLE", tables}} {
		if len(d.names) == 0 {
			continue
		}
		// A statement of a killed run, such as building an index, may still lock
		// them.
		err := patiently(ctx, func() error {
			_, err := s.server.ExecContext(ctx, "DROP "+d.kind+" IF EXISTS "+mysql.Idents(d.names))
			return err
		})
		if err != nil {
			return fmt.Errorf("%s: dropping remains of earlier restores: %w", s.server.Address, err)
		}
	}
	return nil
}
