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

// source is the stage.Source. Plan fills files, and nothing changes afterwards.
type source struct {
	sdk.UnimplementedSource
	settings settings
	files    map[string]file // by table
}

// file is a file as Plan saw it.
type file struct {
	path  string
	table table
	info  fs.FileInfo
}

// Plan reads the first line of each file. Reads find out whether one has changed since.
func (s *source) Plan(ctx context.Context, r stage.PlanRequest) (*stage.Inventory, error) {
	if err := sdk.RefuseSelection(r, stage.DB); err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(s.settings.Dir)
	if err != nil {
		return nil, failure.New(failure.Refused, "dir: %w", err)
	}
	s.files = map[string]file{}
	inv := &stage.Inventory{Facts: map[string]string{"engine": "CSV files", "consistency": "files that don't change while they are read"}}
	for _, e := range entries {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		name, ok := strings.CutSuffix(e.Name(), ".csv")
		if !ok || e.IsDir() {
			inv.Notes = append(inv.Notes, stage.Note{Path: stage.DB, Text: e.Name() + " is left out: it is no file NAME.csv"})
			continue
		}
		f := file{path: filepath.Join(s.settings.Dir, e.Name())}
		rows, err := s.plan(name, &f)
		if err != nil {
			return nil, failure.New(failure.Refused, "%s: %w", f.path, err)
		}
		s.files[name] = f
		if len(f.table.Columns) == 1 {
			inv.Notes = append(inv.Notes, stage.Note{Path: stage.DB + "/" + name, Text: "the table has one column: blank lines of the file count as no rows"})
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

// plan reads what a file is, and estimates its rows.
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
			break // Read finds it again, and says where
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
			return fmt.Errorf("integers names %s, and no file has that column", c)
		}
	}
	return nil
}

// ReadRows reads a file.
func (s *source) ReadRows(ctx context.Context, request stage.ReadRequest, w stage.RowWriter) (err error) {
	unit := request.Unit
	f, ok := s.files[unit.Table]
	if !ok {
		return fmt.Errorf("unit %s: the plan has no such table", unit.ID)
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
		return fmt.Errorf("%s was changed while it was read: start again when nobody writes it", f.path)
	}
	return nil
}

// and adds an error to another, which stays what it was if there is none: errors
// of a RowWriter must come back as they are.
func and(err, other error) error {
	if other == nil {
		return err
	}
	return errors.Join(err, other)
}

// Close has nothing to end: files are open no longer than they are read.
func (s *source) Close(context.Context) error { return nil }
