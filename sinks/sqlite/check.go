package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	dialect "github.com/lmsvault/vault/dialects/sqlite"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/core/stage"
)

// partial is the suffix of an incomplete file.
const partial = ".vault-partial"

// Check checks the location and the tables, and changes nothing.
func (s *Sink) Check(ctx context.Context, p *stage.Plan) (stage.Findings, error) {
	if ctx.Err() != nil {
		return stage.Findings{}, ctx.Err()
	}
	if err := free(s.config.Path + partial); err != nil {
		return stage.Findings{}, failure.Wrap(failure.Refused, err)
	}
	replaced, err := s.file(ctx, p)
	if err != nil {
		return stage.Findings{}, err
	}
	if err := s.room(p); err != nil {
		return stage.Findings{}, err
	}
	probe, err := dialect.Open(ctx, s.config.Path, dialect.Memory)
	if err != nil {
		return stage.Findings{}, err
	}
	s.unbuilt = map[index]bool{}
	c := &check{sink: s, probe: probe, names: map[string]string{}}
	if replaced > 0 {
		c.note("", "replace: %s and its tables (%d) will be replaced", s.config.Path, replaced)
	}
	if _, err := os.Lstat(s.config.Path + partial); err == nil {
		c.note("", "%s was left by an interrupted run; it is overwritten", s.config.Path+partial)
	}
	if err := errors.Join(c.tables(ctx, p.Tables), probe.Close()); err != nil {
		return stage.Findings{}, failure.Wrap(failure.Refused, err)
	}
	return stage.Findings{Losses: c.losses, Notes: c.notes}, nil
}

// check collects what SQLite cannot hold. It asks SQLite itself: the tables are
// created in memory, without rows.
type check struct {
	sink   *Sink
	probe  *dialect.Conn
	names  map[string]string // of tables, by lower-case name
	losses []stage.Loss
	notes  []stage.Note
}

func (c *check) tables(ctx context.Context, list []stage.TableInfo) error {
	for i := range list {
		if err := c.table(ctx, &list[i].Schema); err != nil {
			return err
		}
	}
	return nil
}

func (c *check) note(table, format string, args ...any) {
	path := stage.DB
	if table != "" {
		path += "/" + table
	}
	c.notes = append(c.notes, stage.Note{Path: path, Text: fmt.Sprintf(format, args...)})
}

func (c *check) table(ctx context.Context, t *schema.Table) error {
	full := c.sink.config.Prefix + t.Name
	if len(t.Columns) == 0 {
		return fmt.Errorf("table %s has no columns, which SQLite does not support; exclude it", full)
	}
	if twin, ok := c.names[strings.ToLower(full)]; ok {
		return fmt.Errorf("tables %s and %s differ only in case, which SQLite ignores", twin, full)
	}
	c.names[strings.ToLower(full)] = full
	if strings.HasPrefix(strings.ToLower(full), "sqlite_") {
		return fmt.Errorf("table %s: SQLite reserves names that begin with sqlite_; set another prefix", full)
	}
	columns := map[string]string{}
	for i := range t.Columns {
		column := &t.Columns[i]
		if twin, ok := columns[strings.ToLower(column.Name)]; ok {
			return fmt.Errorf("table %s: columns %s and %s differ only in case, which SQLite ignores", full, twin, column.Name)
		}
		columns[strings.ToLower(column.Name)] = column.Name
		if err := dialect.RefuseDefault(t, column); err != nil {
			c.losses = append(c.losses, stage.LostDefault(t.Name, column.Name,
				fmt.Sprintf("SQLite cannot have the default %.100q: %v", column.Default.Value, err)))
		}
		if column.Type.Kind == schema.Other {
			c.note(t.Name, "column %s has a type that exists only in its engine; it is stored as text", column.Name)
		}
		if t.Dialect == dialect.Dialect && column.Collation != "" && !dialect.KnownCollation(column.Collation) {
			c.note(t.Name, "column %s is compared byte by byte, because SQLite does not have its collation %s", column.Name, column.Collation)
		}
	}
	create, err := dialect.CreateTable(t, full)
	if err != nil {
		return fmt.Errorf("%w; exclude it", err)
	}
	if err := c.probe.Exec(ctx, create); err != nil {
		return fmt.Errorf("table %q: SQLite cannot create it: %w; exclude it", full, err)
	}
	for i := range t.Indexes {
		x := &t.Indexes[i]
		sql, err := dialect.CreateIndex(t, full, x, fmt.Sprintf("vault check %s %d", full, i))
		if err == nil {
			err = c.probe.Exec(ctx, sql)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			c.sink.unbuilt[index{t.Name, x.Name}] = true
			c.losses = append(c.losses, stage.LostIndex(t.Name, x.Name, err.Error()))
		}
	}
	if t.Sequence != nil && !dialect.RowidKey(t) {
		c.losses = append(c.losses, stage.LostSequence(t.Name, t.Sequence.Column, "SQLite supports sequences only for a single-integer primary key"))
	}
	return nil
}
