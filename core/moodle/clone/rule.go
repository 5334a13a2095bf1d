package clone

import (
	"slices"

	"github.com/lmsvault/vault/core/moodle/edit"
	"github.com/lmsvault/vault/core/schema"
)

// rule changes rows of one table. A table that lacks one of its columns is skipped.
type rule struct {
	table string
	where []match           // all must hold; none for every row
	drop  bool              // drop the row
	set   []assignment      // else change its values
	add   map[string]string // the row to add where it is missing
}

// match is a condition on a value that is not NULL.
type match struct {
	column string
	holds  func(text string) bool
}

// assignment gives a column a new value.
type assignment struct {
	column string
	value  func(text string, length int) string // length: characters that the column holds, 0 for no limit
	null   bool                                 // also for values that are NULL
}

// is holds for one of the texts.
func is(column string, texts ...string) match {
	return match{column, func(text string) bool { return slices.Contains(texts, text) }}
}

// isNot holds for all other texts.
func isNot(column string, texts ...string) match {
	return match{column, func(text string) bool { return !slices.Contains(texts, text) }}
}

// to sets a constant, also for NULL.
func to(column, text string) assignment {
	return assignment{column, func(string, int) string { return text }, true}
}

// empty removes a text; NULL stays.
func empty(column string) assignment {
	return assignment{column, func(string, int) string { return "" }, false}
}

// by computes a value from the text; NULL stays.
func by(column string, value func(text string) string) assignment {
	return assignment{column, func(text string, _ int) string { return value(text) }, false}
}

func drop(table string, where ...match) rule { return rule{table: table, where: where, drop: true} }

func update(table string, set []assignment, where ...match) rule {
	return rule{table: table, where: where, set: set}
}

// setting sets a setting of Moodle, which may be missing.
func setting(name, value string) rule {
	return rule{
		table: "config", where: []match{is("name", name)}, set: []assignment{to("value", value)},
		add: map[string]string{"name": name, "value": value},
	}
}

// pluginSetting sets a setting of a plugin, which may be missing.
func pluginSetting(plugin, name, value string) rule {
	return rule{
		table: "config_plugins", where: []match{is("plugin", plugin), is("name", name)}, set: []assignment{to("value", value)},
		add: map[string]string{"plugin": plugin, "name": name, "value": value},
	}
}

// changeSetting changes a setting of Moodle that exists.
func changeSetting(name string, value func(text string) string) rule {
	return update("config", []assignment{by("value", value)}, is("name", name))
}

// key identifies the row that the rule adds, see Options.Existing.
func (r *rule) key() string {
	if plugin := r.add["plugin"]; plugin != "" {
		return plugin + "/" + r.add["name"]
	}
	return r.add["name"]
}

// bound is a rule whose columns were found in a table.
type bound struct {
	*rule
	measure int
	where   []int // positions in the values of a row
	set     []int
	lengths []int
	replace bool // the row is dropped, because it is added
}

// bind finds the columns of a rule, which it appends to columns; ok is false if the table
// lacks one.
func (r *rule) bind(t *schema.Table, columns *[]int) (b bound, ok bool) {
	b = bound{rule: r}
	all := slices.Clone(*columns)
	at := func(name string) (position int, found bool) {
		i := slices.IndexFunc(t.Columns, func(c schema.Column) bool { return c.Name == name })
		if i < 0 {
			return 0, false
		}
		if position = slices.Index(all, i); position < 0 {
			position, all = len(all), append(all, i)
		}
		return position, true
	}
	for _, m := range r.where {
		position, found := at(m.column)
		if !found {
			return b, false
		}
		b.where = append(b.where, position)
	}
	for _, a := range r.set {
		position, found := at(a.column)
		if !found {
			return b, false
		}
		b.set, b.lengths = append(b.set, position), append(b.lengths, t.Columns[all[position]].Type.Length)
	}
	for name := range r.add {
		if t.Column(name) == nil {
			return b, false
		}
	}
	if len(all) == 0 { // every row is dropped, but a change must have a column
		if len(t.Columns) == 0 {
			return b, false
		}
		all = append(all, 0)
	}
	*columns = all
	return b, true
}

// apply changes the values of a row.
func (b *bound) apply(values []edit.Value) edit.Verdict {
	for i, m := range b.rule.where {
		if v := values[b.where[i]]; v.Null || !m.holds(v.Text) {
			return edit.Keep
		}
	}
	if b.drop || b.replace {
		return edit.Drop
	}
	verdict := edit.Keep
	for i, a := range b.rule.set {
		v := &values[b.set[i]]
		if v.Null && !a.null {
			continue
		}
		if text := a.value(v.Text, b.lengths[i]); v.Null || text != v.Text {
			*v, verdict = edit.Value{Text: text}, edit.Changed
		}
	}
	return verdict
}
