package mysql

import (
	"strings"
	"testing"

	"github.com/lmsvault/vault/core/rows"
	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/internal/sqlshape"
)

// one returns a table in which every text that ends up in SQL is set.
func one(name, column, native, value, options, collation, index, indexText, method, comment string, expr bool) schema.Table {
	t := schema.Table{Name: name, Dialect: Dialect, Options: options, Collation: collation, Comment: comment, PrimaryKey: []string{column}}
	t.Columns = []schema.Column{
		{Name: column, Type: schema.Type{Kind: schema.Char, Length: 20}, Native: native, Collation: collation, Comment: comment, Default: &schema.Default{Value: value, Expr: expr}},
		{Name: "n", Type: schema.Type{Kind: schema.Int, Size: 8}, Native: "bigint", Default: &schema.Default{Value: value}},
		{Name: "b", Type: schema.Type{Kind: schema.Bit, Length: 3}, Native: "bit(3)", Default: &schema.Default{Value: value}},
		{Name: "x", Type: schema.Type{Kind: schema.Binary}, Native: "blob", Default: &schema.Default{Value: value}},
		{Name: "j", Type: schema.Type{Kind: schema.JSON}, Native: native},
	}
	t.Indexes = []schema.Index{{Name: index, Native: indexText}, {Name: index, Method: method, Columns: []schema.IndexColumn{{Name: "n"}}}, {Name: index, Method: method, Native: indexText}}
	for i := range t.Columns {
		if d := t.Columns[i].Default; d != nil {
			d.Native = value
		}
	}
	for i := range t.Indexes {
		t.Indexes[i].Comment, t.Indexes[i].Options = comment, options
	}
	t.PrimaryKeyName, t.Sequence = index, &schema.Sequence{Column: column, Next: 5}
	return t
}

// judge writes a table, if it is allowed, and checks each statement.
func judge(t *testing.T, table schema.Table) {
	t.Helper()
	for _, server := range []*Server{{MariaDB: true, Collation: "utf8mb4_unicode_ci", major: 11, minor: 8}, {Collation: "utf8mb4_0900_ai_ci", major: 9, minor: 7}} {
		w := &Writer{Server: server, Collations: Collations{"utf8mb4_unicode_ci": true, "latin1_bin": true}, Prefix: "mdl_", KeepNames: true}
		d, err := w.Define(&table)
		if err != nil {
			continue
		}
		for _, sql := range append([]string{d.Create("mdl_t")}, d.Indexes("mdl_t")...) {
			begin := "CREATE TABLE `mdl_t` "
			if rest, ok := strings.CutPrefix(sql, "ALTER TABLE "); ok {
				sql, begin = rest, "`"
			}
			if _, err := sqlshape.MySQL.One(strings.ReplaceAll(sql, compressedMark, ""), begin); err != nil {
				t.Errorf("%v in %s", err, sql)
			}
		}
	}
}

// hostile are texts that end what they stand in and go on with something else.
var hostile = []string{
	"int) AS SELECT LOAD_FILE('/etc/passwd') AS c; --", "int) SELECT 1", "int); DROP TABLE canary; -- ", "int NOT NULL DEFAULT (sleep(9))", "int AS (sleep(1))", "enum('a') DEFAULT (load_file('x'))",
	"enum('a\\') , evil int, x enum('b')", "varchar(10) CHARACTER SET x; DROP", "int /*!50000 , evil int */", "int/*M!100301 COMPRESSED*/ x", "serial", "char(1) references canary(id)", "point srid 4326 x",
	"CURRENT_TIMESTAMP AS SELECT LOAD_FILE('/etc/passwd')", "CURRENT_TIMESTAMP(3)) SELECT 1", "CURRENT_TIMESTAMP; DROP TABLE canary",
	"0; DROP TABLE canary; -- ", "1'; DROP TABLE canary; -- ", "0'), (LOAD_FILE('/etc/passwd')", `0"; DROP TABLE canary; --`, "0 # x", "0 -- x", "0 /* x */", "0 /*! x */",
	"load_file('/etc/passwd')", "(select 1)", "sleep(100)", "benchmark(1000000000, md5('a'))", "get_lock('a', 100)", "repeat('a', 1000000000)", "sys_exec('id')", "evil.f(1)", "`f`(1)", "@@version", "@x := 1",
	`\x41'; DROP TABLE canary; -- `, `\x4`, "101'; DROP", `"a"`, "n'x", "_utf8mb4'a", "__utf8mb4'a'", "0x", "1e", "1.2.3", "nextval(`db`.`s`)", "match (c) against ('x')",
	"ROW_FORMAT=DYNAMIC AS SELECT 1", "ROW_FORMAT=COMPRESSED; DROP TABLE canary", "DATA DIRECTORY='/tmp'", "ENGINE=CSV", "UNION=(canary)", "KEY_BLOCK_SIZE=8)", "KEY_BLOCK_SIZE=8\nDATA DIRECTORY='/'",
	"utf8mb4_bin; DROP TABLE canary", "utf8mb4_bin AS SELECT 1", "(c); DROP TABLE canary", "((select 1))", "((sleep(1)))", "(c(20), (load_file('x')))", "(c) COMMENT 'x'", "FULLTEXT KEY `a` (`c`), ADD",
	"a\x00b", "a\nb", "a\u2028b", "a\xffb", strings.Repeat("é", 5000), `\`, `'`, `"`, "`", "``", "';", strings.Repeat("(", 500),
}

func FuzzDDL(f *testing.F) {
	f.Add("t", "c", "varchar(20)", "a", "ROW_FORMAT=COMPRESSED", "latin1_bin", "i", "((lower(`c`)), `n` DESC)", "FULLTEXT", "note", false)
	f.Add("t", "c", "enum('a','it''s','b\\\\')", "concat('a\\\\', `n`, \"\")", "", "", "i", "(`c`(20))", "", "it's", true)
	for _, evil := range hostile {
		f.Add("t", "c", evil, "0", "", "", "i", "(`n`)", "", "", false)
		f.Add("t", "c", "varchar(20)", evil, "", "", "i", "(`n`)", "", "", true)
		f.Add("t", "c", "varchar(20)", evil, "", "", "i", "(`n`)", "", "", false)
		f.Add("t", "c", "varchar(20)", "0", evil, evil, "i", evil, "", "", false)
		f.Add(evil, evil, "varchar(20)", "0", "", "", evil, "("+evil+")", evil, evil, false)
	}
	f.Fuzz(func(t *testing.T, name, column, native, value, options, collation, index, indexText, method, comment string, expr bool) {
		judge(t, one(name, column, native, value, options, collation, index, indexText, method, comment, expr))
	})
}

// Types, defaults and indexes written by servers and the type map are allowed.
func TestTypesDefaultsAndIndexesFromServersAreAllowed(t *testing.T) {
	for native, want := range map[string]string{
		"bigint(20) unsigned": "", "BIGINT(10) UNSIGNED": "bigint(10) unsigned", "int(5) unsigned zerofill": "", "decimal(38,18)": "", "enum('a','c''d','x\\\\y')": "enum('a','c\\'d','x\\\\y')",
		"set('x','y')": "", "point srid 4326": "", "longtext /*M!100301 COMPRESSED*/": "", "timestamp /* mariadb-5.3 */": "timestamp", "varchar(10)/*old*/": "varchar(10)", "vector(3)": "", "inet6": "", "LONGTEXT": "longtext",
	} {
		if want == "" {
			want = native
		}
		if n, err := parseNative(native); err != nil || n.String() != want {
			t.Errorf("type %s: %s, %v", native, n.String(), err)
		}
	}
	table := one("t", "name", "varchar(20)", "", "", "", "i", "", "", "", false)
	for _, text := range []string{
		"CURRENT_TIMESTAMP", "CURRENT_TIMESTAMP(3)", "uuid()", "(current_timestamp() + interval 1 day)", "concat('a\\\\b','c\\'d',`name`)", "(1 + -1)", "curdate()",
		"(cast('1.5' as decimal(10,2)))", "json_object('a',1)", "date_format(current_timestamp(),'%Y')", "(case when `n` = 1 then 2 else 3 end)", "left(md5(rand()),8)", "uuid_to_bin(uuid())", "json_array()",
		"concat(_utf8mb4'it\\'s',_latin1'x')", "(`n` is not null)", "if((`n` > 0),1,0)", "x'00ff'", "b'101'", "convert(`name` using utf8mb4)", "extract(year from now())",
	} {
		c := table.Columns[0]
		c.Default = &schema.Default{Value: text, Expr: true}
		if err := refuseDefault(&table, &c); err != nil {
			t.Errorf("default %s: %v", text, err)
		}
	}
	for _, text := range []string{
		"((lower(`name`)))", "((lower(`name`)) DESC, `n`)", "(`name`(20), (`n` + 1))", "((cast(json_extract(`j`,_utf8mb4'$.a') as unsigned array)))", "((cast(json_unquote(json_extract(`j`,_utf8mb4'$.x')) as char(10) charset utf8mb4) collate utf8mb4_bin))",
		"((json_value(`j`, _utf8mb4'$.a' returning unsigned)))",
	} {
		if err := refuseIndexText(&table, text); err != nil {
			t.Errorf("index %s: %v", text, err)
		}
	}
}

// Text that ends its clause, or calls a function that is not listed, is refused.
func TestHostileTextIsRefused(t *testing.T) {
	table := one("t", "c", "varchar(20)", "", "", "", "i", "", "", "", false)
	for _, evil := range hostile {
		if _, err := parseNative(evil); err == nil {
			t.Errorf("type %.60q passes", evil)
		}
		c := table.Columns[0]
		c.Default = &schema.Default{Value: evil, Expr: true}
		if refuseDefault(&table, &c) == nil {
			t.Errorf("default %.60q passes", evil)
		}
		for _, c := range table.Columns[2:4] {
			if c.Default = (&schema.Default{Value: evil}); refuseDefault(&table, &c) == nil {
				t.Errorf("%s default %.60q passes", c.Type.Kind, evil)
			}
		}
		if refuseIndexText(&table, evil) == nil {
			t.Errorf("index %.60q passes", evil)
		}
		if refuseOptions(evil) == nil {
			t.Errorf("options %.60q pass", evil)
		}
	}
}

// Cells of a forged snapshot stay within their literals.
func FuzzForgedCell(f *testing.F) {
	for _, evil := range []string{`\'), ((SELECT LOAD_FILE('/etc/passwd'))) -- `, `'),(1`, `\\`, `\`, `\\x41'),(1`, `\\x4g`, `101'),(1`, `1.5'),(1`, `\N`, `a\tb\\`, `it's`, "\xbf'", "\xbf\\'"} {
		f.Add([]byte(evil))
	}
	f.Fuzz(func(t *testing.T, cell []byte) {
		for _, kind := range []schema.Type{{Kind: schema.Text}, {Kind: schema.Binary}, {Kind: schema.Bit, Length: 8}, {Kind: schema.Float, Size: 4}, {Kind: schema.Int, Size: 8}} {
			text, err := AppendLiteral(nil, &schema.Column{Name: "c", Type: kind}, cell)
			if err != nil || rows.IsNull(cell) {
				continue
			}
			if outside, err := sqlshape.MySQL.One(string(text), ""); err != nil || strings.Trim(outside, "xb §") != "" || strings.Count(outside, "§") != 1 {
				t.Errorf("%s cell %q becomes %s: %v", kind.Kind, cell, text, err)
			}
		}
	})
}
