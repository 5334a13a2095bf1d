package sitesettings

import (
	"context"
	"maps"
	"slices"

	"github.com/lmsvault/vault/core/moodle/edit"
	"github.com/lmsvault/vault/core/schema"
)

// Table returns the changes of config, config_plugins, course and sessions.
func (s *settings) Table(_ context.Context, t *schema.Table) (edit.Change, error) {
	var columns []string
	var row func(values []edit.Value) edit.Verdict
	var added []map[string]edit.Value
	switch t.Name {
	case "config":
		columns = []string{"name", "value"}
		added = s.added()
		adds := edit.Addable(t, added) == nil
		if row = s.core(adds); !adds {
			added = nil
		}
	case "config_plugins":
		if len(s.overrides.Plugins) == 0 {
			return nil, nil
		}
		columns, row = []string{"plugin", "name", "value"}, s.plugin
	case "course":
		columns, row = []string{"cacherev"}, s.course
	case "sessions":
		columns, row = []string{"id"}, func([]edit.Value) edit.Verdict { return edit.Drop }
	default:
		return nil, nil
	}
	c := change{row: row, added: added}
	for _, name := range columns {
		i := slices.IndexFunc(t.Columns, func(c schema.Column) bool { return c.Name == name })
		if i < 0 {
			return nil, nil // not Moodle's table
		}
		c.columns = append(c.columns, i)
	}
	return c, nil
}

// change changes the rows of one table.
type change struct {
	columns []int
	row     func(values []edit.Value) edit.Verdict
	added   []map[string]edit.Value
}

func (c change) Columns() []int                                { return c.columns }
func (c change) Row(values []edit.Value) (edit.Verdict, error) { return c.row(values), nil }
func (c change) Added() []map[string]edit.Value                { return c.added }

// added returns the rows of own that have a value, in a fixed order.
func (s *settings) added() []map[string]edit.Value {
	var rows []map[string]edit.Value
	for _, name := range slices.Sorted(maps.Keys(s.own)) {
		if value := s.own[name]; value != "" {
			rows = append(rows, map[string]edit.Value{"name": {Text: name}, "value": {Text: value}})
		}
	}
	return rows
}

// revisions lists the settings that are revisions of caches.
var revisions = []string{"themerev", "jsrev", "templaterev", "langrev"}

// core changes a row of config. Settings of own are dropped if they can be added again;
// else only those that exist are changed.
func (s *settings) core(adds bool) func(values []edit.Value) edit.Verdict {
	return func(values []edit.Value) edit.Verdict {
		name := values[0].Text
		if value, ok := s.own[name]; ok {
			if value == "" || adds {
				return edit.Drop
			}
			return set(&values[1], value)
		}
		if slices.Contains(revisions, name) {
			return set(&values[1], next(values[1].Text, s.now))
		}
		if value, ok := s.overrides.Core[name]; ok {
			return set(&values[1], value)
		}
		return edit.Keep
	}
}

// plugin changes a row of config_plugins.
func (s *settings) plugin(values []edit.Value) edit.Verdict {
	if value, ok := s.overrides.Plugins[values[0].Text][values[1].Text]; ok {
		return set(&values[2], value)
	}
	return edit.Keep
}

// course changes a row of course.
func (s *settings) course(values []edit.Value) edit.Verdict {
	return set(&values[0], next(values[0].Text, s.now))
}

// set sets a value.
func set(v *edit.Value, text string) edit.Verdict {
	if !v.Null && v.Text == text {
		return edit.Keep
	}
	*v = edit.Value{Text: text}
	return edit.Changed
}
