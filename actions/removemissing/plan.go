package removemissing

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/lmsvault/vault/core/moodle/component"
	"github.com/lmsvault/vault/core/selection"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/dialects/database"
)

// removal is what is removed of one plugin.
type removal struct {
	component string
	tables    []string // in the order in which they are dropped
	uncertain []string // tables that may be the plugin's
	deletions []deletion
	activity  string // name of the activity, "" for another plugin
	removed   []string
}

// deletion deletes rows of a table.
type deletion struct {
	table string
	where string
	args  []any
}

// newRemoval returns the removal of a plugin with tables that seem to be its own.
func newRemoval(plugin string, tables []string) *removal {
	r := &removal{component: plugin, tables: tables}
	if name, ok := strings.CutPrefix(plugin, "mod_"); ok {
		r.activity = name
		// An activity has a table of its name. Without it, tables with the short prefix may
		// belong to somebody else. It is dropped last, as it proves whose the others are.
		if i := slices.Index(tables, name); i >= 0 {
			r.tables = append(slices.Delete(slices.Clone(tables), i, i+1), name)
		} else {
			r.tables = nil
			for _, t := range tables {
				if t == plugin || strings.HasPrefix(t, plugin+"_") {
					r.tables = append(r.tables, t)
				} else {
					r.uncertain = append(r.uncertain, t)
				}
			}
		}
	}
	return r
}

// rows finds which rows of Moodle's tables belong to the plugin.
func (r *removal) rows(ctx context.Context, db *database.Database) error {
	shared := component.Shared(r.component)
	// Rows that are found by others go first.
	slices.SortStableFunc(shared, func(a, b component.SharedRows) int {
		switch {
		case (a.Lookup != nil) == (b.Lookup != nil):
			return 0
		case a.Lookup != nil:
			return -1
		}
		return 1
	})
	for _, s := range shared {
		where, args, err := condition(ctx, db, s)
		if err != nil {
			return err
		}
		if where == "" {
			continue
		}
		if err := r.delete(ctx, db, s.Table, columns(s), where, args...); err != nil {
			return err
		}
	}
	return r.ofType(ctx, db)
}

// delete adds a deletion, if the table has the columns.
func (r *removal) delete(ctx context.Context, db *database.Database, table string, columns []string, where string, args ...any) error {
	there, err := has(ctx, db, table, columns...)
	if err != nil || !there {
		return err
	}
	r.deletions = append(r.deletions, deletion{table, where, args})
	return nil
}

// has reports whether a table exists and has columns; old releases lack some.
func has(ctx context.Context, db *database.Database, table string, columns ...string) (bool, error) {
	t, err := db.Table(ctx, table)
	if err != nil || t == nil {
		return false, err
	}
	return !slices.ContainsFunc(columns, func(name string) bool { return t.Column(name) == nil }), nil
}

// ofType adds what only plugins of some types have.
func (r *removal) ofType(ctx context.Context, db *database.Database) error {
	kind, name, _ := strings.Cut(r.component, "_")
	add := func(table, column, where string) error {
		return r.delete(ctx, db, table, []string{column}, where, name)
	}
	var all [][3]string
	switch kind {
	case "mod":
		all = [][3]string{
			{"grade_grades", "itemid", "itemid IN (SELECT id FROM {grade_items} WHERE itemtype = 'mod' AND itemmodule = ?)"},
			{"grade_items", "itemmodule", "itemtype = 'mod' AND itemmodule = ?"},
			{"event", "modulename", "modulename = ?"},
			{"course_modules", "module", "module IN (SELECT id FROM {modules} WHERE name = ?)"},
			{"modules", "name", "name = ?"},
		}
	case "block":
		all = [][3]string{
			{"block_positions", "blockinstanceid", "blockinstanceid IN (SELECT id FROM {block_instances} WHERE blockname = ?)"},
			{"block_instances", "blockname", "blockname = ?"},
			{"block", "name", "name = ?"},
		}
	case "message":
		all = [][3]string{{"message_processors", "name", "name = ?"}}
	}
	for _, d := range all {
		if err := add(d[0], d[1], d[2]); err != nil {
			return err
		}
	}
	return nil
}

// columns lists the columns of a table that a rule needs.
func columns(s component.SharedRows) []string {
	var all []string
	var add func(c selection.Condition)
	add = func(c selection.Condition) {
		if c.Column != "" {
			all = append(all, c.Column)
		}
		for _, inner := range append(slices.Clone(c.All), c.Any...) {
			add(inner)
		}
	}
	if s.Where != nil {
		add(*s.Where)
	}
	if s.Lookup != nil {
		all = append(all, s.Lookup.Column)
	}
	return all
}

// condition returns a WHERE clause that is met by the rows, "" if there are none.
func condition(ctx context.Context, db *database.Database, s component.SharedRows) (where string, args []any, err error) {
	l := s.Lookup
	if l == nil {
		where, args = written(db, *s.Where)
		return where, args, nil
	}
	if there, err := has(ctx, db, l.From, l.Value); err != nil || !there {
		return "", nil, err
	}
	inner, args := written(db, l.Where)
	if l.Like == "" && l.From != s.Table {
		where = fmt.Sprintf("%s IN (SELECT %s FROM {%s} WHERE %s)", db.Quote(l.Column), db.Quote(l.Value), l.From, inner)
		if s.Where != nil {
			also, more := written(db, *s.Where)
			where, args = where+" AND "+also, append(args, more...)
		}
		return where, args, nil
	}
	found, err := db.Query(ctx, fmt.Sprintf("SELECT DISTINCT %s FROM {%s} WHERE %s", db.Quote(l.Value), l.From, inner), args...)
	if err != nil {
		return "", nil, err
	}
	var values []string
	for _, row := range found {
		values = append(values, row[0].String)
	}
	c, ok := s.Condition(values)
	if !ok {
		return "", nil, nil
	}
	where, args = written(db, c)
	return where, args, nil
}

// written returns a condition as SQL. It compares as Moodle does, by the collation of the
// column.
func written(db *database.Database, c selection.Condition) (where string, args []any) {
	join := func(list []selection.Condition, word string) {
		var parts []string
		for _, inner := range list {
			part, more := written(db, inner)
			parts, args = append(parts, "("+part+")"), append(args, more...)
		}
		where = strings.Join(parts, word)
	}
	switch {
	case c.All != nil:
		join(c.All, " AND ")
	case c.Any != nil:
		join(c.Any, " OR ")
	case c.Null:
		where = db.Quote(c.Column) + " IS NULL"
	case c.Prefix != "":
		where, args = fmt.Sprintf("SUBSTR(%s, 1, %d) = ?", db.Quote(c.Column), len([]rune(c.Prefix))), []any{c.Prefix}
	default:
		for _, v := range c.In {
			args = append(args, v)
		}
		where = db.Quote(c.Column) + " IN (?" + strings.Repeat(", ?", len(c.In)-1) + ")"
	}
	return where, args
}

// finding says what was removed, or would be.
func (r *removal) finding(dry bool) stage.ActionFinding {
	verb := "was removed"
	if dry {
		verb = "would be removed"
	}
	f := finding(pluginID, stage.LevelOK, "%s %s", r.component, verb)
	var lines []string
	for _, t := range r.tables {
		lines = append(lines, "table "+t)
	}
	lines = append(lines, r.removed...)
	for _, t := range r.uncertain {
		lines = append(lines, "left: table "+t+", which may belong to it")
	}
	if text := component.Dangling(r.component); text != "" && r.activity == "" && !strings.HasPrefix(r.component, "block_") {
		lines = append(lines, "left: "+text)
	}
	if len(r.uncertain) > 0 {
		f.Level, f.Remedy = stage.LevelNote, "drop the tables listed as left if they belong to the plugin"
	}
	f.Details = strings.Join(lines, "\n")
	return f
}
