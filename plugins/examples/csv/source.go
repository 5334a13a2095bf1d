package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/plugins/sdk"
)

// source is the stage.Source. Plan fills files, which does not change afterwards.
type source struct {
	sdk.UnimplementedSource
	settings settings
	files    map[string]file // by table name
}

// file is a file at the time of Plan.
type file struct {
	path  string
	table table
	info  fs.FileInfo
}

// Plan reads the first line of each file. Reads detect whether a file has changed since.
func (s *source) Plan(ctx context.Context, r stage.PlanRequest) (*stage.Inventory, error) {
	if err := sdk.RefuseSelection(r, stage.DB); err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(s.settings.Dir)
	if err != nil {
		return nil, failure.New(failure.Refused, "dir: %w", err)
	}
	s.files = map[string]file{}
	inv := &stage.Inventory{Facts: map[string]string{"engine": "CSV files", "consistency": "files checked for changes during the read"}}
	for _, e := range entries {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		name, ok := strings.CutSuffix(e.Name(), ".csv")
		if !ok || e.IsDir() {
			inv.Notes = append(inv.Notes, stage.Note{Path: stage.DB, Text: e.Name() + " is left out: not a file NAME.csv"})
			continue
		}
		f := file{path: filepath.Join(s.settings.Dir, e.Name())}
		rows, err := s.plan(name, &f)
		if err != nil {
			return nil, failure.New(failure.Refused, "%s: %w", f.path, err)
		}
		s.files[name] = f
		if len(f.table.Columns) == 1 {
			inv.Notes = append(inv.Notes, stage.Note{Path: stage.DB + "/" + name, Text: "the table has one column, so blank lines in the file are not counted as rows"})
		}
		size := f.info.Size()
		inv.Tables = append(inv.Tables, stage.TableInfo{Schema: f.table.Table, Rows: rows, Bytes: size})
		inv.Units = append(inv.Units, stage.Unit{ID: stage.DB + "/" + name, Part: stage.DB, Table: name, Spec: e.Name(), Rows: rows, Bytes: size})
	}
	if len(s.files) == 0 {
		return nil, failure.New(failure.Refused, "%s has no file NAME.csv", s.settings.Dir)
	}
	if err := s.unknown(); err != nil {
		return nil, failure.Wrap(failure.Refused, err)
	}
	return inv, nil
}

// plan reads the header of a file and estimates the number of rows.
func (s *source) plan(name string, f *file) (rows int64, err error) {
	opened, err := os.Open(f.path)
	if err != nil {
		return 0, err
	}
	defer func() { err = and(err, opened.Close()) }()
	if f.info, err = opened.Stat(); err != nil {
		return 0, err
	}
	r, err := newReader(opened)
	if err != nil {
		return 0, err
	}
	if f.table, err = s.settings.table(name, r); err != nil {
		return 0, err
	}
	const sample = 100
	start, n := r.InputOffset(), int64(0)
	for ; n < sample; n++ {
		if _, err := r.Read(); err != nil {
			break // Read will report it with its position
		}
	}
	if read := r.InputOffset() - start; n > 0 && read > 0 {
		return max(n, n*(f.info.Size()-start)/read), nil
	}
	return 0, nil
}

// unknown finds columns in the settings that no file has.
func (s *source) unknown() error {
	for _, c := range s.settings.Integers {
		table, column, _ := strings.Cut(c, ".")
		if f, ok := s.files[table]; !ok || f.table.Column(column) == nil {
			return fmt.Errorf("integers lists %s, but no file has that column", c)
		}
	}
	return nil
}

// ReadRows reads a file.
func (s *source) ReadRows(ctx context.Context, request stage.ReadRequest, w stage.RowWriter) (err error) {
	unit := request.Unit
	f, ok := s.files[unit.Table]
	if !ok {
		return fmt.Errorf("unit %s: no such table in the plan", unit.ID)
	}
	opened, err := os.Open(f.path)
	if err != nil {
		return err
	}
	defer func() { err = and(err, opened.Close()) }()
	r, err := newReader(opened)
	if err != nil {
		return err
	}
	if err := f.read(ctx, r, w); err != nil {
		return err
	}
	now, err := opened.Stat()
	if err != nil {
		return err
	}
	if !os.SameFile(now, f.info) || now.Size() != f.info.Size() || !now.ModTime().Equal(f.info.ModTime()) {
		return fmt.Errorf("%s changed while it was read; run again when nothing writes to it", f.path)
	}
	return nil
}

// and joins two errors. If other is nil it returns err unchanged, because errors of a
// RowWriter must be returned as they are.
func and(err, other error) error {
	if other == nil {
		return err
	}
	return errors.Join(err, other)
}

// Close does nothing: files are only open while they are read.
func (s *source) Close(context.Context) error { return nil }
