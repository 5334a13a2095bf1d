package sqlite_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/internal/machine"
	sink "github.com/lmsvault/vault/sinks/sqlite"
)

// small creates a file system of one MiB with a database on it.
func small(t *testing.T) (dir, path string, old []byte) {
	t.Helper()
	dir = machine.Tmpfs(t, "1m")
	path = filepath.Join(dir, "site")
	carry(t, &given{
		tables: []schema.Table{{Name: "x", Columns: []schema.Column{column("t", schema.Text, 0)}}}, rows: map[string]string{"x": "old\n"},
	}, sink.New(sink.Config{Path: path}))
	old, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return dir, path, old
}

// A full disk ends the run with a clear error, whether it occurs while writing rows
// or at the end, and the database to be replaced stays.
func TestFullDisk(t *testing.T) {
	table := schema.Table{Name: "x", Columns: []schema.Column{column("t", schema.Text, 0)}}
	for name, chunks := range map[string]int{"at the end": 2, "while writing": 40} {
		t.Run(name, func(t *testing.T) {
			dir, path, old := small(t)
			to := sink.New(sink.Config{Path: path})
			plan := &stage.Plan{Replace: stage.ReplaceSwap, Tables: []stage.TableInfo{{Schema: table}}}
			if _, err := to.Check(t.Context(), plan); err != nil {
				t.Fatal(err)
			}
			err := load(t, to, plan, chunks)
			if err == nil || !strings.Contains(err.Error(), "the file system of "+path+" is full; free some space") {
				t.Errorf("ended with %v", err)
			}
			if err := to.Abort(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := to.Close(t.Context()); err != nil {
				t.Fatal(err)
			}
			if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
				t.Errorf("left: %v, %v", left, err)
			}
			if now, err := os.ReadFile(path); err != nil || !bytes.Equal(now, old) {
				t.Errorf("the old database was touched, %v", err)
			}
		})
	}
}

// load writes chunks of half a MiB until an error occurs.
func load(t *testing.T, to stage.RowSink, plan *stage.Plan, chunks int) error {
	t.Helper()
	if err := to.Begin(t.Context(), plan); err != nil {
		return err
	}
	w, err := to.WriteRows(t.Context(), stage.Unit{ID: "u", Part: stage.DB, Table: "x"})
	if err != nil {
		return err
	}
	for range chunks {
		if err := w.Write(t.Context(), stage.Chunk{Data: []byte(strings.Repeat(strings.Repeat("x", 1023)+"\n", 512)), Rows: 512}); err != nil {
			if err := w.Abort(t.Context()); err != nil {
				t.Fatal(err)
			}
			return err
		}
	}
	if _, err := w.Commit(t.Context()); err != nil {
		return err
	}
	return to.Finish(t.Context(), &stage.Outcome{})
}

// Tables that do not fit are refused beforehand; parts of the plan for other sinks do
// not count.
func TestTooLittleSpaceIsRefused(t *testing.T) {
	_, path, _ := small(t)
	check := func(tables, all int64) error {
		_, err := sink.New(sink.Config{Path: path}).Check(t.Context(), &stage.Plan{Replace: stage.ReplaceSwap, Bytes: all, Tables: []stage.TableInfo{
			{Schema: schema.Table{Name: "x", Columns: []schema.Column{column("t", schema.Text, 0)}}, Bytes: tables},
		}})
		return err
	}
	if err := check(1_100_000, 1_100_000); failure.Of(err) != failure.Refused || !strings.Contains(err.Error(), "the tables need about 1.0 MiB; free some space") {
		t.Errorf("tables that are too large: %v", err)
	}
	if err := check(500_000, 1<<40); err != nil {
		t.Errorf("tables that fit, beside many files: %v", err)
	}
}
