package edit

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/lmsvault/vault/core/schema"
)

// encode returns added rows as they are stored, and the table's sequence after them.
func encode(t *schema.Table, added []map[string]Value) ([]byte, *schema.Sequence, error) {
	if err := Addable(t, added); err != nil {
		return nil, nil, err
	}
	var data []byte
	var sequence *schema.Sequence
	if t.Sequence != nil {
		s := *t.Sequence
		sequence = &s
	}
	for _, row := range added {
		for i, c := range t.Columns {
			if i > 0 {
				data = append(data, '\t')
			}
			v, given := row[c.Name]
			switch numbered := sequence != nil && c.Name == sequence.Column; {
			case numbered && !given:
				v = Value{Text: strconv.FormatUint(sequence.Next, 10)}
				sequence.Next++
			case numbered:
				if n, err := strconv.ParseUint(v.Text, 10, 63); err == nil && n >= sequence.Next {
					sequence.Next = n + 1
				}
			case !given:
				v, _ = standard(c)
			}
			data = appendValue(data, v)
		}
		data = append(data, '\n')
	}
	return data, sequence, nil
}

// Addable returns an error, which names the column, unless a row of the table can be made
// of each of the added ones: they name only columns of the table, and all others have a
// default that is no expression.
func Addable(t *schema.Table, added []map[string]Value) error {
	for _, row := range added {
		for name := range row {
			if t.Column(name) == nil {
				return fmt.Errorf("table %s has no column %s, which a row to add gives", t.Name, name)
			}
		}
		missing := slices.IndexFunc(t.Columns, func(c schema.Column) bool {
			v, given := row[c.Name]
			if given {
				return v.Null && !c.Nullable
			}
			_, has := standard(c)
			return !has && (t.Sequence == nil || t.Sequence.Column != c.Name)
		})
		if missing >= 0 {
			return fmt.Errorf("table %s: a row to add has no value for column %s, which allows no NULL and has no plain default", t.Name, t.Columns[missing].Name)
		}
	}
	return nil
}

// standard returns the default of a column, if it has one that is no expression.
func standard(c schema.Column) (Value, bool) {
	switch d := c.Default; {
	case d == nil, d.Expr && strings.EqualFold(d.Value, "NULL"):
		return Value{Null: true}, c.Nullable
	case d.Expr:
		return Value{}, false
	default:
		return Value{Text: d.Value}, true
	}
}
