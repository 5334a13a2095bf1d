package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"

	"github.com/lmsvault/vault/core/rows"
	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/plugins/sdk"
)

// transform is the sdk.RecordTransform.
type transform struct {
	sdk.UnimplementedRecordTransform
	settings settings
	log      *slog.Logger

	mu   sync.Mutex
	seen map[string]bool // names of tables
}

// Table does not change the structure, for any target.
func (t *transform) Table(_ context.Context, table schema.Table, _ string) (stage.Mapped, error) {
	t.mu.Lock()
	t.seen[table.Name] = true
	t.mu.Unlock()
	m, ok, err := t.masked(&table)
	if err != nil {
		return stage.Mapped{}, err
	}
	mapped := stage.Mapped{From: table, Schema: table, Rewrite: ok}
	if ok {
		var names []string
		for i, c := range table.Columns {
			if m.length[i] != skip {
				names = append(names, c.Name)
			}
		}
		mapped.Notes = []stage.Note{{Path: stage.DB + "/" + table.Name, Text: "masked: " + strings.Join(names, ", ")}}
	}
	return mapped, nil
}

// Close warns about tables in the settings that were never passed: the name may be
// mistyped, and personal data unmasked. A process that was restarted during a run has seen
// no table and does not warn.
func (t *transform) Close(context.Context) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, named := range t.settings.Columns {
		if table, _, _ := strings.Cut(named, "."); len(t.seen) > 0 && !t.seen[table] {
			t.log.Warn("columns lists " + named + ", but there is no such table; nothing was masked for it")
		}
	}
	return nil
}

// Rows masks values that are neither NULL nor empty.
func (t *transform) Rows(ctx context.Context, mapped stage.Mapped, dst []byte, c stage.Chunk) ([]byte, int, error) {
	m, ok, err := t.masked(&mapped.From)
	if err != nil || ctx.Err() != nil {
		return dst, 0, errors.Join(err, ctx.Err())
	}
	data := c.Data
	if !ok {
		return append(dst, data...), c.Rows, nil
	}
	w := writer{masked: m, masker: newMasker(t.settings.Key.Reveal()), keep: t.settings.Keep}
	dst = slices.Grow(dst, len(data))
	var cells [][]byte
	for n := 0; ; n++ {
		row, rest, ok, err := rows.Next(data)
		if !ok {
			return dst, n, err
		}
		cells = rows.Split(cells, row)
		if dst, err = w.row(dst, cells); err != nil {
			return dst, 0, err
		}
		data = rest
	}
}

// writer writes the rows of one call.
type writer struct {
	masked
	*masker
	keep  []string
	value []byte // a cell without escapes
}

func (w *writer) row(dst []byte, cells [][]byte) ([]byte, error) {
	if len(cells) != len(w.length) {
		return dst, fmt.Errorf("a row has %d columns, its table %d", len(cells), len(w.length))
	}
	kept, err := w.kept(cells)
	if err != nil {
		return dst, err
	}
	for i, cell := range cells {
		if i > 0 {
			dst = append(dst, '\t')
		}
		if w.length[i] == skip || len(cell) == 0 || rows.IsNull(cell) || kept && (i == w.username || i == w.password) {
			dst = append(dst, cell...)
			continue
		}
		if w.value, err = rows.Unescape(w.value[:0], cell); err != nil {
			return dst, fmt.Errorf("column %d: %w", i+1, err)
		}
		dst = w.append(dst, w.value, w.length[i])
	}
	return append(dst, '\n'), nil
}

// kept reports whether the row is of a user whose name and password are not changed.
func (w *writer) kept(cells [][]byte) (bool, error) {
	if w.username == skip {
		return false, nil
	}
	var err error
	w.value, err = rows.Unescape(w.value[:0], cells[w.username])
	return slices.ContainsFunc(w.keep, func(name string) bool { return name == string(w.value) }), err
}
