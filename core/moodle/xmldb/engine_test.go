package xmldb

import (
	"slices"
	"strings"
	"testing"

	"github.com/lmsvault/vault/core/schema"
)

func taker() func(string) bool {
	taken := map[string]bool{}
	return func(name string) bool {
		free := !taken[name]
		taken[name] = true
		return free
	}
}

func TestTypesByEngine(t *testing.T) {
	for _, c := range []struct {
		field           Field
		mysql, postgres string
	}{
		{Field{Type: Int}, "bigint(10)", "bigint"},
		{Field{Type: Int, Length: 18}, "bigint(18)", "bigint"},
		{Field{Type: Int, Length: 9}, "int(9)", "integer"},
		{Field{Type: Int, Length: 7}, "int(7)", "integer"},
		{Field{Type: Int, Length: 6}, "mediumint(6)", "integer"},
		{Field{Type: Int, Length: 5}, "mediumint(5)", "integer"},
		{Field{Type: Int, Length: 4}, "smallint(4)", "smallint"},
		{Field{Type: Int, Length: 2}, "tinyint(2)", "smallint"},
		{Field{Type: Number, Length: 10, Decimals: 5}, "decimal(10,5)", "numeric(10,5)"},
		{Field{Type: Number, Length: 20}, "decimal(20,0)", "numeric(20,0)"},
		{Field{Type: Number}, "decimal(10,0)", "numeric"},
		{Field{Type: Float}, "double", "double precision"},
		{Field{Type: Float, Decimals: 5}, "float", "real"},
		{Field{Type: Float, Length: 20, Decimals: 8}, "double(20,8)", "double precision"},
		{Field{Type: Char}, "varchar(255)", "character varying(255)"},
		{Field{Type: Char, Length: 1333}, "varchar(1333)", "character varying(1333)"},
		{Field{Type: Text}, "longtext", "text"},
		{Field{Type: Binary}, "longblob", "bytea"},
		{Field{Type: Datetime}, "datetime", "timestamp without time zone"},
	} {
		if got := c.field.on(MySQL).Native; got != c.mysql {
			t.Errorf("%+v on MySQL is %s, want %s", c.field, got, c.mysql)
		}
		if got := c.field.on(Postgres).Native; got != c.postgres {
			t.Errorf("%+v on PostgreSQL is %s, want %s", c.field, got, c.postgres)
		}
	}
}

func TestDefaultsOfColumns(t *testing.T) {
	text := func(s string) *string { return &s }
	for _, c := range []struct {
		field Field
		want  string // "none" for none
	}{
		{Field{Type: Char, NotNull: true}, ""}, // Moodle gives it one
		{Field{Type: Char}, "none"},
		{Field{Type: Char, Default: text("x")}, "x"},
		{Field{Type: Int, Default: text("-010")}, "-10"},
		{Field{Type: Int, Default: text("0.0")}, "0"},
		{Field{Type: Number, Length: 10, Decimals: 5, Default: text("1")}, "1.00000"},
		{Field{Type: Number, Length: 10, Decimals: 1, Default: text("-.0")}, "0.0"},
		{Field{Type: Float, Default: text("0.50")}, "0.5"},
		{Field{Type: Int, NotNull: true, Sequence: true}, "none"},
		{Field{Type: Text, NotNull: true}, "none"},
	} {
		got := "none"
		if d := c.field.on(MySQL).Default; d != nil {
			got = d.Value
		}
		if got != c.want {
			t.Errorf("%+v has the default %q, want %q", c.field, got, c.want)
		}
	}
}

// Indexes have Moodle's names, and each engine has those that Moodle creates only
// there.
func TestIndexesByEngine(t *testing.T) {
	tables, err := Parse([]byte(within(`
  <TABLE NAME="context"><FIELDS>
    <FIELD NAME="id" TYPE="int" LENGTH="10" NOTNULL="true" SEQUENCE="true"/>
    <FIELD NAME="contextlevel" TYPE="int" LENGTH="10"/><FIELD NAME="instanceid" TYPE="int" LENGTH="10"/>
    <FIELD NAME="path" TYPE="char" LENGTH="255"/><FIELD NAME="depth" TYPE="int" LENGTH="2"/></FIELDS>
    <KEYS><KEY NAME="primary" TYPE="primary" FIELDS="id"/><KEY NAME="twice" TYPE="foreign" FIELDS="instanceid" REFTABLE="x" REFFIELDS="id"/></KEYS>
    <INDEXES><INDEX NAME="a" UNIQUE="true" FIELDS="contextlevel, instanceid"/><INDEX NAME="b" FIELDS="instanceid"/>
    <INDEX NAME="path" UNIQUE="false" FIELDS="path" HINTS="varchar_pattern_ops"/></INDEXES></TABLE>
  <TABLE NAME="own"><FIELDS><FIELD NAME="id" TYPE="int" SEQUENCE="true"/><FIELD NAME="path" TYPE="char"/><FIELD NAME="other" TYPE="char"/></FIELDS>
    <KEYS><KEY NAME="primary" TYPE="primary" FIELDS="id"/><KEY NAME="u" TYPE="foreign-unique" FIELDS="other" REFTABLE="x" REFFIELDS="id"/></KEYS>
    <INDEXES><INDEX NAME="p" FIELDS="path" HINTS="varchar_pattern_ops"/><INDEX NAME="two" FIELDS="path, other" HINTS="varchar_pattern_ops"/></INDEXES></TABLE>
  <TABLE NAME="search_simpledb_index"><FIELDS><FIELD NAME="id" TYPE="int" SEQUENCE="true"/>
    <FIELD NAME="docid" TYPE="char"/><FIELD NAME="areaid" TYPE="char"/><FIELD NAME="contextid" TYPE="int"/>
    <FIELD NAME="title" TYPE="text"/><FIELD NAME="content" TYPE="text"/><FIELD NAME="description1" TYPE="text"/><FIELD NAME="description2" TYPE="text"/></FIELDS>
    <KEYS><KEY NAME="primary" TYPE="primary" FIELDS="id"/></KEYS></TABLE>`)))
	if err != nil {
		t.Fatal(err)
	}
	show := func(dialect string) []string {
		var lines []string
		take := taker()
		for _, table := range tables {
			made := table.On(dialect, "m_", take)
			if made.PrimaryKeyName != "" {
				lines = append(lines, made.PrimaryKeyName)
			}
			for _, x := range made.Indexes {
				line := x.Name + " " + strings.Join(indexed(&x), ",") + " " + x.Method
				if x.Unique {
					line += "unique"
				}
				lines = append(lines, strings.TrimSpace(line))
			}
		}
		return lines
	}
	wantMySQL := []string{
		"m_cont_conins_uix contextlevel,instanceid unique", "m_cont_ins_ix instanceid", "m_cont_pat_ix path",
		"m_own_pat_ix path", "m_own_patoth_ix path,other", "m_own_oth_uix other unique",
		"m_search_simpledb_index_index title,content,description1,description2 FULLTEXT",
	}
	wantPostgres := []string{
		"m_cont_id_pk", "m_cont_conins_uix contextlevel,instanceid unique", "m_cont_ins_ix instanceid", "m_cont_pat_ix path",
		"m_cont_pat_ix_pattern path varchar_pattern_ops",
		"m_own_id_pk", "m_own_pat_ix path", "m_own_pat_ix_pattern path varchar_pattern_ops", "m_own_patoth_ix path,other", "m_own_oth_uix other unique",
		"m_searsimpinde_id_pk", "m_search_simpledb_title words of title gin", "m_search_simpledb_content words of content gin",
		"m_search_simpledb_description1 words of description1 gin", "m_search_simpledb_description2 words of description2 gin",
	}
	if got := show(MySQL); !slices.Equal(got, wantMySQL) {
		t.Errorf("on MySQL\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(wantMySQL, "\n"))
	}
	if got := show(Postgres); !slices.Equal(got, wantPostgres) {
		t.Errorf("on PostgreSQL\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(wantPostgres, "\n"))
	}
	made := tables[0].On(Postgres, "m_", taker())
	if made.Sequence == nil || made.Sequence.Column != "id" || made.Column("id").Nullable || made.Column("path").Type.Kind != schema.Char {
		t.Errorf("table %+v", made)
	}
}
