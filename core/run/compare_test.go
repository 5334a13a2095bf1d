package run

import (
	"strings"
	"testing"

	"github.com/lmsvault/vault/core/schema"
)

// The proof compares indexes by kind: a full-text index or one for LIKE does not
// match an ordinary one on the same column.
func TestProofComparesEngineIndexes(t *testing.T) {
	index := func(method, operators, words string) schema.Index {
		return schema.Index{Method: method, Columns: []schema.IndexColumn{{Name: "path", Operators: operators, TextSearch: words}}}
	}
	want := schema.Table{Indexes: []schema.Index{index("", "", ""), index("", "varchar_pattern_ops", ""), index("gin", "", "simple")}}
	none := func(string, string) bool { return false }
	if faults, _ := compareTables(want, want, none); len(faults) > 0 {
		t.Errorf("the same table has faults: %q", faults)
	}
	got := schema.Table{Indexes: []schema.Index{index("", "", ""), index("", "", ""), index("gin", "", "english")}}
	faults, _ := compareTables(want, got, none)
	if faults := strings.Join(faults, "\n"); faults != "missing index on path varchar_pattern_ops\nmissing index on path as words of simple gin" {
		t.Errorf("faults: %s", faults)
	}
}

// The proof ignores a default that the target reported as lost.
func TestProofIgnoresLostDefault(t *testing.T) {
	columns := func(d *schema.Default) schema.Table {
		return schema.Table{Name: "t", Dialect: "sqlite", Columns: []schema.Column{{Name: "c", Default: d}}}
	}
	want, got := columns(&schema.Default{Value: "1"}), columns(nil)
	lost := false
	compare := func() []string {
		faults, _ := compareTables(want, got, func(table, column string) bool { return lost && table == "t" && column == "c" })
		return faults
	}
	if faults := compare(); len(faults) != 1 {
		t.Errorf("faults of a default that is missing: %q", faults)
	}
	lost = true
	if faults := compare(); len(faults) != 0 {
		t.Errorf("faults of a default that is lost: %q", faults)
	}
}

func TestProofComparesOnUpdate(t *testing.T) {
	want := schema.Table{Name: "t", Dialect: "mysql", Columns: []schema.Column{{Name: "c", OnUpdate: true}}}
	got := schema.Table{Name: "t", Dialect: "mysql", Columns: []schema.Column{{Name: "c"}}}
	none := func(string, string) bool { return false }
	if faults, _ := compareTables(want, got, none); len(faults) != 1 {
		t.Errorf("faults without ON UPDATE: %q", faults)
	}
	if faults, _ := compareTables(want, want, none); len(faults) != 0 {
		t.Errorf("faults of equal tables: %q", faults)
	}
}

// Expressions are compared as their server spells them. A difference that may come
// from another version or product is reported but is not a fault.
func TestProofComparesExpressions(t *testing.T) {
	none := func(string, string) bool { return false }
	for _, c := range []struct {
		dialect, want, got string
		is                 agreement
	}{
		{"postgres", "upper('x'::text)", "upper('x'::text)", agree},
		{"postgres", "((1 + 2))", "(1 + 2)", agree},
		{"postgres", "upper('x'::text)", "upper('X'::text)", differ},
		{"postgres", "upper('x'::text)", "lower('x'::text)", differ},
		{"postgres", "CURRENT_TIMESTAMP", "CURRENT_DATE", differ},
		{"postgres", "EXTRACT(year FROM now())", "date_part('year'::text, now())", unknown},
		{"postgres", `'a\'::text || upper('X')`, `'a\'::text || upper('x')`, differ},
		{"postgres", `'it''s A'::text || 'x'::text`, `('it''s A'::text||'x'::text)`, agree},
		{"sqlite", "upper('x')", "UPPER( 'x' )", agree},
		{"sqlite", "upper('x')", "upper('x ')", differ},
		{"mysql", "concat(_utf8mb4'a',_utf8mb4'b')", "concat('a', 'b')", agree},
		{"mysql", `concat('it\'s A', 'b')`, `concat(_utf8mb4'it\'s A',_utf8mb4'b')`, agree},
		{"mysql", "uuid()", "(UUID())", agree},
		{"mysql", "(now() + interval 1 day)", "(current_timestamp() + interval 1 day)", unknown},
		{"mysql", "concat(_utf8mb4'a')", "concat(_utf8mb4'A')", unknown},
	} {
		table := func(expr string) schema.Table {
			return schema.Table{Name: "t", Dialect: c.dialect, Columns: []schema.Column{{Name: "c", Default: &schema.Default{Value: expr, Expr: true}}}}
		}
		faults, unsure := compareTables(table(c.want), table(c.got), none)
		if len(faults) != map[agreement]int{differ: 1}[c.is] || len(unsure) != map[agreement]int{unknown: 1}[c.is] {
			t.Errorf("%s: %s and %s: faults %q, could not compare %q", c.dialect, c.want, c.got, faults, unsure)
		}
	}
	constant := schema.Table{Dialect: "postgres", Columns: []schema.Column{{Name: "c", Default: &schema.Default{Value: "x"}}}}
	expression := schema.Table{Dialect: "postgres", Columns: []schema.Column{{Name: "c", Default: &schema.Default{Value: "upper('x'::text)", Expr: true}}}}
	if faults, _ := compareTables(expression, constant, none); len(faults) != 1 {
		t.Errorf("an expression that became a constant has faults %q", faults)
	}
}
