package pipeline

import (
	"errors"
	"fmt"

	"go.yaml.in/yaml/v3"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/selection"
)

// selectKeys are the keys below select.
type selectKeys struct {
	ExcludeTables []string   `key:"exclude_tables" help:"tables to leave out, without the prefix; * stands for any characters" example:"[logstore_*, sessions]"`
	StructureOnly []string   `key:"structure_only" help:"tables to read without their rows; * stands for any characters" example:"[cache_*]"`
	Rows          []ruleKeys `key:"rows" help:"which rows to read: a list of rules, each with table and one of only and except"`
	ExcludeFiles  []string   `key:"exclude_files" help:"files and directories to leave out, as paths in a snapshot; * stands for any characters but a slash" example:"[dataroot/repository/cache, filedir/.snapshot]"`
}

// ruleKeys are the keys of a rule below rows.
type ruleKeys struct {
	Table  string         `key:"table" required:"true" help:"the table, without the prefix; * stands for any characters" example:"config_plugins"`
	Only   *conditionKeys `key:"only" help:"the condition of the rows that are read"`
	Except *conditionKeys `key:"except" help:"the condition of the rows that are left out"`
}

// conditionKeys are the keys of a condition.
type conditionKeys struct {
	Column string           `key:"column" help:"the column to compare"`
	Equal  config.Literal   `key:"equal" help:"the value equals this"`
	In     []config.Literal `key:"in" help:"the value is one of these"`
	Prefix string           `key:"prefix" help:"the value begins with this text"`
	Null   bool             `key:"null" help:"true: the value is NULL"`
	All    []conditionKeys  `key:"all" help:"list of conditions; all must hold"`
	Any    []conditionKeys  `key:"any" help:"list of conditions; at least one must hold"`
}

// selection reads what is below select.
func (l *loader) selection(n *yaml.Node) selection.Selection {
	n = config.Resolve(n)
	if n.IsZero() || isNull(n) {
		return selection.Selection{}
	}
	var keys selectKeys
	found := l.decoder.DecodeIn("select", n, &keys)
	if l.found = append(l.found, found.Findings...); len(found.Of(config.Error)) > 0 {
		return selection.Selection{}
	}
	return keys.selection()
}

func (k *selectKeys) selection() selection.Selection {
	s := selection.Selection{ExcludeTables: k.ExcludeTables, StructureOnly: k.StructureOnly, ExcludeFiles: k.ExcludeFiles}
	for i := range k.Rows {
		s.Rows = append(s.Rows, k.Rows[i].rule())
	}
	return s
}

// Validate checks the patterns; each rule checks itself.
func (k *selectKeys) Validate() error {
	var errs []error
	check := func(name string, patterns []string, ok func(string) error) {
		for i, pattern := range patterns {
			if err := ok(pattern); err != nil {
				key := fmt.Sprintf("%s[%d]", name, i)
				errs = append(errs, config.At(key, "%s %w", key, err))
			}
		}
	}
	check("exclude_tables", k.ExcludeTables, selection.CheckTables)
	check("structure_only", k.StructureOnly, selection.CheckTables)
	check("exclude_files", k.ExcludeFiles, selection.CheckFiles)
	return errors.Join(errs...)
}

func (k *ruleKeys) rule() selection.Rows {
	return selection.Rows{Table: k.Table, Only: k.Only.condition(), Except: k.Except.condition()}
}

// Validate checks a rule with its conditions.
func (k *ruleKeys) Validate() error {
	rule := k.rule()
	return rule.Validate()
}

// Validate checks that equal and in are not combined.
func (k *conditionKeys) Validate() error {
	if k.Equal.Given && k.In != nil {
		return errors.New("a condition has equal or in, not both")
	}
	return nil
}

// condition returns the condition, or nil for nil.
func (k *conditionKeys) condition() *selection.Condition {
	if k == nil {
		return nil
	}
	c := &selection.Condition{Column: k.Column, Prefix: k.Prefix, Null: k.Null}
	if k.Equal.Given {
		c.In = append(c.In, k.Equal.Text)
	}
	for _, one := range k.In {
		c.In = append(c.In, one.Text)
	}
	for i := range k.All {
		c.All = append(c.All, *k.All[i].condition())
	}
	for i := range k.Any {
		c.Any = append(c.Any, *k.Any[i].condition())
	}
	return c
}
