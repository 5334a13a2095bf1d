package run

import (
	"slices"
	"testing"

	"github.com/lmsvault/vault/core/selection"
	"github.com/lmsvault/vault/core/stage"
)

// What a composite always leaves out makes no snapshot partial and is not noted where there
// is nothing to leave out; what a person leaves out is.
func TestStandingExclusionsAreNotAPersonsChoice(t *testing.T) {
	standing := selection.Selection{
		ExcludeTables: []string{"nothing_*"}, StructureOnly: []string{"no_table"}, ExcludeFiles: []string{"dataroot/none"},
		Rows: []selection.Rows{{Table: "no_rows", Except: &selection.Condition{Column: "x", Null: true}}},
	}
	all := standing
	all.ExcludeTables = []string{"nothing_*", "chosen_*"}
	s := selected{all, standing, map[string]bool{}}
	want := []stage.Note{{Path: "db", Text: `exclude_tables: "chosen_*" matches no table`}}
	if notes := s.notes(nil); !slices.Equal(notes, want) {
		t.Errorf("the notes are %v", notes)
	}
	facts := map[string]string{}
	if err := s.fact(facts); err != nil || facts[stage.SelectionFact] != `{"exclude_tables":["chosen_*"]}` {
		t.Errorf("the facts are %v (%v)", facts, err)
	}
	alone := selected{standing, standing, map[string]bool{}}
	facts = map[string]string{}
	if err := alone.fact(facts); err != nil || len(facts) > 0 {
		t.Errorf("the facts are %v (%v)", facts, err)
	}
}
