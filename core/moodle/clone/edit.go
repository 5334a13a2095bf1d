package clone

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/lmsvault/vault/core/moodle/edit"
	"github.com/lmsvault/vault/core/schema"
)

// Options are what an Edit may know of the rows that it changes.
type Options struct {
	// Existing reports whether a row is in config (table "config", key NAME) or in
	// config_plugins (key PLUGIN/NAME). If it is nil, as for rows that are on their way,
	// settings are dropped and added; else they are changed in place.
	Existing func(table, key string) bool
	// AdminIDs are IDs of users who are administrators besides Config.Admins.
	AdminIDs []string
	// Production is the address of the site that was copied, which is recorded in the copy;
	// "" to record nothing.
	Production string
}

// Edit makes the rows of a copy safe. It is an edit.Edit.
type Edit struct {
	measures []Measure
	off      []Measure
	rules    map[string][]owned // by table
	existing func(table, key string) bool

	mu    sync.Mutex
	added map[addedTo]int64
	rows  []counter // by measure
}

type owned struct {
	rule
	measure int
}

type addedTo struct {
	table   string
	measure int
}

type counter struct{ changed, dropped atomic.Int64 }

// New returns an Edit of the measures that are on.
func New(s Config, o Options) (*Edit, error) {
	e := &Edit{rules: map[string][]owned{}, existing: o.Existing, added: map[addedTo]int64{}}
	for _, m := range Measures() {
		if !m.on(&s) {
			e.off = append(e.off, m)
			continue
		}
		rules, err := m.rules(&s, &o)
		if err != nil {
			return nil, err
		}
		e.add(m, rules)
	}
	if o.Production != "" {
		e.add(recording, []rule{record(o.Production)})
	}
	e.rows = make([]counter, len(e.measures))
	return e, nil
}

// add adds a measure.
func (e *Edit) add(m Measure, rules []rule) {
	for _, r := range rules {
		e.rules[r.table] = append(e.rules[r.table], owned{r, len(e.measures)})
	}
	e.measures = append(e.measures, m)
}

// Measures returns the measures that the Edit takes.
func (e *Edit) Measures() []Measure { return e.measures }

// Off returns the measures that are switched off.
func (e *Edit) Off() []Measure { return e.off }

// Table returns what is changed in a table, or nil.
func (e *Edit) Table(_ context.Context, t *schema.Table) (edit.Change, error) {
	c := &change{of: e}
	for i := range e.rules[t.Name] {
		r := &e.rules[t.Name][i]
		b, ok := r.bind(t, &c.columns)
		if !ok {
			continue
		}
		b.measure = r.measure
		if len(r.add) > 0 && (e.existing == nil || !e.existing(t.Name, r.key())) {
			b.replace = true
			row := map[string]edit.Value{}
			for name, text := range r.add {
				row[name] = edit.Value{Text: text}
			}
			c.added = append(c.added, row)
			c.adds = append(c.adds, r.measure)
		}
		c.rules = append(c.rules, b)
	}
	if len(c.rules) == 0 {
		return nil, nil
	}
	e.count(t.Name, c.adds)
	return c, nil
}

// count records which measures add rows to a table.
func (e *Edit) count(table string, measures []int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	numbers := map[int]int64{}
	for _, m := range measures {
		numbers[m]++
	}
	for m, n := range numbers {
		e.added[addedTo{table, m}] = n
	}
}

// Count is what a measure did.
type Count struct {
	Measure
	Changed, Dropped, Added int64 // rows
}

// String describes the measure and what it did: "Mail is off (rows: 1 changed, 2 set)".
func (c Count) String() string {
	var parts []string
	add := func(n int64, done string) {
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, done))
		}
	}
	add(c.Changed, "changed")
	add(c.Dropped, "dropped")
	add(c.Added, "set")
	if parts == nil {
		return c.Title + " (nothing to do)"
	}
	return c.Title + " (rows: " + strings.Join(parts, ", ") + ")"
}

// Counts returns what each measure has done so far. A row that was passed several times,
// because a write was repeated, counts several times.
func (e *Edit) Counts() []Count {
	e.mu.Lock()
	defer e.mu.Unlock()
	counts := make([]Count, len(e.measures))
	for i, m := range e.measures {
		counts[i] = Count{Measure: m, Changed: e.rows[i].changed.Load(), Dropped: e.rows[i].dropped.Load()}
	}
	for to, n := range e.added {
		counts[to.measure].Added += n
	}
	return counts
}

// change is an edit.Change.
type change struct {
	of      *Edit
	columns []int
	rules   []bound
	added   []map[string]edit.Value
	adds    []int // measures of the added rows
}

func (c *change) Columns() []int                 { return c.columns }
func (c *change) Added() []map[string]edit.Value { return c.added }

func (c *change) Row(values []edit.Value) (edit.Verdict, error) {
	verdict := edit.Keep
	for i := range c.rules {
		b := &c.rules[i]
		switch b.apply(values) {
		case edit.Drop:
			if !b.replace {
				c.of.rows[b.measure].dropped.Add(1)
			}
			return edit.Drop, nil
		case edit.Changed:
			c.of.rows[b.measure].changed.Add(1)
			verdict = edit.Changed
		}
	}
	return verdict, nil
}

// Setting is a setting of Moodle itself that a measure sets, even if it is missing.
type Setting struct {
	Name, Value string
	Measure     Measure
}

// Settings lists the settings of Moodle itself that the measures set.
func (e *Edit) Settings() []Setting {
	var all []Setting
	for _, r := range e.rules["config"] {
		if r.add != nil {
			all = append(all, Setting{r.add["name"], r.add["value"], e.measures[r.measure]})
		}
	}
	return all
}
