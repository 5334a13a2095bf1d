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
	if faults := compareTables(want, want); len(faults) > 0 {
		t.Errorf("the same table has faults: %q", faults)
	}
	got := schema.Table{Indexes: []schema.Index{index("", "", ""), index("", "", ""), index("gin", "", "english")}}
	faults := strings.Join(compareTables(want, got), "\n")
	if faults != "missing index on path varchar_pattern_ops\nmissing index on path as words of simple gin" {
		t.Errorf("faults: %s", faults)
	}
}
