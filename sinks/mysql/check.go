package mysql

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/dustin/go-humanize"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/dialects/mysql"
)

// Check checks the target and the plan, and changes nothing.
func (s *sink) Check(ctx context.Context, p *stage.Plan) (stage.Findings, error) {
	losses, notes, err := s.check(ctx, p)
	if err != nil {
		return stage.Findings{}, err
	}
	return stage.Findings{Losses: losses, Notes: notes}, nil
}

func (s *sink) check(ctx context.Context, p *stage.Plan) (losses []stage.Loss, notes []stage.Note, err error) {
	if err := s.connect(ctx, p); err != nil {
		return nil, nil, err
	}
	if s.cfg.Load == loadLocal && !s.server.LocalData {
		return nil, nil, failure.New(failure.Refused, "%s: load is %s, but the server does not allow it; set its local_infile to ON, or load to %s", s.server.Address, loadLocal, loadAuto)
	}
	if err := s.checkCollation(); err != nil {
		return nil, nil, err
	}
	if err := s.checkLocation(ctx, p); err != nil {
		return nil, nil, err
	}
	if err := s.checkRights(ctx); err != nil {
		return nil, nil, err
	}
	st, err := s.server.Inspect(ctx, s.cfg.Prefix)
	if err != nil {
		return nil, nil, err
	}
	old, err := s.standing(st, p)
	if err != nil {
		return nil, nil, err
	}
	notes = old.notes
	if there := old.names(); len(there) > 0 {
		site, err := st.Site(ctx, s.server)
		if err == nil {
			err = s.cfg.Replacing.Check(site, p.Facts)
		}
		if err != nil {
			return nil, nil, fmt.Errorf("%s: %w", s.server.Address, err)
		}
		if err := s.checkReferrers(ctx, old); err != nil {
			return nil, nil, err
		}
		notes = append(notes, s.replacing(p, &old))
	}
	var refused []error
	for k := range p.Tables {
		t := &p.Tables[k].Schema
		if reason := s.writer.Refuse(t); reason != "" {
			refused = append(refused, errors.New(reason))
			continue
		}
		losses = append(losses, s.writer.Losses(t)...)
		d, err := s.writer.Define(t)
		if err != nil {
			refused = append(refused, err)
		}
		for _, text := range d.Notes {
			notes = append(notes, stage.Note{Path: stage.DB + "/" + t.Name, Text: text})
		}
	}
	if len(refused) > 0 {
		return nil, nil, failure.New(failure.Refused, "%s cannot hold the plan: %w", s.server.Engine(), errors.Join(refused...))
	}
	return losses, notes, nil
}

// checkLocation refuses to write to a database that the run reads. A snapshot may
// replace the site it was made from.
func (s *sink) checkLocation(ctx context.Context, p *stage.Plan) error {
	location, err := s.server.Location(ctx)
	if err != nil || !slices.Contains(p.Locations, location) || !s.server.Overlap(s.cfg.Prefix, p.Facts["prefix"]) {
		return err
	}
	return failure.New(failure.Refused, "%s: source and target are the same database, with prefixes %q and %q, so the restore would drop what it reads; use another database or prefix", s.server.Address, p.Facts["prefix"], s.cfg.Prefix)
}

// replacing describes what will be dropped and the space needed until then.
func (s *sink) replacing(p *stage.Plan, old *standing) stage.Note {
	text := fmt.Sprintf("replace: %d tables and views with the prefix %q ", len(old.names()), s.cfg.Prefix)
	if p.Replace == stage.ReplaceInPlace {
		text += "are dropped before the new ones are loaded; a failure after that leaves no site"
	} else {
		text += fmt.Sprintf("are dropped when the new ones are proven; until then the server needs space for both (the old rows take about %s), and its free space is unknown; if there is not enough, use replace: in_place",
			humanize.IBytes(uint64(max(old.bytes, 0))))
	}
	return stage.Note{Path: stage.DB, Text: text}
}

// checkReferrers refuses to replace tables that other tables refer to: their foreign
// keys would follow the old tables and be lost with them.
func (s *sink) checkReferrers(ctx context.Context, old standing) (err error) {
	own := map[string]bool{}
	for _, name := range old.tables {
		own[name] = true
	}
	found, err := s.server.QueryContext(ctx, `SELECT CONSTRAINT_SCHEMA = DATABASE(), CONCAT(CONSTRAINT_SCHEMA, '.', TABLE_NAME), TABLE_NAME, CONSTRAINT_NAME, REFERENCED_TABLE_NAME
		FROM information_schema.REFERENTIAL_CONSTRAINTS WHERE UNIQUE_CONSTRAINT_SCHEMA = DATABASE()`)
	if err != nil {
		return fmt.Errorf("%s: reading the foreign keys: %w", s.server.Address, err)
	}
	defer func() { err = errors.Join(err, found.Close()) }()
	var reasons []string
	for found.Next() {
		var here bool
		var full, table, key, refers string
		if err := found.Scan(&here, &full, &table, &key, &refers); err != nil {
			return err
		}
		if own[refers] && !(here && own[table]) {
			reasons = append(reasons, fmt.Sprintf("foreign key %s of table %s refers to %s", key, full, refers))
		}
	}
	if err := found.Err(); err != nil || len(reasons) == 0 {
		return err
	}
	return failure.New(failure.Refused, "%s: replace: tables outside of the site refer to it; drop these first: %s", s.server.Address, some(reasons))
}

func some(names []string) string {
	const most = 5
	if len(names) > most {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
	}
	return strings.Join(names, ", ")
}

// checkRights tries each privilege on a table that does not exist: the server checks
// the privilege first. Grants are not conclusive, as they may come from roles and
// patterns.
func (s *sink) checkRights(ctx context.Context) error {
	table := mysql.Ident(s.cfg.Prefix + mysql.Marker + "_" + rand.Text()[:8])
	var missing []string
	for _, try := range []struct{ right, statement string }{
		{"SELECT", "SELECT 1 FROM " + table},
		{"INSERT", "INSERT INTO " + table + " VALUES (1)"},
		{"ALTER", "ALTER TABLE " + table + " COMMENT ''"},
		{"INDEX", "CREATE INDEX a ON " + table + " (a)"},
		{"DROP", "DROP TABLE " + table},
		{"CREATE", "CREATE TABLE " + table + " LIKE " + table},
	} {
		_, err := s.server.ExecContext(ctx, try.statement)
		switch {
		case mysql.Number(err) == readOnly || mysql.Number(err) == readOnlyMode:
			return failure.New(failure.Refused, "%s: the server is read-only: %w", s.server.Address, err)
		case mysql.Denied(err):
			missing = append(missing, try.right)
		case mysql.Number(err) == 0 && err != nil:
			return fmt.Errorf("%s: checking the privilege %s: %w", s.server.Address, try.right, err)
		}
	}
	if len(missing) > 0 {
		return failure.New(failure.Refused, "%s: the user lacks the privileges %s on the database %s; GRANT them first", s.server.Address, strings.Join(missing, ", "), s.server.Database)
	}
	return nil
}

// The server's errors if it is a replica or read-only.
const (
	readOnly     = 1290
	readOnlyMode = 1836
)
