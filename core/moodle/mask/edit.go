package mask

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/moodle/edit"
	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/core/stage"
)

// Edit masks rows. It is an edit.Edit and safe for concurrent use.
type Edit struct {
	settings Settings
	masker   *masker
}

// New returns an Edit. The settings must be valid.
func New(s Settings) *Edit {
	return &Edit{settings: s, masker: newMasker(s.Key.Reveal(), s.Keep)}
}

// Prepare refuses columns in the settings that the site does not have.
func (e *Edit) Prepare(_ context.Context, p *stage.Plan) (stage.Findings, error) {
	for _, name := range slices.Sorted(maps.Keys(e.settings.Columns)) {
		table, column, _ := strings.Cut(name, ".")
		i := slices.IndexFunc(p.Tables, func(t stage.TableInfo) bool { return t.Schema.Name == table })
		if i < 0 {
			return stage.Findings{}, failure.New(failure.Refused, "mask: columns lists %s, but no such table is read", name)
		}
		if p.Tables[i].Schema.Column(column) == nil {
			return stage.Findings{}, failure.New(failure.Refused, "mask: columns lists %s, but the table has the columns %s", name, strings.Join(p.Tables[i].Schema.ColumnNames(), ", "))
		}
	}
	return stage.Findings{}, nil
}

// Masked describes for a note what is masked in a table; "" for nothing.
func (e *Edit) Masked(t *schema.Table) (string, error) {
	c, err := e.change(t)
	if c == nil || err != nil {
		return "", err
	}
	var texts, names []string
	for _, m := range c.masks {
		names = append(names, t.Columns[c.columns[m.at]].Name)
	}
	if len(names) > 0 {
		texts = append(texts, "masked: "+strings.Join(names, ", "))
	}
	for _, d := range c.drops {
		text := "all rows are dropped"
		if len(d) > 0 {
			text = "rows of users are dropped"
		}
		texts = append(texts, text)
	}
	return strings.Join(texts, "; "), nil
}

// Table returns what is changed in a table, or nil.
func (e *Edit) Table(_ context.Context, t *schema.Table) (edit.Change, error) {
	c, err := e.change(t)
	if c == nil || err != nil {
		return nil, err
	}
	return c, nil
}

// change is an edit.Change.
type change struct {
	masker     *masker
	columns    []int
	masks      []masked
	drops      [][]condition
	username   int        // position of user.username in values, else -1
	preference *condition // nil, or which preferences are masked
}

// masked is a value to mask.
type masked struct {
	at     int // position in values
	kind   Kind
	length int
}

type condition struct {
	at   int
	text []string
}

func (c condition) holds(values []edit.Value) bool {
	return !values[c.at].Null && slices.Contains(c.text, values[c.at].Text)
}

// use returns the position in values of a column, -1 if the table has none of the name.
func (c *change) use(t *schema.Table, name string) int {
	i := slices.IndexFunc(t.Columns, func(c schema.Column) bool { return c.Name == name })
	if i < 0 {
		return -1
	}
	if at := slices.Index(c.columns, i); at >= 0 {
		return at
	}
	c.columns = append(c.columns, i)
	return len(c.columns) - 1
}

// change returns what is changed in a table, or nil.
func (e *Edit) change(t *schema.Table) (*change, error) {
	c := &change{masker: e.masker, username: -1}
	for i := range t.Columns {
		column := &t.Columns[i]
		kind, own := e.kind(t.Name, column)
		if kind == "" {
			continue
		}
		isText := column.Type.Kind == schema.Char || column.Type.Kind == schema.Text
		switch {
		case kind == picture && column.Type.Kind == schema.Int:
		case !isText && own:
			return nil, failure.New(failure.Refused, "mask: column %s.%s is %s, but only text can be masked", t.Name, column.Name, column.Type.Kind)
		case !isText:
			continue
		case column.Type.Length > 0 && column.Type.Length < kind.least():
			return nil, failure.New(failure.Refused, "mask: column %s.%s holds %d characters, but a mask of this kind needs %d; choose another kind in columns", t.Name, column.Name, column.Type.Length, kind.least())
		}
		length := 0
		if column.Type.Kind == schema.Char {
			length = column.Type.Length
		}
		c.masks = append(c.masks, masked{c.use(t, column.Name), kind, length})
	}
	if t.Name == "user" && len(c.masks) > 0 {
		c.username = c.use(t, "username")
	}
	if t.Name == "user_preferences" && e.settings.Emails && t.Column("name") != nil && t.Column("value") != nil {
		c.preference = &condition{c.use(t, "name"), preferences}
		c.masks = append(c.masks, masked{c.use(t, "value"), Email, 0})
	}
	e.drops(c, t)
	if len(c.columns) == 0 {
		return nil, nil
	}
	return c, nil
}

// drops adds the conditions of rows to drop.
func (e *Edit) drops(c *change, t *schema.Table) {
	for _, d := range dropped {
		if d.table != t.Name || !d.on(&e.settings) || len(t.Columns) == 0 {
			continue
		}
		all := []condition{}
		for _, w := range d.where {
			if t.Column(w[0]) == nil {
				return
			}
			all = append(all, condition{c.use(t, w[0]), []string{w[1]}})
		}
		c.use(t, t.Columns[0].Name) // a change has a column
		c.drops = append(c.drops, all)
	}
}

// kind returns the kind of a column, "" for one that is not masked, and whether the
// settings name it.
func (e *Edit) kind(table string, c *schema.Column) (kind Kind, own bool) {
	if kind, ok := e.settings.Columns[table+"."+c.Name]; ok {
		return Kind(kind), true
	}
	for i := range rules {
		r := &rules[i]
		if r.column != c.Name || r.table != "" && r.table != table {
			continue
		}
		if !r.on(&e.settings) {
			return "", false
		}
		return r.kind, false
	}
	return "", false
}

func (c *change) Columns() []int                 { return c.columns }
func (c *change) Added() []map[string]edit.Value { return nil }

func (c *change) Row(values []edit.Value) (edit.Verdict, error) {
	for _, all := range c.drops {
		if !slices.ContainsFunc(all, func(one condition) bool { return !one.holds(values) }) {
			return edit.Drop, nil
		}
	}
	if c.username >= 0 && !values[c.username].Null && slices.Contains(c.masker.keep, values[c.username].Text) {
		return edit.Keep, nil
	}
	if c.preference != nil && !c.preference.holds(values) {
		return edit.Keep, nil
	}
	verdict := edit.Keep
	for _, m := range c.masks {
		v := &values[m.at]
		if v.Null {
			continue
		}
		text := c.masker.mask(m.kind, v.Text, m.length)
		if m.length > 0 && len(text) > m.length && len([]rune(text)) > m.length {
			return edit.Keep, fmt.Errorf("a mask of kind %s exceeds the column", m.kind)
		}
		if text != v.Text {
			v.Text, verdict = text, edit.Changed
		}
	}
	return verdict, nil
}
