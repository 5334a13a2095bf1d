package moodle

import (
	"slices"

	"github.com/lmsvault/vault/core/schema"
)

// engineIndex describes indexes that Moodle creates differently on each engine.
type engineIndex struct {
	table string
	// columns distinguish Moodle's table from another one with the same name.
	columns map[string]schema.Kind
	// beside lists the columns of an ordinary index that must exist as well.
	beside []string
	// indexes by dialect, named without the site's prefix. A dialect that is missing
	// has none.
	indexes map[string][]schema.Index
}

// engineIndexes lists those of search_simpledb
// (search/engine/simpledb/db/install.php) and of the hint varchar_pattern_ops in
// lib/db/install.xml.
var engineIndexes = []engineIndex{
	{
		table: "search_simpledb_index",
		columns: map[string]schema.Kind{
			"docid": schema.Char, "areaid": schema.Char, "contextid": schema.Int,
			"title": schema.Text, "content": schema.Text, "description1": schema.Text, "description2": schema.Text,
		},
		indexes: map[string][]schema.Index{
			"mysql": {{
				Name: "search_simpledb_index_index", Method: "FULLTEXT",
				Columns: []schema.IndexColumn{{Name: "title"}, {Name: "content"}, {Name: "description1"}, {Name: "description2"}},
			}},
			"postgres": {
				words("search_simpledb_title", "title"),
				words("search_simpledb_content", "content"),
				words("search_simpledb_description1", "description1"),
				words("search_simpledb_description2", "description2"),
			},
		},
	},
	{
		table: "context",
		columns: map[string]schema.Kind{
			"contextlevel": schema.Int, "instanceid": schema.Int, "path": schema.Char, "depth": schema.Int,
		},
		beside: []string{"path"},
		indexes: map[string][]schema.Index{
			"postgres": {{Name: "cont_pat_ix" + patternSuffix, Columns: []schema.IndexColumn{{Name: "path", Operators: "varchar_pattern_ops"}}}},
		},
	},
}

func words(name, column string) schema.Index {
	return schema.Index{Name: name, Method: "gin", Columns: []schema.IndexColumn{{Name: column, TextSearch: "simple"}}}
}

// Replacement says which indexes replace the engine-specific indexes of a Moodle
// table.
type Replacement struct {
	From []schema.Index // of the table, dropped in the target
	To   []schema.Index // in the target, named without the site's prefix
}

// EngineIndexes returns the indexes that Moodle creates differently on the table's
// engine and on the target's. It leaves a table alone that lacks any of the indexes
// Moodle creates on its engine, or that has another structure.
func EngineIndexes(t *schema.Table, target string) []Replacement {
	var all []Replacement
	for _, e := range engineIndexes {
		if !e.of(t) {
			continue
		}
		r := Replacement{To: e.indexes[target]}
		own := e.indexes[t.Dialect]
		for _, x := range t.Indexes {
			if slices.ContainsFunc(own, x.SameAs) {
				r.From = append(r.From, x)
			}
		}
		if len(r.From) < len(own) || len(r.From)+len(r.To) == 0 {
			continue
		}
		all = append(all, r)
	}
	return all
}

// of reports whether t is the table that Moodle creates.
func (e *engineIndex) of(t *schema.Table) bool {
	if t.Name != e.table {
		return false
	}
	for name, kind := range e.columns {
		if c := t.Column(name); c == nil || c.Type.Kind != kind {
			return false
		}
	}
	return e.beside == nil || slices.ContainsFunc(t.Indexes, func(x schema.Index) bool {
		return x.SameAs(plain(e.beside))
	})
}

func plain(columns []string) schema.Index {
	var x schema.Index
	for _, name := range columns {
		x.Columns = append(x.Columns, schema.IndexColumn{Name: name})
	}
	return x
}
