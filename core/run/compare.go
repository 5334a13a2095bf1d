package run

import (
	"fmt"
	"slices"

	"github.com/lmsvault/vault/core/schema"
)

// compareTables returns how a table's structure differs from the plan, and what could
// not be compared. It ignores the names and order of indexes, a sequence that is
// ahead, and defaults that are lost.
func compareTables(want, got schema.Table, lostDefault func(table, column string) bool) (faults, unsure []string) {
	if !slices.Equal(want.ColumnNames(), got.ColumnNames()) {
		faults = append(faults, fmt.Sprintf("the columns are %q instead of %q", got.ColumnNames(), want.ColumnNames()))
	} else {
		for i, w := range want.Columns {
			g := got.Columns[i]
			if !sameType(w.Type, g.Type) || w.Nullable != g.Nullable {
				faults = append(faults, fmt.Sprintf("column %s is %s instead of %s", w.Name, columnWords(g), columnWords(w)))
			}
			if want.Dialect == got.Dialect && (want.Sequence == nil || want.Sequence.Column != w.Name) && !lostDefault(want.Name, w.Name) {
				switch compareDefaults(want.Dialect, w, g) {
				case differ:
					faults = append(faults, fmt.Sprintf("column %s has %s instead of %s", w.Name, defaultWords(g.Default), defaultWords(w.Default)))
				case unknown:
					unsure = append(unsure, fmt.Sprintf("column %s has %s, which could not be compared with the original, %q; check that they mean the same", w.Name, defaultWords(g.Default), w.Default.Value))
				}
			}
			if want.Dialect == got.Dialect && w.OnUpdate && !g.OnUpdate && !lostDefault(want.Name, w.Name) {
				faults = append(faults, fmt.Sprintf("column %s has no ON UPDATE CURRENT_TIMESTAMP", w.Name))
			}
		}
	}
	if !slices.Equal(want.PrimaryKey, got.PrimaryKey) {
		faults = append(faults, fmt.Sprintf("the primary key is %q instead of %q", got.PrimaryKey, want.PrimaryKey))
	}
	if want.Dialect == got.Dialect && !want.PrimaryKeyIndex.SameAs(got.PrimaryKeyIndex) {
		faults = append(faults, fmt.Sprintf("the primary key is%s instead of%s", keyWords(got.PrimaryKeyIndex), keyWords(want.PrimaryKeyIndex)))
	}
	has := map[string]int{}
	for _, x := range got.Indexes {
		has[indexWords(x)]++
	}
	for _, x := range want.Indexes {
		words := indexWords(x)
		if has[words]--; has[words] < 0 {
			faults = append(faults, "missing "+words)
		}
	}
	if s := want.Sequence; s != nil {
		switch {
		case got.Sequence == nil || got.Sequence.Column != s.Column:
			faults = append(faults, fmt.Sprintf("column %s has no sequence", s.Column))
		case got.Sequence.Next < s.Next:
			faults = append(faults, fmt.Sprintf("the sequence of %s is at %d instead of %d", s.Column, got.Sequence.Next, s.Next))
		}
	}
	return faults, unsure
}

func sameType(a, b schema.Type) bool {
	if a.Kind != b.Kind || a.Size != b.Size || a.Unsigned != b.Unsigned {
		return false
	}
	switch a.Kind {
	case schema.Char, schema.Bit, schema.Decimal:
		return a.Length == b.Length && a.Scale == b.Scale
	}
	return true
}

func columnWords(c schema.Column) string {
	t := c.Type
	s := string(t.Kind)
	if t.Size > 0 {
		s += fmt.Sprintf(" of %d bytes", t.Size)
	}
	if t.Length > 0 {
		s += fmt.Sprintf(" (%d,%d)", t.Length, t.Scale)
	}
	if t.Unsigned {
		s += " unsigned"
	}
	if !c.Nullable {
		s += " not null"
	}
	return s
}

func keyWords(k *schema.KeyIndex) string {
	if k.SameAs(nil) {
		return " an ordinary one"
	}
	words := ""
	if len(k.Include) > 0 {
		words = fmt.Sprintf(" one that includes %q", k.Include)
	}
	if k.Timing != "" {
		words += " " + k.Timing
	}
	return words
}

func indexWords(x schema.Index) string {
	s := "index on "
	if x.Unique {
		s = "unique index on "
	}
	if x.Constraint != "" {
		s = "constraint " + x.Constraint + " on "
	}
	if x.Native != "" {
		return s + "an expression: " + x.Native
	}
	for i, c := range x.Columns {
		if i > 0 {
			s += ", "
		}
		s += c.Name
		if c.TextSearch != "" {
			s += " as words of " + c.TextSearch
		}
		if c.Prefix > 0 {
			s += fmt.Sprintf("(%d)", c.Prefix)
		}
		if c.Operators != "" {
			s += " " + c.Operators
		}
		if c.Desc {
			s += " desc"
		}
	}
	if x.Method != "" {
		s += " " + x.Method
	}
	return s
}
