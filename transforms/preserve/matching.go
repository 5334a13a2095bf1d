package preserve

import (
	"fmt"
	"slices"
	"strings"

	"github.com/lmsvault/vault/core/moodle/edit"
	"github.com/lmsvault/vault/core/selection"
	"github.com/lmsvault/vault/dialects/database"
)

// matching is a condition on one row. A value of column must match the pattern like, too,
// if it is set.
type matching struct {
	selection.Condition
	column, like string
}

// test reports whether a row meets a condition.
type test func(values []edit.Value) bool

// bind returns the test for rows in which at gives the position of a column.
func (m matching) bind(at func(name string) (position int, ok bool)) (test, error) {
	whole, err := bind(m.Condition, at)
	if err != nil || m.like == "" {
		return whole, err
	}
	i, ok := at(m.column)
	if !ok {
		return nil, fmt.Errorf("there is no column %s", m.column)
	}
	return func(values []edit.Value) bool {
		return whole(values) && !values[i].Null && selection.Matches(m.like, values[i].Text)
	}, nil
}

func bind(c selection.Condition, at func(name string) (int, bool)) (test, error) {
	if len(c.All)+len(c.Any) > 0 {
		all := len(c.All) > 0
		var tests []test
		for _, inner := range append(slices.Clone(c.All), c.Any...) {
			t, err := bind(inner, at)
			if err != nil {
				return nil, err
			}
			tests = append(tests, t)
		}
		return func(values []edit.Value) bool {
			return !slices.ContainsFunc(tests, func(t test) bool { return t(values) != all }) == all
		}, nil
	}
	i, ok := at(c.Column)
	if !ok {
		return nil, fmt.Errorf("there is no column %s", c.Column)
	}
	switch {
	case c.Null:
		return func(values []edit.Value) bool { return values[i].Null }, nil
	case c.Prefix != "":
		return func(values []edit.Value) bool {
			return !values[i].Null && strings.HasPrefix(values[i].Text, c.Prefix)
		}, nil
	}
	return func(values []edit.Value) bool { return !values[i].Null && slices.Contains(c.In, values[i].Text) }, nil
}

// maxNarrow is the number of values that a statement compares a column with.
const maxNarrow = 500

// narrow returns a WHERE clause that leaves out most rows that do not meet a condition, so
// that they need not be read.
func narrow(db *database.Database, c selection.Condition) (string, []any) {
	for _, inner := range append(slices.Clone(c.All), c) {
		if n := len(inner.In); n > 0 && n <= maxNarrow {
			args := make([]any, n)
			for i, text := range inner.In {
				args[i] = text
			}
			return " WHERE " + db.Quote(inner.Column) + " IN (?" + strings.Repeat(", ?", n-1) + ")", args
		}
	}
	return "", nil
}
