package conformance

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/rows"
	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/core/selection"
	"github.com/lmsvault/vault/core/stage"
)

// list is a correct source of two files and a table, except for the named fault.
type list struct {
	*plugged
	born, nth int
	fault     string
	joined    bool
	reading   atomic.Int32
	seen      sync.Map // IDs of units that were read
	selection selection.Selection
	filter    *selection.Filter
}

// Join accepts the session returned by Plan.
func (l *list) Join(_ context.Context, s stage.Session) error {
	if string(s) != "now" && l.fault != "joins anything" {
		return fmt.Errorf("there is no session %q", s)
	}
	l.joined = true
	return nil
}

func (l *list) Plan(ctx context.Context, r stage.PlanRequest) (*stage.Inventory, error) {
	id := "dataroot/u"
	if l.fault == "another ID every time" {
		id = fmt.Sprintf("dataroot/%d", l.nth)
	}
	table := schema.Table{Name: "t", Columns: []schema.Column{{Name: "a", Type: schema.Type{Kind: schema.Int}}, {Name: "b", Type: schema.Type{Kind: schema.Text}}}, PrimaryKey: []string{"a"}}
	inv := &stage.Inventory{Session: stage.Session("now"), Tables: []stage.TableInfo{{Schema: table}}, Units: []stage.Unit{
		{ID: id, Part: stage.Dataroot}, {ID: "db/t#1", Part: stage.DB, Table: "t"}, {ID: "db/t#2", Part: stage.DB, Table: "t"},
	}}
	if l.fault == "ignores the context" {
		return inv, nil
	}
	if err := l.choose(r.Selection, inv); err != nil {
		return nil, err
	}
	return inv, ctx.Err()
}

// choose applies a selection to the plan.
func (l *list) choose(s selection.Selection, inv *stage.Inventory) (err error) {
	switch {
	case l.fault == "ignores the selection":
		return nil
	case l.fault == "fails for a selection" && !s.IsZero():
		return errors.New("what is that?")
	case l.fault == "selects no rows" && len(s.Rows) > 0:
		return failure.New(failure.Refused, "select: rows: the list has no conditions")
	}
	l.selection = s
	if pattern, out := s.ExcludesTable("t"); out {
		inv.Tables, inv.Units = nil, inv.Units[:1]
		inv.Excluded = append(inv.Excluded, selection.Excluded{Path: "db/t", Pattern: pattern})
	} else if l.filter, err = s.Filter(inv.Tables[0].Schema); err != nil {
		return err
	}
	for _, path := range []string{"dataroot/a", "dataroot/b"} {
		if pattern, out := s.ExcludesPath(path); out && l.fault != "excludes silently" {
			inv.Excluded = append(inv.Excluded, selection.Excluded{Path: path, Pattern: pattern})
		}
	}
	return nil
}

// readError returns the error of a read for an error of its writer.
func (l *list) readError(err error) error {
	switch {
	case err != nil && l.fault == "hides the writer's error":
		return fmt.Errorf("open: %v", err)
	case err != nil && l.fault == "":
		return fmt.Errorf("open: %w", err)
	case errors.Is(err, context.Canceled) && l.fault == "hides cancellation":
		return errGone
	}
	return err
}

// call is called before each call of the writer.
func (l *list) call() error {
	if l.life() != l.born {
		return errGone
	}
	return nil
}

func (l *list) ReadRows(ctx context.Context, r stage.ReadRequest, w stage.RowWriter) error {
	return l.one(r.Unit, func() error { return l.rows(ctx, w) })
}

func (l *list) ReadFiles(ctx context.Context, r stage.ReadRequest, w stage.FileWriter) error {
	return l.one(r.Unit, func() error { return l.files(ctx, r.Baseline, w) })
}

// one reads a unit.
func (l *list) one(u stage.Unit, read func() error) error {
	if l.fault == "can be opened once" && l.nth > 2 {
		return nil
	}
	l.reading.Add(1)
	defer l.reading.Add(-1)
	if l.fault == "one unit at a time" {
		if <-time.After(50 * time.Millisecond); l.reading.Load() > 1 { // others begin in that time
			return errors.New("one at a time")
		}
	}
	if l.again(u) && l.fault == "reads a unit once" {
		return nil
	}
	err := read()
	if errors.Is(err, errGone) && l.fault == "accepts partial data" {
		return nil
	}
	return l.readError(err)
}

func (l *list) Count(ctx context.Context, table string) (int64, error) {
	if l.fault == "ignores the context" {
		return 4, nil
	}
	if table != "t" {
		return 0, fmt.Errorf("no table %s", table)
	}
	if l.fault == "counts one too many" {
		return 5, ctx.Err()
	}
	if _, before := l.seen.LoadOrStore("count "+table, true); before && l.fault == "counts a table once" {
		return 0, errors.New("it was counted")
	}
	if l.fault == "counts excluded rows" {
		return 4, ctx.Err()
	}
	c, err := l.chosen(stage.Chunk{Data: []byte("1\tx\n2\t\\N\n"), Rows: 2})
	return 2 * int64(c.Rows), errors.Join(err, ctx.Err())
}

// again reports whether a unit was read before.
func (l *list) again(u stage.Unit) bool {
	_, before := l.seen.LoadOrStore(u.ID, true)
	return before
}

// chosen returns the selected rows of a chunk.
func (l *list) chosen(c stage.Chunk) (stage.Chunk, error) {
	var out stage.Chunk
	for {
		row, rest, ok, err := rows.Next(c.Data)
		if !ok {
			return out, err
		}
		keep, err := l.filter.Keep(row)
		if err != nil {
			return out, err
		}
		if keep {
			out.Data, out.Rows = append(append(out.Data, row...), '\n'), out.Rows+1
		}
		c.Data = rest
	}
}

func (l *list) rows(ctx context.Context, w stage.RowWriter) error {
	c, err := l.chosen(stage.Chunk{Data: []byte("1\tx\n2\t\\N\n"), Rows: 2})
	if err != nil || c.Rows == 0 {
		return err
	}
	switch l.fault {
	case "another snapshot after joining":
		if l.joined {
			c.Data = []byte("1\tx\n2\tlater\n")
		}
	case "a wrong count":
		c.Rows++
	case "a row of too few cells":
		c.Data = []byte("1\n2\n")
	}
	return l.calls(func() error { return w.Write(ctx, c) })
}

func (l *list) files(ctx context.Context, known stage.Baseline, w stage.FileWriter) error {
	for _, name := range []string{"a", "b"} {
		e := stage.Entry{Path: "dataroot/" + name, Kind: stage.File, Fingerprint: name}
		if _, out := l.selection.ExcludesPath(e.Path); out {
			continue
		}
		if l.fault == "an unclean path" {
			e.Path = "dataroot/../" + name
		}
		if l.fault == "an invalid unknown owner" {
			e.Owner.UID = 33
		}
		print, ok := known[e.Path]
		if ok && print == name && l.fault != "ignores the baseline" || ok && print == "" && l.fault == "an empty fingerprint matches" {
			if err := w.Same(ctx, e); err != nil {
				return err
			}
			continue
		}
		d := stage.Digest{Bytes: 1, SHA256: fmt.Sprintf("%x", sha256.Sum256([]byte(name)))}
		if l.fault == "a wrong digest" {
			d.SHA256 = strings.Repeat("0", 64)
		}
		if err := l.calls(func() error { return w.Open(ctx, e) }, func() error { return w.Write(ctx, []byte(name)) }, func() error { return w.Close(ctx, d) }); err != nil {
			return err
		}
	}
	return nil
}

// calls calls the methods of a writer.
func (l *list) calls(calls ...func() error) error {
	for _, call := range calls {
		if err := l.call(); err != nil {
			return err
		}
		if err := call(); err != nil && l.fault != "goes on after an error" {
			return err
		}
	}
	return nil
}

func (l *list) Close(context.Context) error {
	if l.fault == "fails to close" {
		return errors.New("not now")
	}
	return nil
}

func sourceSuite(fault string) []Check {
	process := &plugged{}
	opened := 0
	return SourceChecks(SourceFixture{
		Open: func(testing.TB) stage.Source {
			opened++
			return &list{plugged: process, born: process.life(), nth: opened, fault: fault}
		},
		Parts: []string{stage.DB, stage.Dataroot}, Fingerprints: true, Process: process, effort: little,
	})
}
