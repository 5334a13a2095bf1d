package database_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/lmsvault/vault/core/moodle/edit"
	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/dialects/database"
	"github.com/lmsvault/vault/internal/servers"
)

// shouting is an Edit that writes "hello" as "HELLO" in name and body of all tables, drops
// rows with "gone", reports "stuck" and adds a row to the table page.
type shouting struct{ narrow bool }

type shout struct {
	columns []int
	added   []map[string]edit.Value
}

type narrowShout struct{ shout }

func (narrowShout) Texts() []string { return []string{"hello", "gone", "stuck", "banner", "broken"} }

func (s shouting) Table(_ context.Context, t *schema.Table) (edit.Change, error) {
	x := shout{}
	for i, c := range t.Columns {
		if c.Name == "name" || c.Name == "body" {
			x.columns = append(x.columns, i)
		}
	}
	if t.Name == "page" {
		x.added = []map[string]edit.Value{{"name": {Text: "banner"}}}
	}
	if s.narrow {
		return narrowShout{x}, nil
	}
	return x, nil
}

func (s shout) Columns() []int                 { return s.columns }
func (s shout) Added() []map[string]edit.Value { return s.added }

func (s shout) Row(values []edit.Value) (edit.Verdict, error) {
	verdict := edit.Keep
	for i, v := range values {
		switch {
		case v.Text == "broken":
			return 0, errors.New("it is broken")
		case v.Text == "banner", strings.HasPrefix(v.Text, "gone"):
			return edit.Drop, nil
		case v.Text == "stuck":
			values[i].Left = "it is stuck"
		case strings.Contains(v.Text, "hello"):
			values[i].Text = strings.ReplaceAll(v.Text, "hello", "HELLO")
			verdict = edit.Changed
		}
	}
	return verdict, nil
}

// A live site is edited by key, in pages, the same way on each engine; a dry run only
// counts, and a second run finds nothing to do.
func TestLiveSiteIsEdited(t *testing.T) {
	engines := map[string]func(t *testing.T) (database.Address, string){
		"MariaDB": func(t *testing.T) (database.Address, string) {
			return at("mysql", servers.MariaDB(t).DSN), "BIGINT AUTO_INCREMENT PRIMARY KEY"
		},
		"MySQL": func(t *testing.T) (database.Address, string) {
			return at("mysql", servers.MySQL(t).DSN), "BIGINT AUTO_INCREMENT PRIMARY KEY"
		},
		"PostgreSQL": func(t *testing.T) (database.Address, string) {
			return at("postgres", servers.Postgres(t).DSN), "BIGSERIAL PRIMARY KEY"
		},
		"SQLite": func(t *testing.T) (database.Address, string) {
			return sqliteFile(t), "INTEGER PRIMARY KEY AUTOINCREMENT"
		},
	}
	for name, make := range engines {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx := t.Context()
			address, id := make(t)
			d, err := address.Open(ctx)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				if err := d.Close(ctx); err != nil {
					t.Error(err)
				}
			})
			do := func(statement string, args ...any) {
				t.Helper()
				if _, err := d.Exec(ctx, statement, args...); err != nil {
					t.Fatal(err)
				}
			}
			read := func(statement string) (got []string) {
				t.Helper()
				rows, err := d.Query(ctx, statement)
				if err != nil {
					t.Fatal(err)
				}
				for _, r := range rows {
					var cells []string
					for _, c := range r {
						if !c.Valid {
							c.String = "NULL"
						}
						cells = append(cells, c.String)
					}
					got = append(got, strings.Join(cells, "|"))
				}
				return got
			}
			do("CREATE TABLE {page} (id " + id + ", name VARCHAR(255) DEFAULT '' NOT NULL, body TEXT, size BIGINT DEFAULT 7 NOT NULL)")
			do("CREATE TABLE {keys} (name VARCHAR(50) NOT NULL, part BIGINT NOT NULL, body TEXT, PRIMARY KEY (name, part))")
			do("CREATE TABLE {loose} (name VARCHAR(50), body TEXT)")
			do("INSERT INTO {page} (name, body) VALUES (?, ?), (?, ?), (?, ?), (?, ?)", "hello", nil, "it's \\ ? {page}", "x\nhello é", "gone", "hello", "stuck", "HELLO")
			for i := range 25 { // more than a page
				var marks []string
				var args []any
				for k := range 50 {
					marks, args = append(marks, "(?, ?, ?)"), append(args, fmt.Sprint("k", i), k, fmt.Sprint("hello ", k))
				}
				do("INSERT INTO {keys} (name, part, body) VALUES "+strings.Join(marks, ", "), args...)
			}
			do("INSERT INTO {loose} (name, body) VALUES (?, ?), (?, ?), (?, ?), (?, ?), (?, ?)", "a", "hello", "a", "hello", "a", "Hello", nil, "hello", "gone", "x")
			want := []edit.Count{
				{Table: "keys", Changed: 1250, Columns: map[string]int64{"body": 1250}},
				{Table: "loose", Changed: 3, Dropped: 1, Columns: map[string]int64{"body": 3}},
				{Table: "page", Changed: 2, Dropped: 1, Added: 1, Columns: map[string]int64{"body": 1, "name": 1}, Left: []edit.Left{{Table: "page", Column: "name", Key: "id=4", Reason: "it is stuck"}}},
			}
			before := read("SELECT id, name, body, size FROM {page} ORDER BY id")
			var changes []string
			options := database.EditOptions{DryRun: true, Changed: func(c database.ValueChange) {
				if c.Table == "page" {
					changes = append(changes, fmt.Sprintf("%s.%s %s: %q to %q", c.Table, c.Column, c.Key, c.Before.Text, c.After.Text))
				}
			}}
			counts, err := d.Edit(ctx, shouting{}, options)
			if err != nil || !reflect.DeepEqual(counts, want) {
				t.Errorf("the dry run counts %+v (%v)", counts, err)
			}
			if want := []string{`page.name id=1: "hello" to "HELLO"`, `page.body id=2: "x\nhello é" to "x\nHELLO é"`}; !reflect.DeepEqual(changes, want) {
				t.Errorf("the changes are %q", changes)
			}
			if got := read("SELECT id, name, body, size FROM {page} ORDER BY id"); !reflect.DeepEqual(got, before) {
				t.Errorf("the dry run changed the rows to %q", got)
			}
			counts, err = d.Edit(ctx, shouting{narrow: true}, database.EditOptions{})
			if err != nil || !reflect.DeepEqual(counts, want) {
				t.Errorf("the counts are %+v (%v)", counts, err)
			}
			if got := read("SELECT id, name, body, size FROM {page} ORDER BY id"); !reflect.DeepEqual(got, []string{"1|HELLO|NULL|7", "2|it's \\ ? {page}|x\nHELLO é|7", "4|stuck|HELLO|7", "5|banner|NULL|7"}) {
				t.Errorf("the rows are %q", got)
			}
			if got := read("SELECT COUNT(*) FROM {keys} WHERE body LIKE 'HELLO %'"); got[0] != "1250" {
				t.Errorf("%s rows of the table with a long key were changed", got[0])
			}
			if got := read("SELECT name, body FROM {loose} ORDER BY CASE WHEN name IS NULL THEN 1 ELSE 0 END, CASE WHEN body = 'HELLO' THEN 1 ELSE 0 END, body"); len(got) != 4 || got[3] != "NULL|HELLO" {
				t.Errorf("the rows without a key are %q", got)
			}
			for _, narrow := range []bool{false, true} {
				counts, err = d.Edit(ctx, shouting{narrow}, database.EditOptions{})
				if want := []edit.Count{{Table: "page", Left: want[2].Left}}; err != nil || !reflect.DeepEqual(counts, want) {
					t.Errorf("once more, the counts are %+v (%v)", counts, err)
				}
			}
			// An error leaves the table as it was.
			do("INSERT INTO {page} (name) VALUES (?), (?)", "hello", "broken")
			if _, err = d.Edit(ctx, shouting{true}, database.EditOptions{}); err == nil || !strings.Contains(err.Error(), "table page: id=7: it is broken") {
				t.Errorf("the error is %v", err)
			}
			if got := read("SELECT name FROM {page} WHERE id = 6"); got[0] != "hello" {
				t.Errorf("a failed edit left %q", got)
			}
		})
	}
}

// Columns whose values can't be compared as text are refused by name.
func TestOddColumnsAreNotEdited(t *testing.T) {
	ctx := t.Context()
	d, err := func() (*database.Database, error) { a := sqliteFile(t); return a.Open(ctx) }()
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close(ctx)
	if _, err := d.Exec(ctx, "CREATE TABLE {keys} (id INTEGER PRIMARY KEY, name DOUBLE)"); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Edit(ctx, shouting{}, database.EditOptions{}); err == nil || !strings.Contains(err.Error(), "column name") {
		t.Errorf("the error is %v", err)
	}
}
