package conformance

import (
	"bytes"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/rows"
	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/core/selection"
	"github.com/lmsvault/vault/core/stage"
)

// selection compares a selected part of the site with the same part of a full read.
func (f *SourceFixture) selection(t testing.TB) {
	s, inv := f.planned(t)
	all, _ := ReadUnits(t, s, inv)
	for name, selected := range f.selections(inv, all) {
		s := f.Open(t)
		inv, err := s.Plan(t.Context(), stage.PlanRequest{Pipeline: "conformance", Selection: selected})
		if err != nil {
			if failure.Of(err) != failure.Refused {
				t.Errorf("%s: the plan fails with an error that is not of class failure.Refused: %v", name, err)
			}
			f.close(t, s)
			continue
		}
		f.counted(t, s, inv, name)
		part, _ := ReadUnits(t, s, inv)
		f.selected(t, name, selected, inv, all, part)
	}
}

// selections returns selections that each leave something out.
func (f *SourceFixture) selections(inv *stage.Inventory, all map[string]Item) map[string]selection.Selection {
	list := map[string]selection.Selection{}
	for _, info := range inv.Tables {
		data := dataOf(all[stage.DB+"/"+info.Schema.Name])
		column, value, ok := comparable(info.Schema, data)
		if !ok {
			continue
		}
		name, is := info.Schema.Name, &selection.Condition{Column: column, In: []string{value}}
		either := &selection.Condition{Any: []selection.Condition{*is, {All: []selection.Condition{*is, {Column: column, Null: true}}}}}
		list["without a table"] = selection.Selection{ExcludeTables: []string{name}}
		list["structure only"] = selection.Selection{StructureOnly: []string{name}}
		list["only some rows"] = selection.Selection{Rows: []selection.Rows{{Table: name, Only: is}}}
		list["without some rows"] = selection.Selection{Rows: []selection.Rows{{Table: name, Except: either}}}
		break
	}
	for _, path := range slices.Sorted(maps.Keys(all)) {
		if all[path].Entry.Kind == stage.File {
			list["without a file"] = selection.Selection{ExcludeFiles: []string{path}}
			break
		}
	}
	return list
}

// comparable finds a column that conditions can compare, and its value in the first row.
func comparable(t schema.Table, data []byte) (column, value string, ok bool) {
	row, _, there, err := rows.Next(data)
	if !there || err != nil {
		return "", "", false
	}
	cells := rows.Split(nil, row)
	for i, c := range t.Columns {
		text, err := rows.Unescape(nil, cells[min(i, len(cells)-1)])
		is := &selection.Condition{Column: c.Name, In: []string{string(text)}}
		s := selection.Selection{Rows: []selection.Rows{{Table: t.Name, Only: is}}}
		if err != nil || rows.IsNull(cells[min(i, len(cells)-1)]) || s.Validate() != nil {
			continue
		}
		if _, err := s.Filter(t); err == nil {
			return c.Name, string(text), true
		}
	}
	return "", "", false
}

func dataOf(i Item) []byte {
	var data []byte
	for _, c := range i.Chunks {
		data = append(data, c.Data...)
	}
	return data
}

// selected compares what was read of a part of the site.
func (f *SourceFixture) selected(t testing.TB, name string, s selection.Selection, inv *stage.Inventory, all, part map[string]Item) {
	t.Helper()
	planned := map[string]*schema.Table{}
	for i := range inv.Tables {
		planned[stage.DB+"/"+inv.Tables[i].Schema.Name] = &inv.Tables[i].Schema
	}
	for path, whole := range all {
		table, isTable := strings.CutPrefix(path, stage.DB+"/")
		_, out := s.ExcludesPath(path)
		if isTable {
			_, out = s.ExcludesTable(table)
		}
		got, there := part[path]
		switch {
		case out && (there || planned[path] != nil):
			t.Errorf("%s: %s is read although it is excluded", name, path)
		case out && !slices.ContainsFunc(inv.Excluded, func(x selection.Excluded) bool { return x.Path == path }):
			t.Errorf("%s: the plan does not report that %s is excluded", name, path)
		case out:
		case isTable && planned[path] == nil:
			t.Errorf("%s: %s is missing in the plan although it is selected", name, path)
		case isTable:
			filter, err := s.Filter(*planned[path])
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			if want, got := kept(t, filter, dataOf(whole)), kept(t, nil, dataOf(got)); !slices.Equal(want, got) {
				t.Errorf("%s: %s has %d rows, %d are selected", name, path, len(got), len(want))
			}
		case !there:
			t.Errorf("%s: %s is missing although it is selected", name, path)
		}
	}
}

// kept returns the rows that a filter keeps, sorted.
func kept(t testing.TB, f *selection.Filter, data []byte) []string {
	var list []string
	for _, row := range bytes.SplitAfter(data, []byte{'\n'}) {
		keep, err := f.Keep(bytes.TrimSuffix(row, []byte{'\n'}))
		if err != nil {
			t.Error(err)
		}
		if keep && len(row) > 0 {
			list = append(list, string(row))
		}
	}
	slices.Sort(list)
	return list
}

// counted compares the counts of a part with what is read.
func (f *SourceFixture) counted(t testing.TB, s stage.Source, inv *stage.Inventory, name string) {
	t.Helper()
	counter, ok := s.(stage.Counter)
	if !ok {
		return
	}
	read := map[string]int64{}
	for _, u := range inv.Units {
		if u.Part == stage.DB {
			read[u.Table] += f.readUnit(t, s, inv, u, nil).rows()
		}
	}
	for table, n := range read {
		if counted, err := counter.Count(t.Context(), table); err != nil || counted != -1 && counted != n {
			t.Errorf("%s: table %s: %d rows counted, %d read (%v)", name, table, counted, n, err)
		}
	}
}
