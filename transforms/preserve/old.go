package preserve

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/moodle/component"
	"github.com/lmsvault/vault/core/moodle/edit"
	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/core/selection"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/dialects/database"
)

// old is what stays of the site that is replaced. It is an edit.Edit, filled by Prepare.
type old struct {
	config Config
	db     *database.Database // only during Prepare

	drops     map[string][]matching              // rows of the backup to leave out, by table
	added     map[string][]map[string]edit.Value // rows of the target, by table
	ids       map[string]map[string]string       // new IDs of rows by the old ones, by table
	passwords passwords
}

// Tables whose rows refer to others, and how.
const (
	services  = "external_services"
	functions = "external_services_functions"
	tagAreas  = "tag_area"
	tagColls  = "tag_coll"
)

// references are the columns that hold the ID of another row.
var references = map[string]struct{ column, table string }{
	functions: {"externalserviceid", services},
	tagAreas:  {"tagcollid", tagColls},
}

// Prepare reads the target.
func (o *old) Prepare(ctx context.Context, p *stage.Plan) (found stage.Findings, err error) {
	o.drops, o.added, o.ids = map[string][]matching{}, map[string][]map[string]edit.Value{}, map[string]map[string]string{}
	o.passwords.reset()
	note := func(format string, args ...any) {
		found.Notes = append(found.Notes, stage.Note{Path: stage.DB, Text: fmt.Sprintf(format, args...)})
	}
	db, err := o.config.Open(ctx)
	if errors.Is(err, fs.ErrNotExist) {
		note("preserve: the target holds no site; nothing is preserved")
		return found, nil
	}
	if err != nil {
		return found, err
	}
	defer func() { err = errors.Join(err, db.Close(context.WithoutCancel(ctx))) }()
	o.db = db
	defer func() { o.db = nil }()
	if t, err := db.Table(ctx, "config_plugins"); err != nil || t == nil {
		note("preserve: the target holds no site; nothing is preserved")
		return found, err
	}
	for _, plugin := range o.config.Plugins {
		n, err := o.plugin(ctx, plugin, p)
		if err != nil {
			return found, fmt.Errorf("preserving %s: %w", plugin, err)
		}
		note("preserve: %s keeps %d rows of the target in shared tables", plugin, n)
		if text := component.Dangling(plugin); text != "" {
			note("preserve: %s: what refers to it comes from the backup: %s", plugin, text)
		}
	}
	o.renumber()
	if o.config.Passwords {
		return found, o.passwords.read(ctx, db)
	}
	return found, nil
}

// plugin reads the rows of a plugin and returns their number.
func (o *old) plugin(ctx context.Context, plugin string, p *stage.Plan) (rows int, err error) {
	own := map[string]bool{} // IDs of services of the plugin
	rules := component.Preserved(plugin)
	slices.SortStableFunc(rules, func(a, b component.SharedRows) int { return order(a.Table) - order(b.Table) })
	for _, rule := range rules {
		there, err := o.db.Table(ctx, rule.Table)
		if err != nil {
			return rows, err
		}
		i := slices.IndexFunc(p.Tables, func(t stage.TableInfo) bool { return t.Schema.Name == rule.Table })
		if there == nil || i < 0 {
			continue
		}
		condition, ok, err := o.condition(ctx, rule)
		if err != nil {
			return rows, err
		}
		var kept []map[string]edit.Value
		if ok {
			if kept, err = o.read(ctx, &there.Table, &p.Tables[i].Schema, condition); err != nil {
				return rows, err
			}
		}
		replaced, drops := matching{Condition: condition}, ok
		switch rule.Table {
		case services:
			for _, row := range kept {
				own[row["id"].Text] = true
			}
		case functions:
			kept = slices.DeleteFunc(kept, func(row map[string]edit.Value) bool { return !own[row["externalserviceid"].Text] })
			replaced.Condition, drops = named(kept)
		}
		if l := rule.Lookup; l == nil {
			replaced, drops = matching{Condition: *rule.Where}, true
		} else if l.Like != "" {
			replaced, drops = matching{*rule.Where, l.Column, l.Like}, true
		}
		if err := o.number(rule.Table, kept, &p.Tables[i].Schema); err != nil {
			return rows, err
		}
		o.added[rule.Table] = append(o.added[rule.Table], kept...)
		rows += len(kept)
		if drops {
			o.drops[rule.Table] = append(o.drops[rule.Table], replaced)
		}
	}
	return rows, nil
}

// order reads tables that others refer to first.
func order(table string) int {
	if table == services || table == tagColls {
		return 0
	}
	return 1
}

// named returns the condition for functions that services of the plugin list.
func named(rows []map[string]edit.Value) (selection.Condition, bool) {
	c := selection.Condition{Column: "functionname"}
	for _, row := range rows {
		c.In = append(c.In, row["functionname"].Text)
	}
	slices.Sort(c.In)
	c.In = slices.Compact(c.In)
	return c, len(c.In) > 0
}

// condition returns the condition for a rule's rows in the target.
func (o *old) condition(ctx context.Context, rule component.SharedRows) (selection.Condition, bool, error) {
	if rule.Lookup == nil {
		c, ok := rule.Condition(nil)
		return c, ok, nil
	}
	from, err := o.db.Table(ctx, rule.Lookup.From)
	if err != nil || from == nil {
		return selection.Condition{}, false, err
	}
	rows, err := o.read(ctx, &from.Table, &from.Table, rule.Lookup.Where)
	if err != nil {
		return selection.Condition{}, false, err
	}
	var values []string
	for _, row := range rows {
		if v := row[rule.Lookup.Value]; !v.Null {
			values = append(values, v.Text)
		}
	}
	c, ok := rule.Condition(values)
	return c, ok, nil
}

// read returns the rows of a table of the target that meet a condition, with the columns
// that the backup's table has, too. Rows are compared here, as engines compare texts
// differently.
func (o *old) read(ctx context.Context, from, to *schema.Table, c selection.Condition) ([]map[string]edit.Value, error) {
	test, err := matching{Condition: c}.bind(func(name string) (int, bool) {
		i := slices.IndexFunc(from.Columns, func(c schema.Column) bool { return c.Name == name })
		return i, i >= 0
	})
	if err != nil {
		return nil, fmt.Errorf("table %s of the target: %w", from.Name, err)
	}
	var columns []string
	for _, column := range from.Columns {
		columns = append(columns, o.db.Quote(column.Name))
	}
	where, args := narrow(o.db, c)
	var all []map[string]edit.Value
	err = o.db.Each(ctx, "SELECT "+strings.Join(columns, ", ")+" FROM {"+from.Name+"}"+where, args, func(row []database.Text) error {
		values := make([]edit.Value, len(row))
		for i, text := range row {
			values[i] = edit.Value{Text: text.String, Null: !text.Valid}
		}
		if !test(values) {
			return nil
		}
		kept := map[string]edit.Value{}
		for i, column := range from.Columns {
			if to.Column(column.Name) != nil {
				kept[column.Name] = values[i]
			}
		}
		all = append(all, kept)
		return nil
	})
	return all, err
}

// number gives rows new IDs, and files no user.
func (o *old) number(table string, rows []map[string]edit.Value, to *schema.Table) error {
	if o.ids[table] == nil {
		o.ids[table] = map[string]string{}
	}
	for _, row := range rows {
		id, has := row["id"]
		if !has {
			continue
		}
		delete(row, "id")
		if table == services || table == tagColls {
			if to.Sequence == nil {
				return failure.New(failure.Refused, "table %s of the backup has no sequence of its IDs, so no rows can be added", table)
			}
			next := strconv.FormatUint(to.Sequence.Next+uint64(len(o.ids[table])), 10)
			o.ids[table][id.Text] = next
			row["id"] = edit.Value{Text: next}
		}
		if table == "files" {
			row["userid"] = edit.Value{Null: true}
		}
	}
	return nil
}

// renumber changes references to rows that have new IDs.
func (o *old) renumber() {
	for table, r := range references {
		for _, row := range o.added[table] {
			if id, ok := o.ids[r.table][row[r.column].Text]; ok {
				row[r.column] = edit.Value{Text: id}
			}
		}
	}
}
