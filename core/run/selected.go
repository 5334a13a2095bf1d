package run

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/lmsvault/vault/core/rows"
	"github.com/lmsvault/vault/core/selection"
	"github.com/lmsvault/vault/core/stage"
)

// selected records the effect of the run's selection and checks that sources obey it.
type selected struct {
	selection.Selection
	standing selection.Selection // the part of it that nobody chose
	found    map[string]bool     // patterns that excluded something
}

// exclude records what a source excluded. Each file pattern is noted once, however
// many paths it matched.
func (s *selected) exclude(list []selection.Excluded) (notes []stage.Note, err error) {
	for _, x := range list {
		table, isTable := strings.CutPrefix(x.Path, stage.DB+"/")
		patterns, key, matches := s.ExcludeFiles, "exclude_files", func() (string, bool) { return s.ExcludesPath(x.Path) }
		if isTable {
			patterns, key, matches = s.ExcludeTables, "exclude_tables", func() (string, bool) { return s.ExcludesTable(table) }
		}
		if _, ok := matches(); !ok || !slices.Contains(patterns, x.Pattern) {
			return nil, fmt.Errorf("the source excluded %s, which the selection does not exclude", x.Path)
		}
		if isTable {
			s.found[x.Pattern] = true
			notes = append(notes, stage.Note{Path: x.Path, Text: fmt.Sprintf("excluded: %s has %q", key, x.Pattern)})
		} else if !s.found[x.Pattern] {
			s.found[x.Pattern] = true
			notes = append(notes, stage.Note{Path: x.Pattern, Text: "excluded: listed in " + key})
		}
	}
	return notes, nil
}

// excludes reports whether a loss or an entry with this path is excluded.
func (s *selected) excludes(path string) bool {
	if table, ok := strings.CutPrefix(path, stage.DB+"/"); ok {
		_, out := s.ExcludesTable(table)
		return out
	}
	_, out := s.ExcludesPath(path)
	return out
}

// unwanted reports whether a loss recorded in a snapshot concerns something that is
// excluded now.
func (s *selected) unwanted(l stage.Loss) bool {
	if s.excludes(l.Path) {
		return true
	}
	table, ok := strings.CutPrefix(l.Path, stage.DB+"/")
	return ok && l.Kind == stage.LossRow && slices.ContainsFunc(s.StructureOnly, func(p string) bool { return selection.Matches(p, table) })
}

// notes says what was selected of the existing tables, and which patterns match
// nothing.
func (s *selected) notes(tables []stage.TableInfo) []stage.Note {
	var notes []stage.Note
	apply := func(key, pattern string, standing bool, text string) {
		found := false
		for _, t := range tables {
			if selection.Matches(pattern, t.Schema.Name) {
				found = true
				notes = append(notes, stage.Note{Path: stage.DB + "/" + t.Schema.Name, Text: text})
			}
		}
		if !found && !standing {
			notes = append(notes, stage.Note{Path: stage.DB, Text: fmt.Sprintf("%s: %q matches no table that is read", key, pattern)})
		}
	}
	chosen := s.Without(s.standing)
	for _, pattern := range chosen.ExcludeTables {
		if !s.found[pattern] {
			notes = append(notes, stage.Note{Path: stage.DB, Text: fmt.Sprintf("exclude_tables: %q matches no table", pattern)})
		}
	}
	for _, pattern := range s.StructureOnly {
		apply("structure_only", pattern, slices.Contains(s.standing.StructureOnly, pattern), fmt.Sprintf("structure only: structure_only has %q", pattern))
	}
	for i := range s.Rows {
		own := slices.ContainsFunc(s.standing.Rows, func(r selection.Rows) bool { return r.Table == s.Rows[i].Table })
		apply("rows", s.Rows[i].Table, own, s.Rows[i].String())
	}
	for _, pattern := range chosen.ExcludeFiles {
		if !s.found[pattern] {
			notes = append(notes, stage.Note{Path: pattern, Text: "exclude_files: it matches nothing"})
		}
	}
	return notes
}

// fact adds what a person selected to the facts of the source's snapshot.
func (s *selected) fact(facts map[string]string) error {
	chosen := s.Without(s.standing)
	if chosen.IsZero() {
		return nil
	}
	text, err := json.Marshal(chosen)
	if err != nil {
		return fmt.Errorf("recording the selection: %w", err)
	}
	if earlier := facts[stage.SelectionFact]; earlier != "" && earlier != string(text) {
		text = append([]byte(earlier+"\n"), text...)
	}
	facts[stage.SelectionFact] = string(text)
	return nil
}

// checkRows returns an error if the selection excludes any of the rows.
func checkRows(f *selection.Filter, data []byte) error {
	if f == nil {
		return nil
	}
	for {
		row, rest, ok, err := rows.Next(data)
		if !ok {
			return err
		}
		data = rest
		keep, err := f.Keep(row)
		if err != nil {
			return err
		}
		if !keep {
			return errIgnored
		}
	}
}

var errIgnored = errors.New("the source returned what the selection excludes; it does not support this selection")
