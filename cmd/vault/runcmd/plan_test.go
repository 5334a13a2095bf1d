package runcmd

import (
	"fmt"
	"strings"
	"testing"

	"github.com/lmsvault/vault/core/run"
)

func TestPlanSumsUpSmallTables(t *testing.T) {
	var list []run.TablePlan
	for i := range 536 {
		list = append(list, run.TablePlan{Name: fmt.Sprintf("t%03d", i), Rows: 2, Bytes: int64(i)})
	}
	lines := tables(list, false)
	if len(lines) != largest+1 || lines[0][0] != "  t535" || lines[largest-1][0] != "  t526" {
		t.Errorf("got %q", lines)
	}
	if got, want := strings.Join(lines[largest], "|"), "  … and 526 smaller tables (--all lists them)|about 1,052 rows|135 KiB"; got != want {
		t.Errorf("the rest is %q, want %q", got, want)
	}
	if got := tables(list, true); len(got) != 536 || got[535][0] != "  t000" {
		t.Errorf("with --all: got %d tables", len(got))
	}
	if got := tables(list[:largest+1], false); len(got) != largest+1 || strings.Contains(got[largest][0], "smaller") {
		t.Errorf("one table is summed up: %q", got)
	}
}
