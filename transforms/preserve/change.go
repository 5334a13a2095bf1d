package preserve

import (
	"context"
	"fmt"
	"slices"

	"github.com/lmsvault/vault/core/moodle/edit"
	"github.com/lmsvault/vault/core/schema"
)

// Table implements edit.Edit.
func (o *old) Table(_ context.Context, t *schema.Table) (edit.Change, error) {
	c := &change{added: o.added[t.Name]}
	for _, m := range o.drops[t.Name] {
		test, err := m.bind(func(name string) (int, bool) { return c.use(t, name) })
		if err != nil {
			return nil, fmt.Errorf("the rows to preserve: %w", err)
		}
		c.drops = append(c.drops, test)
	}
	if t.Name == "user" && o.passwords.there() {
		columns := [5]string{"auth", "username", "mnethostid", "password", "deleted"}
		user := &user{from: &o.passwords}
		for i, name := range columns {
			at, ok := c.use(t, name)
			if !ok {
				return nil, fmt.Errorf("there is no column %s", name)
			}
			user.at[i] = at
		}
		c.user = user
	}
	if len(c.columns) == 0 && len(c.added) == 0 {
		return nil, nil
	}
	return c, nil
}

// change is an edit.Change.
type change struct {
	columns []int
	drops   []test
	added   []map[string]edit.Value
	user    *user // nil unless passwords are kept
}

// use returns the position of a column in the values of a row.
func (c *change) use(t *schema.Table, name string) (int, bool) {
	i := slices.IndexFunc(t.Columns, func(c schema.Column) bool { return c.Name == name })
	if i < 0 {
		return 0, false
	}
	if at := slices.Index(c.columns, i); at >= 0 {
		return at, true
	}
	c.columns = append(c.columns, i)
	return len(c.columns) - 1, true
}

func (c *change) Columns() []int                 { return c.columns }
func (c *change) Added() []map[string]edit.Value { return c.added }

func (c *change) Row(values []edit.Value) (edit.Verdict, error) {
	if slices.ContainsFunc(c.drops, func(t test) bool { return t(values) }) {
		return edit.Drop, nil
	}
	if c.user != nil {
		return c.user.keep(values), nil
	}
	return edit.Keep, nil
}
