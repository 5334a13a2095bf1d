package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	dialect "github.com/lmsvault/vault/dialects/sqlite"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/core/stage"
)

// partial is what the name of a file ends with that is not complete.
const partial = ".vault-partial"

// Check looks at the place and at the tables, and changes nothing.
func (s *Sink) Check(ctx context.Context, p *stage.Plan) ([]stage.Loss, []stage.Note, error) {
	if ctx.Err() != nil {
		return nil, nil, ctx.Err()
	}
	if err := s.place(ctx); err != nil {
		return nil, nil, err
	}
	c := &check{sink: s}
	if _, err := os.Lstat(s.config.Path + partial); err == nil {
		c.note("", "%s was left by a run that did not end well; it is written anew", s.config.Path+partial)
	}
	names := map[string]string{}
	for i := range p.Tables {
		if err := c.table(&p.Tables[i].Schema, names); err != nil {
			return nil, nil, failure.Wrap(failure.Refused, err)
		}
	}
	return c.losses, c.notes, nil
}

// place checks that the file may be written.
func (s *Sink) place(ctx context.Context) error {
	dir := filepath.Dir(s.config.Path)
	probe, err := os.CreateTemp(dir, ".vault-check-*")
	if err != nil {
		return failure.New(failure.Refused, "can't write in the folder %s: %w", dir, err)
	}
	if err := errors.Join(probe.Close(), os.Remove(probe.Name())); err != nil {
		return failure.New(failure.Refused, "can't write in the folder %s: %w", dir, err)
	}
	info, err := os.Stat(s.config.Path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return failure.Wrap(failure.Refused, err)
	case !info.Mode().IsRegular():
		return failure.New(failure.Refused, "%s is not a file; set path to another name", s.config.Path)
	}
	conn, err := dialect.Open(ctx, s.config.Path, dialect.ReadOnly)
	if err != nil {
		return failure.New(failure.Refused, "%w; it is not touched: set path to another name", err)
	}
	found, err := conn.Inspect(ctx, s.config.Prefix)
	if err := errors.Join(err, conn.Close()); err != nil {
		return failure.Wrap(failure.Refused, err)
	}
	switch {
	case len(found.Others) > 0:
		return failure.New(failure.Refused, "%s holds tables that don't begin with %q (%s …) and would be lost; set path to another name",
			s.config.Path, s.config.Prefix, found.Others[0])
	case len(found.Tables) > 0 && !s.config.Replace:
		return failure.New(failure.Refused, "%s holds a site of %d tables; set replace: true to replace it", s.config.Path, len(found.Tables))
	}
	return nil
}

// check gathers what SQLite can't hold.
type check struct {
	sink   *Sink
	losses []stage.Loss
	notes  []stage.Note
}

func (c *check) note(table, format string, args ...any) {
	path := stage.DB
	if table != "" {
		path += "/" + table
	}
	c.notes = append(c.notes, stage.Note{Path: path, Text: fmt.Sprintf(format, args...)})
}

func (c *check) table(t *schema.Table, names map[string]string) error {
	full := c.sink.config.Prefix + t.Name
	if twin, ok := names[strings.ToLower(full)]; ok {
		return fmt.Errorf("tables %s and %s differ only in capitals, which SQLite takes for the same", twin, full)
	}
	names[strings.ToLower(full)] = full
	if strings.HasPrefix(strings.ToLower(full), "sqlite_") {
		return fmt.Errorf("table %s: SQLite keeps names with sqlite_ for itself; set another prefix", full)
	}
	columns := map[string]string{}
	for i := range t.Columns {
		column := &t.Columns[i]
		if twin, ok := columns[strings.ToLower(column.Name)]; ok {
			return fmt.Errorf("table %s: columns %s and %s differ only in capitals, which SQLite takes for the same", full, twin, column.Name)
		}
		columns[strings.ToLower(column.Name)] = column.Name
		if !dialect.HoldsDefault(t, column) {
			c.losses = append(c.losses, stage.Loss{Kind: stage.LossDefault, Path: stage.DB + "/" + t.Name, Where: "column " + column.Name,
				Reason: fmt.Sprintf("SQLite can't have the default %q", column.Default.Value), Count: 1})
		}
		if column.Type.Kind == schema.Other {
			c.note(t.Name, "column %s, of a type that only its engine has, is held as text", column.Name)
		}
		if t.Dialect == dialect.Dialect && column.Collation != "" && !dialect.KnownCollation(column.Collation) {
			c.note(t.Name, "column %s is compared byte by byte: its collation %s is not SQLite's own", column.Name, column.Collation)
		}
	}
	for i := range t.Indexes {
		if _, err := dialect.CreateIndex(t, full, &t.Indexes[i], "x"); err != nil {
			c.losses = append(c.losses, stage.LostIndex(t.Name, t.Indexes[i].Name, err.Error()))
		}
	}
	if t.Sequence != nil && !dialect.RowidKey(t) {
		c.losses = append(c.losses, stage.LostSequence(t.Name, t.Sequence.Column, "SQLite numbers only a primary key of one integer"))
	}
	return nil
}
