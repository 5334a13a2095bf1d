package mysql

import (
	"slices"
	"strings"
	"testing"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/dialects/mysql"
)

// A forged snapshot executes nothing on the server: Check refuses or loses its text,
// and even without Check, Begin and Finish create only tables from it.
func TestForgedSnapshotExecutesNothing(t *testing.T) {
	const drop = "; DROP TABLE canary; -- "
	text := schema.Column{Name: "c", Type: schema.Type{Kind: schema.Char, Length: 200}, Native: "varchar(200)", Nullable: true}
	with := func(change func(x *schema.Table, c *schema.Column)) schema.Table {
		x := schema.Table{Name: "t", Dialect: mysql.Dialect, PrimaryKey: []string{"id"}, Columns: []schema.Column{{Name: "id", Type: schema.Type{Kind: schema.Int, Size: 8}, Native: "bigint"}, text}}
		change(&x, &x.Columns[1])
		return x
	}
	expr := func(value string) schema.Table {
		return with(func(_ *schema.Table, c *schema.Column) { c.Default = &schema.Default{Value: value, Expr: true} })
	}
	plain := func(kind schema.Kind, native, value string) schema.Table {
		return with(func(_ *schema.Table, c *schema.Column) {
			c.Type, c.Native, c.Default = schema.Type{Kind: kind, Length: 8}, native, &schema.Default{Value: value}
		})
	}
	index := func(x schema.Index) schema.Table {
		return with(func(t *schema.Table, _ *schema.Column) { t.Indexes = []schema.Index{x} })
	}
	cases := map[string]struct {
		table schema.Table
		lost  stage.LossKind // "": refused; "nothing": it is quoted
	}{
		"type":            {with(func(_ *schema.Table, c *schema.Column) { c.Native = "int)" + drop }), ""},
		"create as":       {with(func(_ *schema.Table, c *schema.Column) { c.Native = "int) AS SELECT LOAD_FILE('/etc/passwd') AS c -- " }), ""},
		"generated":       {with(func(_ *schema.Table, c *schema.Column) { c.Native = "int AS (sleep(100))" }), ""},
		"comment in type": {with(func(_ *schema.Table, c *schema.Column) { c.Native = "int /*!50000 , evil int */" }), ""},
		"options": {with(func(x *schema.Table, _ *schema.Column) {
			x.Options = "ROW_FORMAT=DYNAMIC AS SELECT 1 AS id, LOAD_FILE('/etc/passwd') AS c"
		}), ""},
		"directory":       {with(func(x *schema.Table, _ *schema.Column) { x.Options = "DATA DIRECTORY='/tmp'" }), ""},
		"NUL in a name":   {with(func(_ *schema.Table, c *schema.Column) { c.Name = "a\x00b" }), ""},
		"not UTF-8":       {with(func(_ *schema.Table, c *schema.Column) { c.Name = "a\xffb" }), ""},
		"timestamp":       {expr("CURRENT_TIMESTAMP) AS SELECT LOAD_FILE('/etc/passwd') AS c -- "), stage.LossDefault},
		"default":         {expr("1)" + drop), stage.LossDefault},
		"file":            {expr("load_file('/etc/passwd')"), stage.LossDefault},
		"query":           {expr("(select 1)"), stage.LossDefault},
		"stored function": {expr("evil()"), stage.LossDefault},
		"bits":            {plain(schema.Bit, "bit(8)", "1'"+drop), stage.LossDefault},
		"hex":             {plain(schema.Binary, "varbinary(8)", `\x41'`+drop), stage.LossDefault},
		"index":           {index(schema.Index{Name: "i", Native: "(`c`)" + drop}), stage.LossIndex},
		"index function":  {index(schema.Index{Name: "i", Native: "((sleep(100)))"}), stage.LossIndex},
		"index method":    {index(schema.Index{Name: "i", Native: "(`c`)", Method: "KEY x (id), ADD"}), stage.LossIndex},
		"spelled default": {with(func(_ *schema.Table, c *schema.Column) {
			c.Default = &schema.Default{Value: `x\`, Native: `'x\'` + drop}
		}), "nothing"},
		"spelled expression": {with(func(_ *schema.Table, c *schema.Column) {
			c.Default = &schema.Default{Value: "uuid()", Expr: true, Native: "uuid()" + drop}
		}), "nothing"},
		"index comment":   {index(schema.Index{Name: "i", Comment: `\'` + drop, Options: drop, Columns: []schema.IndexColumn{{Name: "c", Prefix: 5}}}), "nothing"},
		"name of the key": {with(func(x *schema.Table, _ *schema.Column) { x.PrimaryKeyName = "`" + drop }), "nothing"},
		"plain default":   {with(func(_ *schema.Table, c *schema.Column) { c.Default = &schema.Default{Value: `\'` + drop} }), "nothing"},
		"comments":        {with(func(x *schema.Table, c *schema.Column) { x.Comment, c.Comment = "'"+drop, `\'`+drop }), "nothing"},
		"values":          {with(func(_ *schema.Table, c *schema.Column) { c.Native = `enum('a\\','\'` + drop + `')` }), "nothing"},
		"column":          {with(func(_ *schema.Table, c *schema.Column) { c.Name = "`\n\u2028'; DROP TABLE canary; --x" }), "nothing"},
		"table":           {with(func(x *schema.Table, _ *schema.Column) { x.Name = "`; DROP TABLE canary; --x" }), "nothing"},
		"collation":       {with(func(x *schema.Table, _ *schema.Column) { x.Collation = "utf8mb4_bin" + drop }), "nothing"},
		"index name":      {index(schema.Index{Name: "`; DROP TABLE canary; --x", Columns: []schema.IndexColumn{{Name: "c", Prefix: 5}}}), "nothing"},
	}
	for _, engine := range engines {
		t.Run(engine.name, func(t *testing.T) {
			t.Parallel()
			db := engine.make(t)
			exec(t, db, "CREATE TABLE canary (sings int)", "INSERT INTO canary VALUES (1)")
			for name, c := range cases {
				s := open(t, Config{DSN: config.NewSecret(db.DSN), Prefix: "mdl_"})
				p := &stage.Plan{Workers: 1, Replace: stage.ReplaceInPlace, Facts: map[string]string{"prefix": "mdl_", "dialect": mysql.Dialect}, Tables: []stage.TableInfo{{Schema: c.table}}}
				found, err := s.Check(t.Context(), p)
				losses := found.Losses
				switch {
				case c.lost == "" && failure.Of(err) != failure.Refused, c.lost != "" && err != nil:
					t.Errorf("%s: Check returned %v", name, err)
				case c.lost == stage.LossDefault || c.lost == stage.LossIndex:
					if len(losses) != 1 || losses[0].Kind != c.lost {
						t.Errorf("%s: losses %+v", name, losses)
					}
				case len(losses) > 0:
					t.Errorf("%s: losses %+v", name, losses)
				}
				if err = s.Begin(t.Context(), p); err == nil {
					err = s.Finish(t.Context(), &stage.Outcome{})
				}
				if (err != nil) != (c.lost == "") {
					t.Errorf("%s: the restore ended with %v", name, err)
				}
				if err := s.Abort(t.Context()); err != nil {
					t.Error(err)
				}
				if got := one(t, db, "SELECT sings FROM canary"); got != "1" {
					t.Fatalf("%s: the canary contains %q", name, got)
				}
				if c.lost != "" {
					if got := one(t, db, "SELECT COUNT(*) FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = "+mysql.Literal("mdl_"+c.table.Name)); got != "2" {
						t.Errorf("%s: the table has %s columns", name, got)
					}
					if got := one(t, db, "SELECT COUNT(*) FROM "+mysql.Ident("mdl_"+c.table.Name)); got != "0" {
						t.Errorf("%s: the table has %s rows", name, got)
					}
				}
			}
		})
	}
}

// Rows of a forged snapshot remain rows: a value that does not fit its column ends
// the restore and executes nothing.
func TestForgedRowsExecuteNothing(t *testing.T) {
	db := engines[0].make(t)
	table := schema.Table{Name: "t", Dialect: mysql.Dialect, Columns: []schema.Column{
		{Name: "t", Type: schema.Type{Kind: schema.Text}, Native: "longtext"}, {Name: "x", Type: schema.Type{Kind: schema.Binary}, Native: "longblob"}, {Name: "b", Type: schema.Type{Kind: schema.Bit, Length: 8}, Native: "bit(8)"},
		{Name: "f", Type: schema.Type{Kind: schema.Float, Size: 4}, Native: "float"},
	}}
	for _, row := range []string{
		`\', 'x', 'x', 'x'), ((SELECT CURRENT_USER()), '', b'1', 1) -- ` + "\t" + `\\x41` + "\t1\t1\n",
		"a\t" + `\\x41', b'1', 1), ((SELECT CURRENT_USER()), '', b'1', 1) -- ` + "\t1\t1\n",
		"a\t" + `\\x41` + "\t1', 1), ((SELECT CURRENT_USER()), '', b'1', 1) -- \t1\n",
		"a\t" + `\\x41` + "\t1\t1'), ((SELECT CURRENT_USER()), '', b'1', 1) -- \n",
	} {
		s := open(t, Config{DSN: config.NewSecret(db.DSN), Prefix: "mdl_", Load: loadInsert})
		p := &stage.Plan{Workers: 1, Replace: stage.ReplaceInPlace, Facts: map[string]string{}, Tables: []stage.TableInfo{{Schema: table}}}
		if err := s.Begin(t.Context(), p); err != nil {
			t.Fatal(err)
		}
		w, err := s.WriteRows(t.Context(), stage.Unit{ID: "db/t", Part: stage.DB, Table: "t"})
		if err != nil {
			t.Fatal(err)
		}
		receipt := &stage.Receipt{}
		err = w.Write(t.Context(), stage.Chunk{Data: []byte(row), Rows: 1})
		if err == nil { // a plugin process reports it later
			receipt, err = w.Commit(t.Context())
		}
		if err == nil && len(receipt.Losses) != 1 {
			t.Errorf("%s is accepted", row)
		}
		if err := w.Abort(t.Context()); err != nil {
			t.Error(err)
		}
		if got := one(t, db, "SELECT COUNT(*) FROM mdl_t"); got != "0" {
			t.Errorf("%s creates %s rows", row, got)
		}
		if err := s.Abort(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

// A hostile or merely odd database is read and restored exactly, whatever sql_mode
// its tables were created under.
func TestHostileDatabaseIsRestored(t *testing.T) {
	for _, engine := range engines {
		t.Run(engine.name, func(t *testing.T) {
			t.Parallel()
			from, to := engine.make(t), engine.make(t)
			exec(t, from, "SET SESSION sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES'",
				`CREATE TABLE "mdl_`+"`"+`; DROP TABLE canary; --x" (id int PRIMARY KEY COMMENT 'a\''; DROP TABLE canary; --', "a'b""c\;--" varchar(60) DEFAULT 'a\''; DROP TABLE canary; -- ', e enum('\','''; DROP TABLE canary; -- ','/*') DEFAULT '\',
					x varchar(60) DEFAULT (concat('"; DROP TABLE canary; -- ', "a'b""c\;--")), KEY "i`+"`"+`\; --x" ("a'b""c\;--"(10) DESC)) COMMENT '\''; DROP TABLE canary; -- '`,
				"INSERT INTO `mdl_``; DROP TABLE canary; --x` (id, `a'b\"c\\;--`) VALUES (1, 'x')", "SET SESSION sql_mode = DEFAULT")
			exec(t, to, "CREATE TABLE canary (sings int)")
			c := carry(t, from, Config{DSN: config.NewSecret(to.DSN), Prefix: "mdl_"})
			if len(c.losses) > 0 {
				t.Errorf("lost %+v", c.losses)
			}
			name := siteTables(t, from, "mdl_")
			if got := siteTables(t, to, ""); !slices.Equal(got, append([]string{"canary"}, name...)) {
				t.Errorf("there is %q", got)
			}
			show := "SHOW CREATE TABLE " + mysql.Ident(name[0])
			if a, b := one(t, from, show), one(t, to, show); a != b || !strings.Contains(a, "DROP TABLE canary") {
				t.Errorf("structure\n%s\nwant\n%s", b, a)
			}
		})
	}
}
