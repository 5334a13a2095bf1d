package protocol

import (
	"fmt"

	"github.com/lmsvault/vault/core/selection"
	pb "github.com/lmsvault/vault/plugins/protocol/v1"
)

// SelectionMessage converts a selection to a message; nil if it selects everything.
func SelectionMessage(s *selection.Selection) *pb.Selection {
	if s.IsZero() {
		return nil
	}
	m := &pb.Selection{ExcludeTables: s.ExcludeTables, StructureOnly: s.StructureOnly}
	for _, r := range s.Rows {
		row := &pb.RowSelection{Table: r.Table, Except: r.Except != nil}
		if r.Except != nil {
			row.Condition = conditionMessage(r.Except)
		} else {
			row.Condition = conditionMessage(r.Only)
		}
		m.Rows = append(m.Rows, row)
	}
	for _, pattern := range s.ExcludeFiles {
		m.ExcludeFiles = append(m.ExcludeFiles, []byte(pattern))
	}
	return m
}

func conditionMessage(c *selection.Condition) *pb.Condition {
	if c == nil {
		return nil
	}
	m := &pb.Condition{Column: c.Column, In: c.In, Prefix: c.Prefix, Null: c.Null}
	for i := range c.All {
		m.All = append(m.All, conditionMessage(&c.All[i]))
	}
	for i := range c.Any {
		m.Any = append(m.Any, conditionMessage(&c.Any[i]))
	}
	return m
}

// Selection is the inverse of SelectionMessage. A selection that no pipeline can express is
// ErrContract.
func Selection(m *pb.Selection) (selection.Selection, error) {
	s := selection.Selection{ExcludeTables: m.GetExcludeTables(), StructureOnly: m.GetStructureOnly()}
	for _, row := range m.GetRows() {
		r := selection.Rows{Table: row.GetTable()}
		c := condition(row.GetCondition())
		if row.GetExcept() {
			r.Except = c
		} else {
			r.Only = c
		}
		s.Rows = append(s.Rows, r)
	}
	for _, pattern := range m.GetExcludeFiles() {
		s.ExcludeFiles = append(s.ExcludeFiles, string(pattern))
	}
	if err := s.Validate(); err != nil {
		return selection.Selection{}, fmt.Errorf("selection: %w: %w", ErrContract, err)
	}
	return s, nil
}

func condition(m *pb.Condition) *selection.Condition {
	if m == nil {
		return nil
	}
	c := &selection.Condition{Column: m.Column, In: m.In, Prefix: m.Prefix, Null: m.Null}
	for _, inner := range m.All {
		if inner := condition(inner); inner != nil {
			c.All = append(c.All, *inner)
		}
	}
	for _, inner := range m.Any {
		if inner := condition(inner); inner != nil {
			c.Any = append(c.Any, *inner)
		}
	}
	return c
}

// ExcludedMessage converts something that a source left out to a message.
func ExcludedMessage(x selection.Excluded) (*pb.Excluded, error) {
	return &pb.Excluded{Path: []byte(x.Path), Pattern: []byte(x.Pattern)}, nil
}

// Excluded is the inverse of ExcludedMessage.
func Excluded(m *pb.Excluded) (selection.Excluded, error) {
	return selection.Excluded{Path: string(m.GetPath()), Pattern: string(m.GetPattern())}, nil
}
