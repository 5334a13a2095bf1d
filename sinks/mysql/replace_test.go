package mysql

import (
	"slices"
	"strings"
	"testing"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/schema"
)

// A failed creation costs nothing: the site to be replaced is unchanged, with its
// view and without a marker, and nothing is left beside it.
func TestFailedReplaceLeavesSite(t *testing.T) {
	for _, engine := range engines {
		t.Run(engine.name, func(t *testing.T) {
			t.Parallel()
			db := engine.make(t)
			exec(t, db, "CREATE TABLE mdl_user_info (id int PRIMARY KEY)", "INSERT INTO mdl_user_info VALUES (7)", "CREATE TABLE mdl_more (id int)", "CREATE VIEW mdl_view AS SELECT * FROM mdl_user_info")
			cfg := Config{DSN: config.NewSecret(db.DSN), Prefix: "mdl_"}
			untouched := func(what string) {
				t.Helper()
				if names := siteTables(t, db, ""); !slices.Equal(names, []string{"mdl_more", "mdl_user_info", "mdl_view"}) {
					t.Errorf("%s: there are %q", what, names)
				}
				if id := one(t, db, "SELECT id FROM mdl_view"); id != "7" {
					t.Errorf("%s: the view has %s", what, id)
				}
			}
			bigint := schema.Column{Name: "a b", Native: "bigint", Type: schema.Type{Kind: schema.Int, Size: 8}}
			for _, c := range []struct {
				name, want string // error of Check; "" if only the server knows
				columns    func() []schema.Column
			}{
				{"names that differ by case", "only in case", func() []schema.Column {
					twin := bigint
					twin.Name = "A B"
					return []schema.Column{bigint, twin}
				}},
				{"a space at the end", "ends with a space", func() []schema.Column {
					c := bigint
					c.Name = "a "
					return []schema.Column{c}
				}},
				{"no columns", "no columns", func() []schema.Column { return nil }},
				{"an expression that the server doesn't know", "", func() []schema.Column {
					c := bigint
					c.Default = &schema.Default{Value: "lower(1, 2, 3)", Expr: true}
					return []schema.Column{c}
				}},
			} {
				p := inPlace()
				bad := p.Tables[0]
				bad.Schema = schema.Table{Name: "bad", Dialect: "mysql", Columns: c.columns()}
				p.Tables = append(p.Tables, bad)
				sk := open(t, cfg)
				_, err := sk.Check(t.Context(), p)
				if c.want == "" && err != nil || c.want != "" && (failure.Of(err) != failure.Refused || !strings.Contains(err.Error(), c.want)) {
					t.Errorf("%s: Check returned %v", c.name, err)
				}
				if err := sk.Begin(t.Context(), p); err == nil || !strings.Contains(err.Error(), "bad") {
					t.Errorf("%s: Begin returned %v", c.name, err)
				}
				if err := sk.Abort(t.Context()); err != nil {
					t.Error(err)
				}
				untouched(c.name)
			}

			conn, err := db.SQL.Conn(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer func() {
				if err := conn.Close(); err != nil {
					t.Error(err)
				}
			}()
			if _, err := conn.ExecContext(t.Context(), "LOCK TABLES mdl_more READ"); err != nil {
				t.Fatal(err)
			}
			busy := cfg
			busy.DSN = config.NewSecret(db.DSN + "?lock_wait_timeout=3")
			sk := open(t, busy)
			if err := sk.Begin(t.Context(), inPlace()); err == nil || !strings.Contains(err.Error(), "ock wait timeout") || strings.Contains(err.Error(), "dropping") {
				t.Errorf("a table in use: %v", err)
			}
			if err := sk.Abort(t.Context()); err != nil {
				t.Error(err)
			}
			if _, err := conn.ExecContext(t.Context(), "UNLOCK TABLES"); err != nil {
				t.Fatal(err)
			}
			untouched("a table in use")

			// What a killed process leaves beside the site does not belong to it, and
			// the next restore drops it.
			exec(t, db, "CREATE TABLE mdl_vault_new_48213377_3 (id int)", "CREATE TABLE other (id int PRIMARY KEY, u int, CONSTRAINT fk_other FOREIGN KEY (u) REFERENCES mdl_user_info (id))")
			if p, _ := plan(t, db, "mdl_"); len(p.Tables) != 2 {
				t.Errorf("%d tables of the site", len(p.Tables))
			}
			if _, err := open(t, cfg).Check(t.Context(), swapping()); failure.Of(err) != failure.Refused || !strings.Contains(err.Error(), "fk_other") {
				t.Errorf("a table that refers to the site: %v", err)
			}
			exec(t, db, "DROP TABLE other")
			write(t, swapping(), cfg, feed(`1	a	1	a	\N`))
			if names := siteTables(t, db, ""); !slices.Equal(names, []string{"mdl_user_info"}) {
				t.Errorf("after the restore: %q", names)
			}
		})
	}
}
