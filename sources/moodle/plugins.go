package moodle

import (
	"context"
	"slices"
	"strings"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/moodle/component"
	"github.com/lmsvault/vault/core/moodle/xmldb"
	"github.com/lmsvault/vault/core/selection"
	"github.com/lmsvault/vault/dialects/site"
)

// leaving leaves plugins out.
type leaving struct {
	*origin
	plugins     []string
	code        *component.Code
	definitions []xmldb.Definition
	problems    []component.Problem
	installed   map[string]component.Version // nil if the site was not asked
}

// chosenPlugins leaves out the tables and rows of plugins, and returns their names.
func (o *origin) chosenPlugins(ctx context.Context, plugins []string) ([]string, error) {
	if plugins == nil {
		plugins = o.listed("backupexcludeplugins", "exclude.plugins", checkPlugin)
	}
	if len(plugins) == 0 {
		return nil, nil
	}
	l := &leaving{origin: o, plugins: slices.Compact(slices.Sorted(slices.Values(plugins)))}
	var err error
	if l.code, err = component.Load(ctx, o.config.Dir, site.CodeOptions(o.config)); err != nil {
		return nil, config.At("exclude.plugins", "plugins cannot be left out without the site's code: %w", err)
	}
	if l.definitions, l.problems, err = l.code.Definitions(ctx); err != nil {
		return nil, err
	}
	if o.session != nil {
		if l.installed, _, err = site.Installed(ctx, o.session); err != nil {
			return nil, err
		}
	} else {
		o.note("the rows of %s in tables of Moodle are determined when the pipeline runs", strings.Join(l.plugins, ", "))
	}
	for _, plugin := range l.plugins {
		l.about(plugin)
		o.selection.ExcludeTables = append(o.selection.ExcludeTables, l.own(plugin)...)
		if err := l.shared(ctx, plugin); err != nil {
			return nil, err
		}
	}
	return l.plugins, nil
}

// about notes what a person should know about leaving out a plugin.
func (l *leaving) about(plugin string) {
	p, there := l.code.Plugin(plugin)
	if _, installed := l.installed[plugin]; !there && !installed && l.installed != nil {
		l.note("exclude: %s is neither installed nor in the code; is the name right?", plugin)
	}
	for _, problem := range l.problems {
		if there && strings.HasPrefix(problem.Path, p.Dir+"/") {
			l.note("exclude: the tables of %s are not known and stay in the backup: %s", plugin, problem)
		}
	}
	if rest := component.Dangling(plugin); rest != "" {
		l.note("exclude: %s is left out, but the backup still has what refers to it: %s", plugin, rest)
	}
	var below []string
	for _, sub := range l.code.Plugins {
		if sub.Parent == plugin && !slices.Contains(l.plugins, sub.Component) {
			below = append(below, sub.Component)
		}
	}
	if len(below) > 0 {
		l.note("exclude: %s is left out, but not its subplugins %s", plugin, strings.Join(below, ", "))
	}
}

// own returns the tables of a plugin.
func (l *leaving) own(plugin string) []string {
	tables := l.names()
	if l.tables == nil {
		for _, d := range l.definitions {
			for _, t := range d.Tables {
				tables = append(tables, t.Name)
			}
		}
	}
	return l.code.Tables(plugin, l.definitions, l.installed, tables)
}

// shared leaves out a plugin's rows in tables of Moodle. Old sites lack some of the tables
// and columns.
func (l *leaving) shared(ctx context.Context, plugin string) error {
	if l.session == nil {
		return nil
	}
	for _, rows := range component.Shared(plugin) {
		columns := columnsOf(rows.Where)
		if rows.Lookup != nil {
			columns = append(columns, rows.Lookup.Column)
		}
		if _, out := l.selection.ExcludesTable(rows.Table); out || !l.has(rows.Table, columns...) {
			continue
		}
		var values []string
		if rows.Lookup != nil {
			var err error
			if values, err = l.values(ctx, rows.Lookup); err != nil {
				return err
			}
		}
		if where, ok := rows.Condition(values); ok {
			l.selection.Rows = append(l.selection.Rows, selection.Rows{Table: rows.Table, Except: &where})
		}
	}
	return nil
}

// columnsOf returns the columns that a condition compares.
func columnsOf(c *selection.Condition) []string {
	if c == nil {
		return nil
	}
	var all []string
	if c.Column != "" {
		all = append(all, c.Column)
	}
	for _, inner := range slices.Concat(c.All, c.Any) {
		all = append(all, columnsOf(&inner)...)
	}
	return all
}

// values answers a lookup. The condition of a lookup compares one column with texts.
func (l *leaving) values(ctx context.Context, of *component.Lookup) ([]string, error) {
	if !l.has(of.From, of.Where.Column, of.Value) {
		return nil, nil
	}
	var args []any
	for _, value := range of.Where.In {
		args = append(args, value)
	}
	quote := l.session.Quote
	rows, err := l.session.Query(ctx, "SELECT "+quote(of.Value)+", "+quote(of.Where.Column)+" FROM {"+of.From+"} WHERE "+
		quote(of.Where.Column)+" IN (?"+strings.Repeat(", ?", len(args)-1)+")", args...)
	if err != nil {
		return nil, err
	}
	var values []string
	for _, row := range rows {
		// The collation of MySQL may ignore case.
		if row[0].Valid && slices.Contains(of.Where.In, row[1].String) {
			values = append(values, row[0].String)
		}
	}
	return values, nil
}
