package postgres

import (
	"regexp"
	"strings"

	"github.com/lmsvault/vault/core/schema"
)

// casts matches the literals of an expression and the types that it casts to.
var casts = regexp.MustCompile(`'(?:[^']|'')*'|::(?:` + typeName + `\.)?` + typeName)

const typeName = `(?:"(?:[^"]|"")+"|[\pL_][\pL\pN_$]*)`

// retype renames the types that an expression casts to. Names are spelled as by
// format_type, and the grammar allows the expression.
func retype(expr string, names map[string]string) string {
	if len(names) == 0 {
		return expr
	}
	return casts.ReplaceAllStringFunc(expr, func(part string) string {
		name, isCast := strings.CutPrefix(part, "::")
		if to, ok := names[name]; isCast && ok {
			return "::" + to
		}
		return part
	})
}

// Original restores the original names of enumerations in the casts of a table's
// defaults and indexes.
func (b *Builder) Original(t *schema.Table) {
	for i := range t.Columns {
		if d := t.Columns[i].Default; d != nil && d.Expr {
			t.Columns[i].Default = &schema.Default{Value: retype(d.Value, b.origins), Expr: true, Native: retype(d.Native, b.origins)}
		}
	}
	for i := range t.Indexes {
		t.Indexes[i].Native = retype(t.Indexes[i].Native, b.origins)
	}
}
