package selection

import (
	"errors"
	"fmt"
	"path"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"
)

// Selection says what part of a site is read. The zero value reads everything.
// Several entries may match one table; all of them apply.
//
// Table patterns match names without the prefix; * matches any characters.
type Selection struct {
	ExcludeTables []string `json:"exclude_tables,omitempty"` // excluded, structure and rows
	StructureOnly []string `json:"structure_only,omitempty"` // without rows
	Rows          []Rows   `json:"rows,omitempty"`
	// ExcludeFiles are patterns of paths in a snapshot (dataroot/repository/*), in
	// which * matches any characters except a slash. A directory is excluded with
	// everything below it.
	ExcludeFiles []string `json:"exclude_files,omitempty"`
}

// Rows selects rows of the tables that match a pattern. Exactly one of Only and
// Except is set.
type Rows struct {
	Table  string     `json:"table"`
	Only   *Condition `json:"only,omitempty"`   // only rows that match are read
	Except *Condition `json:"except,omitempty"` // rows that match are excluded
}

// Condition is a condition on one row. Either Column is set with exactly one of In,
// Prefix and Null, or one of All and Any.
type Condition struct {
	Column string      `json:"column,omitempty"`
	In     []string    `json:"in,omitempty"`     // the column is one of these
	Prefix string      `json:"prefix,omitempty"` // the column begins with this
	Null   bool        `json:"null,omitempty"`   // the column is NULL
	All    []Condition `json:"all,omitempty"`    // all of these hold
	Any    []Condition `json:"any,omitempty"`    // one of these holds
}

// Excluded is something that a source excluded.
type Excluded struct {
	Path    string // in a snapshot: db/TABLE, dataroot/PATH
	Pattern string // the entry of ExcludeTables or ExcludeFiles
}

// IsZero reports whether everything is read.
func (s Selection) IsZero() bool {
	return len(s.ExcludeTables) == 0 && len(s.StructureOnly) == 0 && len(s.Rows) == 0 && len(s.ExcludeFiles) == 0
}

// Add adds the entries of another selection.
func (s *Selection) Add(more Selection) {
	s.ExcludeTables = append(s.ExcludeTables, more.ExcludeTables...)
	s.StructureOnly = append(s.StructureOnly, more.StructureOnly...)
	s.Rows = append(s.Rows, more.Rows...)
	s.ExcludeFiles = append(s.ExcludeFiles, more.ExcludeFiles...)
}

// Without returns a selection without the entries that another one has, too.
func (s Selection) Without(other Selection) Selection {
	texts := func(list, from []string) (rest []string) {
		for _, text := range list {
			if !slices.Contains(from, text) {
				rest = append(rest, text)
			}
		}
		return rest
	}
	rest := Selection{
		ExcludeTables: texts(s.ExcludeTables, other.ExcludeTables),
		StructureOnly: texts(s.StructureOnly, other.StructureOnly),
		ExcludeFiles:  texts(s.ExcludeFiles, other.ExcludeFiles),
	}
	for _, rule := range s.Rows {
		if !slices.ContainsFunc(other.Rows, func(r Rows) bool { return reflect.DeepEqual(r, rule) }) {
			rest.Rows = append(rest.Rows, rule)
		}
	}
	return rest
}

// ExcludesTable reports whether a table, named without prefix, is excluded, and by
// which pattern.
func (s *Selection) ExcludesTable(name string) (pattern string, ok bool) {
	i := slices.IndexFunc(s.ExcludeTables, func(p string) bool { return Matches(p, name) })
	if i < 0 {
		return "", false
	}
	return s.ExcludeTables[i], true
}

// ExcludesPath reports whether a path in a snapshot, or one of its parent
// directories, is excluded, and by which pattern.
func (s *Selection) ExcludesPath(p string) (pattern string, ok bool) {
	for _, pattern := range s.ExcludeFiles {
		if matchesPath(pattern, p) {
			return pattern, true
		}
	}
	return "", false
}

// ExcludeBelow returns the patterns of ExcludeFiles below a part (filedir, dataroot),
// relative to it.
func (s *Selection) ExcludeBelow(part string) []string {
	var below []string
	for _, pattern := range s.ExcludeFiles {
		if rest, ok := strings.CutPrefix(pattern, part+"/"); ok {
			below = append(below, rest)
		}
	}
	return below
}

// Matches reports whether name matches a pattern in which * matches any characters.
func Matches(pattern, name string) bool {
	first, rest, star := strings.Cut(pattern, "*")
	if !star {
		return pattern == name
	}
	name, ok := strings.CutPrefix(name, first)
	for ok && strings.Contains(rest, "*") {
		first, rest, _ = strings.Cut(rest, "*")
		_, name, ok = strings.Cut(name, first)
	}
	return ok && strings.HasSuffix(name, rest)
}

func matchesPath(pattern, path string) bool {
	for {
		element, morePattern, deeper := strings.Cut(pattern, "/")
		name, rest, below := strings.Cut(path, "/")
		switch {
		case !Matches(element, name):
			return false
		case !deeper:
			return true
		case !below:
			return false
		}
		pattern, path = morePattern, rest
	}
}

// Validate checks everything that can be checked without tables. Its errors identify
// the entry but do not quote it.
func (s *Selection) Validate() error {
	var errs []error
	for name, list := range map[string][]string{"exclude_tables": s.ExcludeTables, "structure_only": s.StructureOnly} {
		for i, pattern := range list {
			errs = append(errs, about(fmt.Sprintf("%s[%d]", name, i), CheckTables(pattern)))
		}
	}
	for i := range s.Rows {
		errs = append(errs, about(fmt.Sprintf("rows[%d]:", i), s.Rows[i].Validate()))
	}
	for i, pattern := range s.ExcludeFiles {
		errs = append(errs, about(fmt.Sprintf("exclude_files[%d]", i), CheckFiles(pattern)))
	}
	return errors.Join(errs...)
}

func about(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s %w", what, err)
}

// CheckTables checks a table pattern. The error does not quote the pattern.
func CheckTables(pattern string) error { return validName(pattern) }

// CheckFiles checks a file pattern. The error does not quote the pattern.
func CheckFiles(pattern string) error {
	part, below, ok := strings.Cut(pattern, "/")
	switch {
	case !ok || part != "filedir" && part != "dataroot":
		return errors.New("must begin with filedir/ or dataroot/")
	case below == "" || path.Clean(pattern) != pattern || strings.HasPrefix(below, "../") || below == "..":
		return errors.New("must be a path without . and .. and without a trailing slash")
	}
	return validName(pattern)
}

// Validate checks one rule.
func (r *Rows) Validate() error {
	if err := validName(r.Table); err != nil {
		return fmt.Errorf("table %w", err)
	}
	switch {
	case r.Only != nil && r.Except == nil:
		return r.Only.validate(0)
	case r.Except != nil && r.Only == nil:
		return r.Except.validate(0)
	}
	return errors.New("give a condition in only or in except")
}

// maxDepth is the maximum nesting depth of conditions.
const maxDepth = 16

func (c *Condition) validate(depth int) error {
	if depth == maxDepth {
		return fmt.Errorf("conditions nest deeper than %d", maxDepth)
	}
	kinds := 0
	for _, there := range []bool{len(c.In) > 0, c.Prefix != "", c.Null, len(c.All) > 0, len(c.Any) > 0} {
		if there {
			kinds++
		}
	}
	group := len(c.All) > 0 || len(c.Any) > 0
	switch {
	case kinds != 1:
		return errors.New("a condition needs exactly one of equal, in, prefix, null, all and any")
	case group && c.Column != "":
		return errors.New("all and any do not take a column")
	case !group && c.Column == "":
		return errors.New("a condition needs a column")
	}
	errs := []error{}
	for _, value := range append(slices.Clone(c.In), c.Prefix, c.Column) {
		if strings.ContainsRune(value, 0) || !utf8.ValidString(value) {
			errs = append(errs, errors.New("a value of a condition is not UTF-8 or contains a NUL character"))
		}
	}
	for _, inner := range slices.Concat(c.All, c.Any) {
		errs = append(errs, inner.validate(depth+1))
	}
	return errors.Join(errs...)
}

func validName(name string) error {
	switch {
	case !utf8.ValidString(name):
		return errors.New("is not UTF-8")
	case name == "":
		return errors.New("is empty")
	case strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return errors.New("has control characters")
	}
	return nil
}
