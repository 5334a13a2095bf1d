package xmldb

import (
	"slices"
	"strings"
	"testing"

	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/core/stage"
)

// definitions of core and two plugins.
func definitions(t *testing.T) []Definition {
	t.Helper()
	parse := func(src string) []Table {
		tables, err := Parse([]byte(within(src)))
		if err != nil {
			t.Fatal(err)
		}
		return tables
	}
	return []Definition{
		{"mod_x", parse(sample)},
		{"core", parse(`<TABLE NAME="config"><FIELDS>
			<FIELD NAME="id" TYPE="int" LENGTH="10" NOTNULL="true" SEQUENCE="true"/><FIELD NAME="name" TYPE="char" LENGTH="255" NOTNULL="true"/>
			<FIELD NAME="value" TYPE="text" NOTNULL="true"/><FIELD NAME="count" TYPE="int" LENGTH="4" NOTNULL="true" DEFAULT="1"/></FIELDS>
			<KEYS><KEY NAME="primary" TYPE="primary" FIELDS="id"/><KEY NAME="name" TYPE="unique" FIELDS="name"/></KEYS></TABLE>`)},
		{"block_y", parse(`<TABLE NAME="block_y"><FIELDS><FIELD NAME="id" TYPE="int" SEQUENCE="true"/></FIELDS><KEYS><KEY NAME="primary" TYPE="primary" FIELDS="id"/></KEYS></TABLE>
			<TABLE NAME="config"><FIELDS><FIELD NAME="mine" TYPE="int"/></FIELDS></TABLE>`)}, // core has it already
	}
}

// changed creates a database from the definitions, changes it, and compares the two.
func changed(t *testing.T, dialect string, change func(db *Database, table func(name string) *schema.Table)) []Difference {
	t.Helper()
	all := definitions(t)
	slices.SortFunc(all, func(a, b Definition) int { return strings.Compare(b.Component, a.Component) }) // whatever their order
	core := slices.IndexFunc(all, func(d Definition) bool { return d.Component == "core" })
	all[0], all[core] = all[core], all[0]
	db := Database{Dialect: dialect, Prefix: "mdl_"}
	for _, d := range all {
		for i := range d.Tables {
			if d.Component == "block_y" && d.Tables[i].Name == "config" {
				continue
			}
			db.Tables = append(db.Tables, d.Tables[i].On(dialect, "mdl_", taker()))
		}
	}
	change(&db, func(name string) *schema.Table {
		i := slices.IndexFunc(db.Tables, func(t schema.Table) bool { return t.Name == name })
		return &db.Tables[i]
	})
	return Compare(all, db)
}

type tables = func(name string) *schema.Table

func without(db *Database, name string) {
	db.Tables = slices.DeleteFunc(db.Tables, func(t schema.Table) bool { return t.Name == name })
}

func TestDifferences(t *testing.T) {
	count := func(get tables) *schema.Column { return get("config").Column("count") }
	for name, c := range map[string]struct {
		change func(db *Database, get tables)
		want   string // SEVERITY COMPONENT ID: TEXT; "" for none
	}{
		"nothing":       {func(*Database, tables) {}, ""},
		"missing table": {func(db *Database, _ tables) { without(db, "block_y") }, "noted block_y missing_table:block_y: table block_y is missing"},
		"extra table": {func(db *Database, _ tables) { db.Tables = append(db.Tables, schema.Table{Name: "zzz"}) },
			"included  extra_table:zzz: table zzz is not defined by any component"},
		"extra table of a plugin that is gone": {func(db *Database, _ tables) {
			db.Tables = append(db.Tables, schema.Table{Name: "tool_gone"})
			db.Owner = func(table string) string { return table }
		}, "included tool_gone extra_table:tool_gone: table tool_gone is not defined by any component"},
		"primary key": {func(_ *Database, get tables) { get("config").PrimaryKey = nil },
			"included core changed_table:config:primary_key: table config: the primary key is none, defined as id"},
		"sequence": {func(_ *Database, get tables) { get("config").Sequence = nil },
			"included core changed_table:config:sequence: table config: the sequence is none, defined as on id"},
		"missing column": {func(_ *Database, get tables) { get("config").Columns = get("config").Columns[:3] },
			"noted core missing_column:config.count: table config: column count (smallint) is missing"},
		"extra column": {func(_ *Database, get tables) {
			c := get("config")
			c.Columns = append(c.Columns, schema.Column{Name: "zzz", Type: schema.Type{Kind: schema.Other}, Native: "point"})
		}, "included core extra_column:config.zzz: table config: column zzz (point) is not defined by any component (engine)"},
		"order of columns": {func(_ *Database, get tables) { slices.Reverse(get("config").Columns) }, ""},
		"type": {func(_ *Database, get tables) {
			*count(get) = schema.Column{Name: "count", Type: schema.Type{Kind: schema.Text}, Native: "text", Default: &schema.Default{Value: "1"}}
			count(get).Nullable = false
		}, "included core changed_column:config.count:type: table config: column count: the type is text, defined as smallint"},
		"unsigned": {func(_ *Database, get tables) {
			count(get).Type.Unsigned, count(get).Native = true, "smallint(4) unsigned"
		},
			"included core changed_column:config.count:type: table config: column count: the type is smallint(4) unsigned, defined as smallint"},
		"larger integer": {func(_ *Database, get tables) { count(get).Type.Size = 8 }, ""},
		"smaller integer": {func(_ *Database, get tables) {
			get("config").Column("id").Type.Size, get("config").Column("id").Native = 4, "integer"
		},
			"included core changed_column:config.id:length: table config: column id: the length is integer, defined as bigint"},
		"longer char": {func(_ *Database, get tables) {
			get("config").Column("name").Type.Length, get("config").Column("name").Native = 2000, "character varying(2000)"
		}, "included core changed_column:config.name:length: table config: column name: the length is character varying(2000), defined as character varying(255)"},
		"decimals": {func(_ *Database, get tables) {
			get("x_things").Column("grade").Type.Scale, get("x_things").Column("grade").Native = 2, "numeric(10,2)"
		},
			"included mod_x changed_column:x_things.grade:length: table x_things: column grade: the length is numeric(10,2), defined as numeric(10,5)"},
		"shorter text": {func(_ *Database, get tables) {
			get("config").Column("value").Type.Length, get("config").Column("value").Native = 65535, "shorttext"
		},
			"included core changed_column:config.value:length: table config: column value: the length is shorttext, defined as text"},
		"null": {func(_ *Database, get tables) { get("config").Column("value").Nullable = true },
			"included core changed_column:config.value:null: table config: column value: the nullability is NULL, defined as NOT NULL"},
		"default": {func(_ *Database, get tables) { count(get).Default.Value = "2" },
			"included core changed_column:config.count:default: table config: column count: the default is '2', defined as '1'"},
		"no default": {func(_ *Database, get tables) { count(get).Default = nil },
			"included core changed_column:config.count:default: table config: column count: the default is none, defined as '1'"},
		"a default as expression": {func(_ *Database, get tables) { count(get).Default = &schema.Default{Value: "f()", Expr: true} },
			"included core changed_column:config.count:default: table config: column count: the default is f(), defined as '1'"},
		"a default written otherwise": {func(_ *Database, get tables) { get("x_things").Column("grade").Default.Value = "0" }, ""},
		"no default for ''":           {func(_ *Database, get tables) { get("config").Column("name").Default = nil }, ""},
		"a declared default NULL": {func(_ *Database, get tables) {
			get("x_things").Column("note").Default = &schema.Default{Value: "NULL", Expr: true}
		}, ""},
		"default of a sequence": {func(_ *Database, get tables) {
			get("config").Column("id").Default = &schema.Default{Value: "nextval()", Expr: true}
		}, ""},
		"missing index":            {func(_ *Database, get tables) { get("config").Indexes = nil }, "noted core missing_index:config.mdl_conf_nam_uix: table config: index mdl_conf_nam_uix (name) is missing"},
		"an index of another name": {func(_ *Database, get tables) { get("config").Indexes[0].Name = "config_by_hand" }, ""},
		"an index twice": {func(_ *Database, get tables) {
			get("config").Indexes = append(get("config").Indexes, get("config").Indexes[0])
		}, ""},
		"an index with storage options": {func(_ *Database, get tables) { get("config").Indexes[0].Options = "WITH (fillfactor='70')" }, ""},
		"extra index": {func(_ *Database, get tables) {
			get("config").Indexes = append(get("config").Indexes, schema.Index{Name: "zzz", Columns: []schema.IndexColumn{{Name: "count"}, {Name: "name"}}})
		}, "included core extra_index:config.zzz: table config: index zzz (count, name) is not defined by any component"},
		"extra index over an expression": {func(_ *Database, get tables) {
			get("config").Indexes = append(get("config").Indexes, schema.Index{Name: "zzz", Native: "USING btree (lower(name))"})
		}, "included core extra_index:config.zzz: table config: index zzz USING btree (lower(name)) is not defined by any component (engine)"},
		"a trigger": {func(db *Database, _ tables) {
			db.Losses = []stage.Loss{{Kind: stage.LossTrigger, Path: "db/config", Where: "trigger audit", Reason: "triggers are not carried"}}
		}, "fails core lost:config.trigger audit: config: trigger audit: triggers are not carried"},
		"a view": {func(db *Database, _ tables) {
			db.Losses = []stage.Loss{{Kind: stage.LossView, Path: "db/zzz_view", Reason: "views are not carried"}, {Kind: stage.LossUnreadable, Path: "filedir/x"}}
		}, "fails  lost:zzz_view.view: zzz_view: view: views are not carried"},
		"a column that can't be transferred": {func(db *Database, get tables) {
			get("config").Columns = get("config").Columns[:3]
			db.Losses = []stage.Loss{{Kind: stage.LossColumn, Path: "db/config", Where: "column count", Reason: "a generated column"}}
		}, "fails core lost:config.column count: config: column count: a generated column"},
		"what an upgrade explains": {func(db *Database, _ tables) {
			without(db, "x_things")
			db.Pending = func(component string) string { return component + " is not installed" }
		}, "noted mod_x missing_table:x_things: table x_things is missing: mod_x is not installed"},
	} {
		t.Run(name, func(t *testing.T) {
			var lines []string
			for _, d := range changed(t, Postgres, c.change) {
				line := string(d.Severity) + " " + d.Component + " " + d.ID() + ": " + d.String()
				if d.EngineOwn {
					line += " (engine)"
				}
				lines = append(lines, line)
				if d.Remedy() == "" {
					t.Errorf("no remedy for %s", d)
				}
			}
			if got := strings.Join(lines, "\n"); got != c.want {
				t.Errorf("differences\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}

// MySQL keeps no digits of integers, MariaDB does; both are as defined.
func TestDigitsOfIntegers(t *testing.T) {
	for length, want := range map[int]int{0: 0, 10: 0, 20: 0, 5: 1} {
		got := changed(t, MySQL, func(_ *Database, get tables) { get("config").Column("id").Type.Length = length })
		if len(got) != want {
			t.Errorf("bigint(%d): %v", length, got)
		}
	}
}

// Core comes first, then plugins by name, then tables of no component.
func TestOrderOfDifferences(t *testing.T) {
	var want []string
	for try := range 5 {
		var got []string
		for _, d := range changed(t, MySQL, func(db *Database, get tables) {
			get("config").Indexes = append(get("config").Indexes, schema.Index{Name: "b", Columns: []schema.IndexColumn{{Name: "count"}}}, schema.Index{Name: "a", Columns: []schema.IndexColumn{{Name: "value"}}})
			get("config").Columns = append(get("config").Columns, schema.Column{Name: "zz"}, schema.Column{Name: "aa"})
			get("x_things").Columns = get("x_things").Columns[:2]
			get("x_things").Indexes = nil
			without(db, "block_y")
			db.Tables = append(db.Tables, schema.Table{Name: "b"}, schema.Table{Name: "a"})
			if try%2 == 1 {
				slices.Reverse(db.Tables)
			}
		}) {
			got = append(got, d.ID())
		}
		if want == nil {
			want = []string{
				"extra_column:config.aa", "extra_column:config.zz", "extra_index:config.a", "extra_index:config.b",
				"missing_table:block_y",
				"missing_column:x_things.grade", "missing_column:x_things.kind", "missing_column:x_things.note",
				"missing_index:x_things.mdl_xthin_kin_ix", "missing_index:x_things.mdl_xthin_namkin_uix",
				"extra_table:a", "extra_table:b",
			}
		}
		if !slices.Equal(got, want) {
			t.Fatalf("differences\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
}
