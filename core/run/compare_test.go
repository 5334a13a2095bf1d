package run

import (
	"strings"
	"testing"

	"github.com/lmsvault/vault/core/schema"
)

// The proof wants every index by what it is: one over words or for LIKE is not
// an ordinary one on the same column.
func TestTheProofWantsEnginesOwnIndexes(t *testing.T) {
	index := func(method, operators, words string) schema.Index {
		return schema.Index{Method: method, Columns: []schema.IndexColumn{{Name: "path", Operators: operators, TextSearch: words}}}
	}
	want := schema.Table{Indexes: []schema.Index{index("", "", ""), index("", "varchar_pattern_ops", ""), index("gin", "", "simple")}}
	none := func(string, string) bool { return false }
	if faults := compareTables(want, want, none); len(faults) > 0 {
		t.Errorf("the same table has faults: %q", faults)
	}
	got := schema.Table{Indexes: []schema.Index{index("", "", ""), index("", "", ""), index("gin", "", "english")}}
	faults := strings.Join(compareTables(want, got, none), "\n")
	if faults != "missing index on path varchar_pattern_ops\nmissing index on path as words of simple gin" {
		t.Errorf("faults: %s", faults)
	}
}

// A default that the target has reported as lost is not asked for.
func TestTheProofWantsNoLostDefault(t *testing.T) {
	columns := func(d *schema.Default) schema.Table {
		return schema.Table{Name: "t", Dialect: "sqlite", Columns: []schema.Column{{Name: "c", Default: d}}}
	}
	want, got := columns(&schema.Default{Value: "1"}), columns(nil)
	lost := false
	compare := func() []string {
		return compareTables(want, got, func(table, column string) bool { return lost && table == "t" && column == "c" })
	}
	if faults := compare(); len(faults) != 1 {
		t.Errorf("faults of a default that is missing: %q", faults)
	}
	lost = true
	if faults := compare(); len(faults) != 0 {
		t.Errorf("faults of a default that is lost: %q", faults)
	}
}

func TestTheProofWantsOnUpdate(t *testing.T) {
	want := schema.Table{Name: "t", Dialect: "mysql", Columns: []schema.Column{{Name: "c", OnUpdate: true}}}
	got := schema.Table{Name: "t", Dialect: "mysql", Columns: []schema.Column{{Name: "c"}}}
	none := func(string, string) bool { return false }
	if faults := compareTables(want, got, none); len(faults) != 1 {
		t.Errorf("faults without ON UPDATE: %q", faults)
	}
	if faults := compareTables(want, want, none); len(faults) != 0 {
		t.Errorf("faults of equal tables: %q", faults)
	}
}
