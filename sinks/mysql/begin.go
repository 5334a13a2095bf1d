package mysql

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/dialects/mysql"
)

// Begin creates the tables beside what is there, and puts them and the mark in
// its place by one statement: until that has succeeded nothing is changed.
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
	if err := s.drop(ctx, st.LeftoverViews, st.Leftovers); err != nil {
		return err
	}
	if err := s.create(ctx); err != nil {
		return s.takeBack(ctx, err)
	}
	views, tables := siteViews(st, s.cfg.Prefix), st.Tables
	renames := renames{prefix: s.cfg.Prefix}
	for _, view := range views {
		renames.out(view)
	}
	for k := range tables {
		renames.out(tables[k].FullName)
	}
	if st.Marked { // of a run that did not finish; it knows units of that run
		renames.out(s.marker())
	}
	for k := range s.tables {
		renames.add(s.incoming(k), s.cfg.Prefix+s.tables[k].Name)
	}
	renames.add(s.incoming(len(s.tables)), s.marker())
	if _, err := s.server.ExecContext(ctx, renames.statement()); err != nil {
		return s.takeBack(ctx, fmt.Errorf("%s: putting the new tables in their place: %w", s.server.Address, err))
	}
	s.begun = true
	return s.drop(ctx, renames.outgoing[:len(views)], renames.outgoing[len(views):])
}

// incoming is the name of a table until it is put in its place; the mark has the last number.
func (s *sink) incoming(k int) string { return fmt.Sprint(s.cfg.Prefix, mysql.Incoming, k) }

func (s *sink) create(ctx context.Context) error {
	// What is under way when another one fails is not cancelled: the server could
	// carry it out after the rest was taken back.
	err := s.each(ctx, func(failed context.Context, k int) error {
		if failed.Err() != nil {
			return failed.Err()
		}
		d, err := s.writer.Define(&s.tables[k])
		if err != nil {
			return err
		}
		if _, err := s.server.ExecContext(ctx, d.Create(s.incoming(k))); err != nil {
			return fmt.Errorf("%s: creating table %s: %w", s.server.Address, s.tables[k].Name, err)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return s.mark(ctx, s.incoming(len(s.tables)))
}

// takeBack drops what was created beside the site, which stays as it was.
func (s *sink) takeBack(ctx context.Context, cause error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 90*time.Second)
	defer cancel()
	var created []string
	for k := range len(s.tables) + 1 {
		created = append(created, s.incoming(k))
	}
	return errors.Join(cause, s.drop(ctx, nil, created))
}

func (s *sink) marker() string { return s.cfg.Prefix + mysql.Marker }

// mark says, for everyone who looks, that the database is incomplete. It has the
// receipt of each unit that is committed, as JSON in pieces that the server takes.
func (s *sink) mark(ctx context.Context, name string) error {
	_, err := s.server.ExecContext(ctx, "CREATE TABLE IF NOT EXISTS "+mysql.Ident(name)+" (unit binary(32) NOT NULL, piece int NOT NULL, receipt longblob NOT NULL, PRIMARY KEY (unit, piece)) ENGINE=InnoDB COMMENT='A restore into this database is not finished: the database is incomplete'")
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
		if _, err := s.server.ExecContext(ctx, "DROP "+d.kind+" IF EXISTS "+mysql.Idents(d.names)); err != nil {
			return fmt.Errorf("%s: dropping what is not of the site that is restored: %w", s.server.Address, err)
		}
	}
	return nil
}

// renames is a RENAME TABLE of many, of which the server does all or none.
type renames struct {
	prefix   string
	pairs    []string
	outgoing []string // what is to be dropped afterwards
}

func (r *renames) add(from, to string) {
	r.pairs = append(r.pairs, mysql.Ident(from)+" TO "+mysql.Ident(to))
}

func (r *renames) out(name string) {
	to := fmt.Sprint(r.prefix, mysql.Outgoing, len(r.outgoing))
	r.add(name, to)
	r.outgoing = append(r.outgoing, to)
}

func (r *renames) statement() string { return "RENAME TABLE " + strings.Join(r.pairs, ", ") }
