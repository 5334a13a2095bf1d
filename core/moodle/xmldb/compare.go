package xmldb

import (
	"slices"
	"strings"

	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/core/stage"
)

// Definition holds the tables that one component defines.
type Definition struct {
	Component string // core, mod_forum
	Tables    []Table
}

// Database describes the database that is compared.
type Database struct {
	Dialect string // MySQL or Postgres
	Prefix  string // of the site's tables
	Tables  []schema.Table
	Losses  []stage.Loss // what the source reports as not transferable
	// Owner guesses the component of a table that none defines, "" for none. May be nil.
	Owner func(table string) string
	// Pending returns why a component's tables may legitimately differ (not installed
	// yet, an upgrade is due), "" for no reason. May be nil.
	Pending func(component string) string
}

// Compare lists the differences between definitions and a database, by component,
// core first, always in the same order. It ignores the order of columns and the names
// of indexes, and like Moodle accepts integers larger than defined.
func Compare(definitions []Definition, db Database) []Difference {
	c := comparison{Database: db, defined: map[string]string{}}
	actual := map[string]*schema.Table{}
	for i := range db.Tables {
		actual[db.Tables[i].Name] = &db.Tables[i]
	}
	taken := map[string]bool{}
	take := func(name string) bool {
		if taken[name] {
			return false
		}
		taken[name] = true
		return true
	}
	for _, d := range definitions {
		for i := range d.Tables {
			want := &d.Tables[i]
			if _, twice := c.defined[want.Name]; twice {
				continue // it is the first component's
			}
			c.defined[want.Name] = d.Component
			if db.Dialect == MySQL {
				clear(taken) // names of indexes are unique in their table only
			}
			c.component = d.Component
			c.table(want.On(db.Dialect, db.Prefix, take), actual[want.Name])
		}
	}
	for i := range db.Tables {
		t := &db.Tables[i]
		if _, known := c.defined[t.Name]; !known {
			c.component = c.owner(t.Name)
			c.add(Difference{Kind: ExtraTable, Table: t.Name, Severity: Included, EngineOwn: engineOwn(t)})
		}
	}
	c.losses()
	order(c.found)
	return c.found
}

// comparison is the state of one Compare.
type comparison struct {
	Database
	component string            // whose tables are compared
	defined   map[string]string // the component by table
	found     []Difference
}

func (c *comparison) add(d Difference) {
	d.Component = c.component
	if c.Pending != nil && d.Component != "" && d.Reason == "" {
		d.Reason = c.Pending(d.Component)
	}
	c.found = append(c.found, d)
}

func (c *comparison) owner(table string) string {
	if component, ok := c.defined[table]; ok {
		return component
	}
	if c.Owner == nil {
		return ""
	}
	return c.Owner(table)
}

// engineOwn reports whether a table has a property that only its engine supports.
func engineOwn(t *schema.Table) bool {
	return slices.ContainsFunc(t.Columns, func(c schema.Column) bool { return c.Type.Kind == schema.Other }) ||
		slices.ContainsFunc(t.Indexes, func(x schema.Index) bool { return x.EngineOwn() })
}

// table compares a table with its definition; got is nil if it is missing.
func (c *comparison) table(want schema.Table, got *schema.Table) {
	if got == nil {
		c.add(Difference{Kind: MissingTable, Severity: Noted, Table: want.Name})
		return
	}
	if !slices.Equal(want.PrimaryKey, got.PrimaryKey) {
		c.add(Difference{
			Kind: ChangedTable, Severity: Included, Table: want.Name, Aspect: AspectKey,
			Want: strings.Join(want.PrimaryKey, ", "), Got: strings.Join(got.PrimaryKey, ", "),
		})
	}
	if a, b := sequence(&want), sequence(got); a != b {
		c.add(Difference{Kind: ChangedTable, Severity: Included, Table: want.Name, Aspect: AspectSequence, Want: a, Got: b})
	}
	for i := range want.Columns {
		w := &want.Columns[i]
		if g := got.Column(w.Name); g != nil {
			c.column(&want, w, g)
		} else if !c.lost(want.Name, w.Name) {
			c.add(Difference{Kind: MissingColumn, Severity: Noted, Table: want.Name, Column: w.Name, Want: w.Native})
		}
	}
	for i := range got.Columns {
		g := &got.Columns[i]
		if want.Column(g.Name) == nil {
			c.add(Difference{
				Kind: ExtraColumn, Severity: Included, Table: want.Name, Column: g.Name, Got: native(g), EngineOwn: g.Type.Kind == schema.Other,
			})
		}
	}
	for _, w := range want.Indexes {
		if !slices.ContainsFunc(got.Indexes, w.SameAs) {
			c.add(Difference{Kind: MissingIndex, Severity: Noted, Table: want.Name, Index: w.Name, Columns: indexed(&w)})
		}
	}
	for _, g := range got.Indexes {
		if !slices.ContainsFunc(want.Indexes, g.SameAs) {
			c.add(Difference{
				Kind: ExtraIndex, Severity: Included, Table: want.Name, Index: g.Name, Columns: indexed(&g), Got: g.Native,
				EngineOwn: g.EngineOwn(),
			})
		}
	}
}

func sequence(t *schema.Table) string {
	if t.Sequence == nil {
		return ""
	}
	return "on " + t.Sequence.Column
}

// indexed describes the columns of an index.
func indexed(x *schema.Index) []string {
	var all []string
	for _, c := range x.Columns {
		name := c.Name
		if c.TextSearch != "" {
			name = "words of " + name
		}
		if c.Operators != "" {
			name += " " + c.Operators
		}
		all = append(all, name)
	}
	return all
}

// lost reports whether a column exists, and the source can't transfer it.
func (c *comparison) lost(table, column string) bool {
	return slices.ContainsFunc(c.Losses, func(l stage.Loss) bool {
		return l.Kind == stage.LossColumn && l.Path == stage.DB+"/"+table && strings.TrimPrefix(l.Where, "column ") == column
	})
}

// losses adds what the source reports as not transferable.
func (c *comparison) losses() {
	for _, l := range c.Losses {
		table, ok := strings.CutPrefix(l.Path, stage.DB+"/")
		if !ok {
			continue
		}
		c.component = c.owner(table)
		d := Difference{Kind: Lost, Severity: Fails, Table: table, Got: l.Where, Reason: l.Reason}
		if d.Got == "" {
			d.Got = string(l.Kind)
		}
		c.add(d)
	}
}
