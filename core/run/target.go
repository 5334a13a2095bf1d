package run

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/rows"
	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/core/stage"
)

// Target is a sink of a job.
type Target struct {
	Name    string // for messages: "mysql", "local"
	Sink    stage.Sink
	Parts   []string // parts it can hold; nil for all
	Dialect string   // of its tables; "" for a sink that takes all dialects
	// Replace and Preserve are passed to the sink with its plan.
	Replace  stage.Replace
	Preserve []string
	// Transforms follow the job's and concern only this target.
	Transforms []stage.RecordTransform
	// Explain adds a remedy to an error of Check or Begin; may be nil.
	Explain func(error) error
	// Room returns an error if what a dry run would have stored does not fit; nil if
	// unknown.
	Room func(context.Context) error

	plan       *stage.Plan
	mappings   map[string]*mapping
	lost       map[lost]bool // reported by the target as lost
	begun      bool          // Begin was called
	open       bool          // Begin succeeded
	proven     bool
	exposed    bool // Expose was called
	published  bool
	publishing bool   // Publish was called
	doubtful   bool   // Publish failed, and whether it took effect is unknown
	ended      string // state after the run failed
	dry        bool   // it discards what is written

	mu    sync.Mutex
	files map[string]held // by part, in committed units
}

// held is how much of a part a target holds.
type held struct{ files, bytes int64 }

func (h *held) add(other held) {
	h.files += other.files
	h.bytes += other.bytes
}

// keep counts files of a part that the target has committed.
func (t *Target) keep(part string, h held) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.files == nil {
		t.files = map[string]held{}
	}
	h.add(t.files[part])
	t.files[part] = h
}

// filesProven returns what a target of files holds, once it has proven it.
func (t *Target) filesProven() (results []FilesResult) {
	if t.keeps() || t.dry {
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, part := range slices.Sorted(maps.Keys(t.files)) {
		h := t.files[part]
		results = append(results, FilesResult{Target: t.Name, Part: part, Files: h.files, Bytes: h.bytes})
	}
	return results
}

// lost identifies what a loss concerns.
type lost struct {
	kind        stage.LossKind
	path, where string
}

func lostBy(l stage.Loss) lost { return lost{l.Kind, l.Path, l.Where} }

func (t *Target) holds(part string) bool { return t.Parts == nil || slices.Contains(t.Parts, part) }

// prepare maps the tables for the target and asks it whether it can hold the plan.
func (t *Target) prepare(ctx context.Context, p *stage.Plan, units []work, transforms []stage.RecordTransform, l *ledger) error {
	own := *p
	own.Tables, own.Parts, own.Files, own.Bytes = nil, nil, 0, 0
	own.Replace, own.Preserve = t.Replace, t.Preserve
	for _, part := range p.Parts {
		if t.holds(part) {
			own.Parts = append(own.Parts, part)
		}
	}
	if own.Parts == nil {
		return failure.New(failure.Refused, "%s: the sources hold only %s, none of which this sink can hold; remove the sink, or read another snapshot", t.Name, strings.Join(p.Parts, ", "))
	}
	for _, u := range units {
		if !t.holds(u.Part) {
			continue
		}
		own.Bytes += u.Bytes
		if u.Part != stage.DB {
			own.Files += u.Rows
		}
	}
	t.mappings = map[string]*mapping{}
	first := map[string]string{} // ID of a table's first unit
	for _, u := range units {
		if _, ok := first[u.Table]; u.Part == stage.DB && !ok {
			first[u.Table] = u.ID
		}
	}
	if t.holds(stage.DB) {
		for _, info := range p.Tables {
			m, losses, notes, err := mapTable(ctx, info.Schema, t.Dialect, transforms)
			if err != nil {
				return fmt.Errorf("%s: %w", t.Name, err)
			}
			l.lose(t, losses...)
			l.note(t, notes...)
			if m.adds = first[info.Schema.Name]; m.adds == "" && m.gets() {
				return fmt.Errorf("%s: table %s: a transform adds rows, but the source planned no unit for the table", t.Name, info.Schema.Name)
			}
			t.mappings[info.Schema.Name] = m
			info.Schema = m.schema
			own.Tables = append(own.Tables, info)
		}
	}
	t.plan = &own
	found, err := t.Sink.Check(ctx, &own)
	if err != nil {
		return t.refusal(err)
	}
	t.lost = map[lost]bool{}
	t.lose(l, found.Losses)
	l.note(t, found.Notes...)
	return nil
}

// refusal adds the remedy to an error about a target that cannot be written.
func (t *Target) refusal(err error) error {
	if t.Explain != nil {
		err = t.Explain(err)
	}
	return fmt.Errorf("%s: %w", t.Name, err)
}

// Rehearse turns the target into one that only checks and discards what is written.
func (t *Target) Rehearse() { t.Sink, t.dry = drySink{t.Sink}, true }

// keeps reports whether the target adds a snapshot to earlier ones, rather than being
// the site itself.
func (t *Target) keeps() bool {
	_, ok := t.Sink.(stage.SnapshotSink)
	return ok
}

// lose counts losses that the target reports and remembers what they concern.
func (t *Target) lose(l *ledger, losses []stage.Loss) {
	l.lose(t, losses...)
	for _, loss := range losses {
		t.lost[lostBy(loss)] = true
	}
}

// kept returns a planned table without what the target reported as lost: indexes, the
// primary key, the sequence.
func (t *Target) kept(s schema.Table) schema.Table {
	gone := func(index string) bool { return t.lost[lostBy(stage.LostIndex(s.Name, index, ""))] }
	s.Indexes = slices.DeleteFunc(slices.Clone(s.Indexes), func(x schema.Index) bool { return gone(x.Name) })
	if gone("") {
		s.PrimaryKey, s.PrimaryKeyIndex = nil, nil
	}
	if s.Sequence != nil && t.lost[lostBy(stage.LostSequence(s.Name, s.Sequence.Column, ""))] {
		s.Sequence = nil
	}
	return s
}

// lostDefault reports whether the target has reported a column's default as lost.
func (t *Target) lostDefault(table, column string) bool {
	return t.lost[lostBy(stage.LostDefault(table, column, ""))]
}

// writeRows begins a unit of rows in the target.
func (t *Target) writeRows(ctx context.Context, u stage.Unit) (stage.RowUnit, error) {
	sink, ok := t.Sink.(stage.RowSink)
	if !ok {
		return nil, errors.New("the sink cannot write rows")
	}
	w, err := sink.WriteRows(ctx, u)
	if err != nil {
		return nil, err
	}
	if m := t.mappings[u.Table]; m != nil && m.rewrite {
		return &mappedUnit{RowUnit: w, m: m, adds: u.ID == m.adds}, nil
	}
	return w, nil
}

// changed returns the number of rows that the transforms dropped and added on the way to
// the target, by table.
func (t *Target) changed() (dropped, added map[string]int64) {
	dropped, added = map[string]int64{}, map[string]int64{}
	for name, m := range t.mappings {
		less, more := m.changed()
		if less > 0 {
			dropped[name] = less
		}
		if more > 0 {
			added[name] = more
		}
	}
	return dropped, added
}

// changeNotes returns notes for each table in which transforms changed, dropped or added
// rows.
func (t *Target) changeNotes() (notes []stage.Note) {
	dropped, added := t.changed()
	for _, name := range slices.Sorted(maps.Keys(t.mappings)) {
		if n := t.mappings[name].edits(); n > 0 {
			notes = append(notes, stage.Note{Path: stage.DB + "/" + name, Text: fmt.Sprintf("%d rows were changed by a transform", n)})
		}
		if n := dropped[name]; n > 0 {
			notes = append(notes, stage.Note{Path: stage.DB + "/" + name, Text: fmt.Sprintf("%d rows were dropped by a transform", n)})
		}
		if n := added[name]; n > 0 {
			notes = append(notes, stage.Note{Path: stage.DB + "/" + name, Text: fmt.Sprintf("%d rows were added by a transform", n)})
		}
	}
	return notes
}

// refused subtracts the rows that the target rejected from what it must prove.
func (t *Target) refused(table string, losses []stage.Loss, expected map[string]*tally) {
	m := t.mappings[table]
	for _, loss := range losses {
		if loss.Row == nil || m == nil {
			continue
		}
		if m.rewrite {
			m.mu.Lock()
			m.sum.Remove(loss.Row)
			m.mu.Unlock()
			continue
		}
		expected[table].refuse(t, loss.Row)
	}
}

// prove has the target read back its tables and compares them with what was sent,
// except for what it reported as lost.
func (t *Target) prove(ctx context.Context, expected map[string]*tally, l *ledger) ([]TableResult, error) {
	found, err := t.Sink.Prove(ctx)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", t.Name, err)
	}
	byName := map[string]stage.TableProof{}
	for _, f := range found {
		byName[f.Schema.Name] = f
		t.lose(l, f.Losses)
	}
	if t.dry {
		l.note(t, stage.Note{Path: t.Name, Text: "dry run: the target was checked; rows and files were read but not sent"})
		return nil, nil
	}
	if t.keeps() {
		return nil, nil
	}
	var results []TableResult
	var faults []error
	for _, info := range t.plan.Tables {
		name := info.Schema.Name
		want := t.mappings[name].sum
		if !t.mappings[name].rewrite {
			want = expected[name].of(t)
		}
		got, ok := byName[name]
		read, _ := expected[name].total()
		changed := t.mappings[name].rewrite && want != expected[name].of(t)
		dropped, added := t.mappings[name].changed()
		result := TableResult{Target: t.Name, Table: name, Rows: want.Rows, Changed: changed, Dropped: dropped, Added: added, Refused: read.Rows - dropped + added - want.Rows, Want: want, Got: got.Sum}
		switch {
		case !ok:
			result.Faults = []string{"missing in the target"}
		case got.Sum != want:
			result.Faults = append(result.Faults, sumFault(want, got.Sum))
			fallthrough
		default:
			faults, unsure := compareTables(t.kept(info.Schema), got.Schema, t.lostDefault)
			result.Faults = append(result.Faults, faults...)
			for _, text := range unsure {
				l.note(t, stage.Note{Path: stage.DB + "/" + name, Text: text})
			}
		}
		for _, fault := range result.Faults {
			faults = append(faults, fmt.Errorf("%s: table %s: %s", t.Name, name, fault))
		}
		results = append(results, result)
	}
	if faults != nil {
		return results, failure.New(failure.Unproven, "the target does not hold what was sent to it:\n%w", errors.Join(faults...))
	}
	return results, nil
}

func sumFault(want, got rows.Sum) string {
	if want.Rows != got.Rows {
		return fmt.Sprintf("%d rows were sent, but the target has %d", want.Rows, got.Rows)
	}
	return fmt.Sprintf("the target has all %d rows, but not all values are as sent (checksums %s and %s)", want.Rows, want, got)
}
