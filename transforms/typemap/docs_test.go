package typemap

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the rules into docs/typemap.md")

// docs/typemap.md contains the rules: go test ./transforms/typemap -update writes
// them.
func TestDocs(t *testing.T) {
	const path, begin, end = "../../docs/typemap.md", "<!-- rules -->\n", "<!-- end of rules -->"
	page, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(page), begin)
	_, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("%s has no place for the rules between %q and %q", path, begin, end)
	}
	var b strings.Builder
	for _, to := range []struct{ dialect, title string }{{postgres, "To PostgreSQL"}, {mysql, "To MySQL and MariaDB"}} {
		fmt.Fprintf(&b, "\n## %s\n\n| column | becomes | values | remark |\n|---|---|---|---|\n", to.title)
		for _, r := range Rules() {
			if r.To == to.dialect {
				fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", r.From(), r.Native, r.Cell, r.Remark)
			}
		}
	}
	b.WriteByte('\n')
	want := before + begin + b.String() + end + after
	if want == string(page) {
		return
	}
	if !*update {
		t.Fatalf("%s is out of date; run go test ./transforms/typemap -update", path)
	}
	if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
		t.Fatal(err)
	}
}
