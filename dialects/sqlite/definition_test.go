package sqlite

import (
	"reflect"
	"testing"
)

func TestDefinitionHasWhatPragmasLack(t *testing.T) {
	sql := `CREATE TABLE "a,(b" (
		id INTEGER /* BIGINT(10) */ PRIMARY KEY AUTOINCREMENT, -- AUTOINCREMENT, )
		"x ' /* y" TEXT COLLATE NOCASE DEFAULT 'AUTOINCREMENT, CHECK (1)' CHECK (length("x ' /* y") < 10),
		[check] NUMERIC(3, 2) DEFAULT (abs(1) + 2),
		` + "`c`" + ` ENUM_TEXT /* ENUM_TEXT('a') */,
		CONSTRAINT k UNIQUE (id, "x ' /* y"),
		CHECK (id > ')'),
		FOREIGN KEY (id) REFERENCES b(id)
	) STRICT`
	got := parseDefinition(sql)
	want := definition{
		columns: []columnDefinition{
			{remark: "BIGINT(10)", autoincrement: true},
			{remark: "AUTOINCREMENT, )", collation: "NOCASE"},
			{},
			{remark: "ENUM_TEXT('a')"},
		},
		checks: []string{`CHECK (length("x ' /* y") < 10)`, `CHECK (id > ')')`},
	}
	want.columns[1].remark = ""
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func FuzzDefinition(f *testing.F) {
	f.Add("CREATE TABLE t (a INTEGER PRIMARY KEY AUTOINCREMENT, b TEXT /* x */ CHECK (b > 1))")
	f.Add("CREATE TABLE t (a '")
	f.Add("(/*")
	f.Add("((--\n,[")
	f.Fuzz(func(t *testing.T, sql string) {
		end := 0
		for _, token := range tokens(sql) {
			if token.start < end || token.end > len(sql) || token.end <= token.start {
				t.Fatalf("token %+v of %q", token, sql)
			}
			end = token.end
		}
		parseDefinition(sql)
	})
}
