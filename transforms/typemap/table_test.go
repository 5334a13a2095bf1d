package typemap

import (
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/core/stage"
)

var (
	bigint = schema.Type{Kind: schema.Int, Size: 8}
	text   = schema.Type{Kind: schema.Text}
)

func char(n int) schema.Type { return schema.Type{Kind: schema.Char, Length: n} }

func table(t *testing.T, from schema.Table, to string) stage.Mapped {
	t.Helper()
	m, err := New(Config{}).Table(t.Context(), from, to)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func wantLoss(t *testing.T, m stage.Mapped, want ...string) {
	t.Helper()
	var got []string
	for _, l := range m.Losses {
		if l.Path != "db/"+m.From.Name || l.Count != 1 || l.Reason == "" {
			t.Errorf("loss %+v", l)
		}
		got = append(got, string(l.Kind)+" "+l.Where)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("losses %q, want %q", got, want)
	}
}

// A backup, and a copy within one engine family, keep the table exactly.
func TestSameDialectIsUnchanged(t *testing.T) {
	from := schema.Table{Name: "user", Dialect: mysql, Collation: "utf8mb4_unicode_ci", Options: "ROW_FORMAT=COMPRESSED",
		Columns: []schema.Column{{Name: "id", Type: bigint, Native: "bigint(10)", Default: &schema.Default{Value: "rand()", Expr: true}}},
		Indexes: []schema.Index{{Name: "ft", Method: "FULLTEXT"}}, Sequence: &schema.Sequence{Column: "id", Next: 5}}
	for _, target := range []string{mysql, ""} {
		m := table(t, from, target)
		if !reflect.DeepEqual(m.Schema, from) || m.Rewrite || len(m.Losses)+len(m.Notes) > 0 {
			t.Errorf("to %q: %+v", target, m)
		}
	}
}

func TestTableToPostgres(t *testing.T) {
	from := schema.Table{Name: "tag", Dialect: mysql, Collation: "utf8mb4_unicode_ci", Options: "ROW_FORMAT=COMPRESSED", Comment: "tags",
		Columns: []schema.Column{
			{Name: "id", Type: bigint, Native: "bigint(10)"},
			{Name: "name", Type: char(255), Native: "varchar(255)", Default: &schema.Default{}, Collation: "utf8mb4_bin", Comment: "shown"},
			{Name: "made", Type: schema.Type{Kind: schema.Timestamp}, Nullable: true, Default: &schema.Default{Value: "CURRENT_TIMESTAMP", Expr: true}},
		},
		PrimaryKey: []string{"id"}, Sequence: &schema.Sequence{Column: "id", Next: 77},
		Indexes: []schema.Index{{Name: "mdl_tag_nam_uix", Unique: true, Columns: []schema.IndexColumn{{Name: "name", Desc: true}}}},
	}
	want := schema.Table{Name: "tag", Dialect: postgres, Comment: "tags",
		Columns: []schema.Column{
			{Name: "id", Type: bigint, Native: "BIGINT"},
			{Name: "name", Type: char(255), Native: "VARCHAR(255)", Default: &schema.Default{}, Comment: "shown"},
			{Name: "made", Type: schema.Type{Kind: schema.Timestamp}, Native: "TIMESTAMPTZ(0)", Nullable: true, Default: &schema.Default{Value: "CURRENT_TIMESTAMP", Expr: true}},
		},
		PrimaryKey: []string{"id"}, Sequence: &schema.Sequence{Column: "id", Next: 77}, Indexes: from.Indexes,
	}
	m := table(t, from, postgres)
	if !reflect.DeepEqual(m.Schema, want) || m.Rewrite {
		t.Errorf("got  %+v\nwant %+v", m.Schema, want)
	}
	wantLoss(t, m)
}

func TestDefaults(t *testing.T) {
	m := table(t, schema.Table{Name: "d", Dialect: postgres, Columns: []schema.Column{
		{Name: "on", Type: schema.Type{Kind: schema.Bool}, Default: &schema.Default{Value: "t"}},
		{Name: "body", Type: text, Default: &schema.Default{Value: ""}},
		{Name: "key", Type: char(36), Default: &schema.Default{Value: "gen_random_uuid()", Expr: true}},
		{Name: "at", Type: schema.Type{Kind: schema.Date}, Default: &schema.Default{Value: "CURRENT_TIMESTAMP", Expr: true}},
		{Name: "made", Type: schema.Type{Kind: schema.Timestamp, Scale: 6}, Default: &schema.Default{Value: "CURRENT_TIMESTAMP", Expr: true}},
	}}, mysql)
	if d := m.Schema.Columns[4].Default; d == nil || d.Value != "CURRENT_TIMESTAMP(6)" || !d.Expr {
		t.Errorf("MySQL wants the precision of the column, not %+v", d)
	}
	if d := m.Schema.Columns[0].Default; d == nil || d.Value != "1" {
		t.Errorf("true became %+v", d)
	}
	if d := m.Schema.Columns[1].Default; d == nil || d.Value != "" {
		t.Errorf("the default of a text column became %+v", d)
	}
	wantLoss(t, m, "default column key", "default column at")

	m = table(t, schema.Table{Name: "d", Dialect: mysql, Columns: []schema.Column{
		{Name: "made", Type: schema.Type{Kind: schema.DateTime, Scale: 3}, Default: &schema.Default{Value: "CURRENT_TIMESTAMP(3)", Expr: true}},
		{Name: "seen", Type: schema.Type{Kind: schema.DateTime}, OnUpdate: true, Default: &schema.Default{Value: "CURRENT_TIMESTAMP", Expr: true}},
	}}, postgres)
	for _, c := range m.Schema.Columns { // of seen, only ON UPDATE is lost
		if d := c.Default; d == nil || d.Value != "CURRENT_TIMESTAMP" || !d.Expr || c.OnUpdate {
			t.Errorf("column %s has %+v, on update: %v", c.Name, d, c.OnUpdate)
		}
	}
	wantLoss(t, m, "default column seen")
}

// What only PostgreSQL's keys and constraints have is noted; a default of NULL is no
// default.
func TestKeysOfPostgresAreNoted(t *testing.T) {
	from := schema.Table{Name: "k", Dialect: postgres, PrimaryKey: []string{"id"}, PrimaryKeyIndex: &schema.KeyIndex{Include: []string{"n"}, Timing: "DEFERRABLE", Options: "WITH (fillfactor='70')"},
		Columns: []schema.Column{{Name: "id", Type: bigint}, {Name: "n", Type: bigint, Nullable: true, Default: &schema.Default{Value: "NULL", Expr: true, Native: "NULL::bigint"}}},
		Indexes: []schema.Index{{Name: "u", Unique: true, Constraint: "UNIQUE DEFERRABLE INITIALLY DEFERRED", Columns: []schema.IndexColumn{{Name: "n"}}}}}
	for _, target := range []string{mysql, sqlite} {
		m := table(t, from, target)
		wantLoss(t, m)
		var notes []string
		for _, n := range m.Notes {
			notes = append(notes, n.Text)
		}
		want := []string{
			"the primary key is checked immediately: " + target + " has no keys that are DEFERRABLE",
			"the index of the primary key does not include n: " + target + " has no such keys",
			"index u is checked immediately: " + target + " has no constraints that are DEFERRABLE INITIALLY DEFERRED",
		}
		if !reflect.DeepEqual(notes, want) {
			t.Errorf("to %s: notes %q, want %q", target, notes, want)
		}
		if m.Schema.PrimaryKeyIndex != nil || m.Schema.Columns[1].Default != nil || !reflect.DeepEqual(m.Schema.PrimaryKey, from.PrimaryKey) || m.Schema.Indexes[0].Constraint != "" {
			t.Errorf("to %s: %+v", target, m.Schema)
		}
	}
}

// A decimal's default has its column's digits; a value that the target cannot hold is
// a loss that names the column.
func TestDefaultsThatDoNotFit(t *testing.T) {
	for _, c := range []struct {
		from, to string
		typ      schema.Type
		value    string
		want     string // "" for a loss
	}{
		{postgres, sqlite, schema.Type{Kind: schema.Decimal, Length: 38, Scale: 19}, "1.00000000000000000000", "1.0000000000000000000"},
		{postgres, mysql, schema.Type{Kind: schema.Decimal, Length: 3, Scale: 1}, "-1.25", "-1.3"},
		{postgres, mysql, schema.Type{Kind: schema.Decimal, Length: 5, Scale: 2}, "1000", ""},
		{postgres, mysql, schema.Type{Kind: schema.Float, Size: 4}, "NaN", ""},
		{postgres, mysql, schema.Type{Kind: schema.Float, Size: 4}, "1e39", ""},
		{postgres, mysql, schema.Type{Kind: schema.Date}, "infinity", ""},
		{postgres, mysql, schema.Type{Kind: schema.Time, Scale: 6}, "24:00:00", "24:00:00"},
		{mysql, postgres, schema.Type{Kind: schema.Date}, "0000-00-00", ""},
		{mysql, postgres, schema.Type{Kind: schema.Date}, "2024-02-30", ""},
		{mysql, postgres, schema.Type{Kind: schema.DateTime}, "2024-02-29 23:59:59", "2024-02-29 23:59:59"},
		{mysql, postgres, text, "a\x00", ""},
		{mysql, postgres, schema.Type{Kind: schema.Year}, "0000", "0"},
		{mysql, sqlite, schema.Type{Kind: schema.Date}, "0000-00-00", "0000-00-00"},
		{sqlite, postgres, schema.Type{Kind: schema.UUID}, "x", ""},
		{sqlite, postgres, schema.Type{Kind: schema.JSON}, "{", ""},
		{sqlite, mysql, schema.Type{Kind: schema.Bit, Length: 3}, "10", ""},
		{sqlite, mysql, schema.Type{Kind: schema.Time}, "839:00:00", ""},
		{sqlite, mysql, char(3), "long", ""},
	} {
		m := table(t, schema.Table{Name: "d", Dialect: c.from, Columns: []schema.Column{{Name: "c", Type: c.typ, Default: &schema.Default{Value: c.value, Native: "old"}}}}, c.to)
		got := m.Schema.Columns[0].Default
		if c.want == "" {
			wantLoss(t, m, "default column c")
		} else if got == nil || *got != (schema.Default{Value: c.want}) {
			t.Errorf("%s default %q to %s: %+v", c.typ.Kind, c.value, c.to, got)
		}
	}
}

func TestSequences(t *testing.T) {
	unsigned := schema.Type{Kind: schema.Int, Size: 8, Unsigned: true}
	from := schema.Table{Name: "s", Dialect: mysql, PrimaryKey: []string{"id"}, Columns: []schema.Column{{Name: "id", Type: unsigned}, {Name: "other", Type: unsigned}}}

	// An id becomes an ordinary BIGINT; what merely refers to it may hold more.
	from.Sequence = &schema.Sequence{Column: "id", Next: math.MaxInt64}
	m := table(t, from, postgres)
	if m.Schema.Columns[0].Native != "BIGINT" || m.Schema.Columns[1].Native != "NUMERIC(20,0)" || m.Schema.Sequence == nil {
		t.Errorf("got %+v", m.Schema)
	}
	if want := (schema.Type{Kind: schema.Int, Size: 8}); !reflect.DeepEqual(m.Schema.Columns[0].Type, want) {
		t.Errorf("id is %+v", m.Schema.Columns[0].Type)
	}
	wantLoss(t, m)

	from.Sequence = &schema.Sequence{Column: "id", Next: math.MaxInt64 + 1}
	m = table(t, from, postgres)
	if m.Schema.Columns[0].Native != "NUMERIC(20,0)" || m.Schema.Sequence != nil {
		t.Errorf("got %+v", m.Schema)
	}
	wantLoss(t, m, "default column id")

	// MySQL supports sequences only for the first column of a key.
	from = schema.Table{Name: "s", Dialect: postgres, Columns: []schema.Column{{Name: "n", Type: bigint}, {Name: "id", Type: bigint}}, Sequence: &schema.Sequence{Column: "id", Next: 1}}
	wantLoss(t, table(t, from, mysql), "default column id")
	from.Indexes = []schema.Index{{Name: "x", Columns: []schema.IndexColumn{{Name: "id"}}}}
	wantLoss(t, table(t, from, mysql))
}

func TestIndexesOfAnotherEngine(t *testing.T) {
	m := table(t, schema.Table{Name: "x", Dialect: mysql,
		Columns: []schema.Column{{Name: "name", Type: char(5000)}, {Name: "body", Type: text}, {Name: "doc", Type: schema.Type{Kind: schema.JSON}}},
		Indexes: []schema.Index{
			{Name: "ft", Method: "FULLTEXT", Columns: []schema.IndexColumn{{Name: "body"}}},
			{Name: "ex", Native: "((lower(name)))"},
			{Name: "pre", Columns: []schema.IndexColumn{{Name: "name", Prefix: 20}}},
			{Name: "upre", Unique: true, Columns: []schema.IndexColumn{{Name: "name", Prefix: 20}}},
			{Name: "tpre", Columns: []schema.IndexColumn{{Name: "body", Prefix: 20}}},
			{Name: "js", Columns: []schema.IndexColumn{{Name: "doc"}}},
		}}, postgres)
	wantLoss(t, m, "index index ft", "index index ex", "index index upre", "index index tpre", "index index js")
	want := []schema.Index{{Name: "pre", Columns: []schema.IndexColumn{{Name: "name"}}}}
	if !reflect.DeepEqual(m.Schema.Indexes, want) || len(m.Notes) != 1 {
		t.Errorf("indexes %+v, notes %v", m.Schema.Indexes, m.Notes)
	}
	if m.From.Indexes[2].Columns[0].Prefix != 20 {
		t.Error("the source's table was changed")
	}
}

// A key of MySQL has at most 3,072 bytes, four per character, and no unlimited text.
// Ordinary indexes are shortened; unique ones are losses.
func TestIndexesToMySQL(t *testing.T) {
	from := schema.Table{Name: "x", Dialect: postgres, PrimaryKey: []string{"code"},
		Columns: []schema.Column{{Name: "code", Type: char(769)}, {Name: "name", Type: char(768)}, {Name: "body", Type: text}, {Name: "n", Type: bigint}},
		Indexes: []schema.Index{
			{Name: "fits", Unique: true, Columns: []schema.IndexColumn{{Name: "name"}}},
			{Name: "over", Columns: []schema.IndexColumn{{Name: "name"}, {Name: "n"}}},
			{Name: "uover", Unique: true, Columns: []schema.IndexColumn{{Name: "name"}, {Name: "n"}}},
			{Name: "txt", Columns: []schema.IndexColumn{{Name: "n"}, {Name: "body"}}},
			{Name: "utxt", Unique: true, Columns: []schema.IndexColumn{{Name: "body"}}},
		}}
	m := table(t, from, mysql)
	wantLoss(t, m, "index primary key", "index index uover", "index index utxt")
	want := []schema.Index{
		{Name: "fits", Unique: true, Columns: []schema.IndexColumn{{Name: "name"}}},
		{Name: "over", Columns: []schema.IndexColumn{{Name: "name", Prefix: 191}, {Name: "n"}}},
		{Name: "txt", Columns: []schema.IndexColumn{{Name: "n"}, {Name: "body", Prefix: 191}}},
	}
	if !reflect.DeepEqual(m.Schema.Indexes, want) || len(m.Notes) != 2 || m.Schema.PrimaryKey != nil {
		t.Errorf("indexes %+v, notes %v, key %v", m.Schema.Indexes, m.Notes, m.Schema.PrimaryKey)
	}
}

// PostgreSQL allows any number of long columns; MySQL 65,535 bytes in total.
func TestRowsTooWideForMySQL(t *testing.T) {
	m := table(t, schema.Table{Name: "wide", Dialect: postgres, Columns: []schema.Column{
		{Name: "a", Type: char(5000)}, {Name: "b", Type: char(12000)}, {Name: "c", Type: char(1333)},
	}}, mysql)
	var native []string
	for _, c := range m.Schema.Columns {
		native = append(native, c.Native)
	}
	if got := strings.Join(native, " "); got != "VARCHAR(5000) LONGTEXT VARCHAR(1333)" {
		t.Errorf("columns are %s", got)
	}
	if len(m.Notes) != 1 {
		t.Errorf("notes %v", m.Notes)
	}
}

// XMLDB creates a second index for LIKE on PostgreSQL where other engines need only
// one: dropping it loses nothing, unless it is the only one.
func TestDuplicateIndexesForLikeAreDropped(t *testing.T) {
	like := schema.Index{Name: "f_pat_ix_pattern", Columns: []schema.IndexColumn{{Name: "path", Operators: "varchar_pattern_ops"}}}
	from := schema.Table{Name: "folder", Dialect: postgres, Columns: []schema.Column{{Name: "path", Type: char(255)}},
		Indexes: []schema.Index{{Name: "f_pat_ix", Columns: []schema.IndexColumn{{Name: "path"}}}, like}}
	m := table(t, from, mysql)
	wantLoss(t, m)
	if len(m.Notes) != 1 || len(m.Schema.Indexes) != 1 {
		t.Errorf("indexes %+v, notes %v", m.Schema.Indexes, m.Notes)
	}
	from.Indexes = []schema.Index{like}
	wantLoss(t, table(t, from, mysql), "index index f_pat_ix_pattern")
}

// searchTable returns search_simpledb as Moodle creates it on an engine.
func searchTable(dialect string) schema.Table {
	t := schema.Table{Name: "search_simpledb_index", Dialect: dialect, Columns: []schema.Column{
		{Name: "docid", Type: char(255)}, {Name: "areaid", Type: char(255)}, {Name: "contextid", Type: bigint}, {Name: "title", Type: text, Nullable: true},
		{Name: "content", Type: text, Nullable: true}, {Name: "description1", Type: text, Nullable: true}, {Name: "description2", Type: text, Nullable: true},
	}}
	var all []schema.IndexColumn
	for _, c := range []string{"title", "content", "description1", "description2"} {
		all = append(all, schema.IndexColumn{Name: c})
		if dialect == postgres {
			t.Indexes = append(t.Indexes, schema.Index{Name: "mdl_search_simpledb_" + c, Method: "gin", Columns: []schema.IndexColumn{{Name: c, TextSearch: "simple"}}})
		}
	}
	if dialect == mysql {
		t.Indexes = []schema.Index{{Name: "mdl_search_simpledb_index_index", Method: "FULLTEXT", Columns: all}}
	}
	return t
}

// Global search gets the indexes that Moodle creates on the target's engine; SQLite
// has none, which is a note.
func TestSearchIndexesFollowTargetEngine(t *testing.T) {
	for _, from := range []string{mysql, postgres, sqlite, ""} {
		for _, to := range []string{mysql, postgres, sqlite} {
			if from == to {
				continue
			}
			t.Run(from+" to "+to, func(t *testing.T) {
				m := table(t, searchTable(from), to)
				wantLoss(t, m)
				want := searchTable(to).Indexes
				if len(m.Schema.Indexes) != len(want) {
					t.Fatalf("indexes %+v, want %+v", m.Schema.Indexes, want)
				}
				for i, x := range m.Schema.Indexes {
					if !x.SameAs(want[i]) {
						t.Errorf("index %+v, want %+v", x, want[i])
					}
				}
				if told := len(m.Notes) > 0; told != (from == mysql || from == postgres) {
					t.Errorf("notes %v", m.Notes)
				}
			})
		}
	}
}

// If the table differs from Moodle's, its indexes are treated like any others.
func TestOtherSearchIndexesAreLost(t *testing.T) {
	renamed := searchTable(mysql)
	renamed.Name = "search_other_index"
	short := searchTable(mysql)
	short.Columns = short.Columns[1:]
	half := searchTable(postgres)
	half.Indexes = half.Indexes[:1]
	more := searchTable(mysql)
	more.Indexes = append(more.Indexes, schema.Index{Name: "own", Method: "FULLTEXT", Columns: []schema.IndexColumn{{Name: "title"}}})
	wantLoss(t, table(t, renamed, postgres), "index index mdl_search_simpledb_index_index")
	wantLoss(t, table(t, short, postgres), "index index mdl_search_simpledb_index_index")
	wantLoss(t, table(t, half, mysql), "index index mdl_search_simpledb_title")
	wantLoss(t, table(t, more, postgres), "index index own")
}

// The index for LIKE on context.path is created on PostgreSQL and only there.
func TestContextPathHasItsPatternIndex(t *testing.T) {
	plain := schema.Index{Name: "mdl_cont_pat_ix", Columns: []schema.IndexColumn{{Name: "path"}}}
	context := func(dialect string) schema.Table {
		return schema.Table{Name: "context", Dialect: dialect, Indexes: []schema.Index{plain}, Columns: []schema.Column{
			{Name: "contextlevel", Type: bigint}, {Name: "instanceid", Type: bigint}, {Name: "path", Type: char(255), Nullable: true}, {Name: "depth", Type: bigint},
		}}
	}
	like := schema.Index{Name: "mdl_cont_pat_ix_pattern", Columns: []schema.IndexColumn{{Name: "path", Operators: "varchar_pattern_ops"}}}
	for _, from := range []string{mysql, sqlite} {
		m := table(t, context(from), postgres)
		wantLoss(t, m)
		if got := m.Schema.Indexes; len(got) != 2 || !got[0].SameAs(plain) || !got[1].SameAs(like) {
			t.Errorf("from %s: indexes %+v", from, got)
		}
	}
	there := context(postgres)
	there.Indexes = append(there.Indexes, like)
	for _, to := range []string{mysql, sqlite} {
		m := table(t, there, to)
		wantLoss(t, m)
		if len(m.Schema.Indexes) != 1 || len(m.Notes) != 1 {
			t.Errorf("to %s: indexes %+v, notes %v", to, m.Schema.Indexes, m.Notes)
		}
	}
	without := context(mysql)
	without.Indexes = nil
	if m := table(t, without, postgres); len(m.Schema.Indexes) != 0 {
		t.Errorf("indexes %+v beside none", m.Schema.Indexes)
	}
}
