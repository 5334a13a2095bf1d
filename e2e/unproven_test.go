package e2e

import (
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/lmsvault/vault/internal/faultproxy"
	"github.com/lmsvault/vault/internal/pgtest"
	"github.com/lmsvault/vault/internal/servers"
)

// If the new site changes between its load and its proof, the restore exits with 4
// and reports the difference, the old site is unchanged, and the next run succeeds.
func TestUnprovenPostgresSwapKeepsOldSite(t *testing.T) {
	from := servers.Postgres(t)
	execute(t, from.SQL, `CREATE TABLE mdl_config (id bigserial PRIMARY KEY, name varchar(20) NOT NULL DEFAULT '', value text DEFAULT upper('x'))`,
		`CREATE UNIQUE INDEX mdl_conf_nam_uix ON mdl_config (name)`, `INSERT INTO mdl_config (name) SELECT 'name ' || n FROM generate_series(1, 500) n`,
		`CREATE TABLE mdl_other (id bigserial PRIMARY KEY)`)
	for _, c := range []struct{ name, change, says string }{
		{"a value", "UPDATE config SET value = 'x' WHERE id = 7", "not all values are as sent"},
		{"a row less", "DELETE FROM config WHERE id = 7", "500 rows were sent, but the target has 499"},
		{"a row more", "INSERT INTO config (id, name) VALUES (501, 'more')", "500 rows were sent, but the target has 501"},
		{"one row for another", "WITH gone AS (DELETE FROM config WHERE id = 7 RETURNING *) INSERT INTO config SELECT 507, 'new', value FROM gone", "not all values are as sent"},
		{"a default", "ALTER TABLE config ALTER value SET DEFAULT lower('x')", "column value has default"},
		{"a key", "ALTER TABLE config DROP CONSTRAINT its_key", "the primary key is [] instead of"},
		{"a table", "DROP TABLE config", "2 tables were restored, but the target has only 1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			to := servers.Postgres(t)
			execute(t, to.SQL, `CREATE TABLE mdl_config (id int PRIMARY KEY, name text)`, `INSERT INTO mdl_config VALUES (1, 'old')`, `CREATE TABLE mdl_older (id int)`)
			before, _ := pgtest.Contents(t, to.SQL)
			var loaded atomic.Int32
			var changed atomic.Bool
			dsn := faultproxy.Postgres(t, to.DSN, func(statement string) faultproxy.Fate {
				const tables = 2 // ANALYZE of each table comes last
				if loaded.Load() == tables && !changed.Swap(true) {
					var table, key string
					if err := to.SQL.QueryRowContext(t.Context(), `SELECT indrelid::regclass::text, indexrelid::regclass::text FROM pg_index WHERE indisprimary AND indrelid::regclass::text ~ '^vault_new_.*_config$'`).Scan(&table, &key); err != nil {
						t.Error(err)
					}
					if _, err := to.SQL.ExecContext(t.Context(), strings.NewReplacer("config", table, "its_key", key).Replace(c.change)); err != nil {
						t.Error(err)
					}
				}
				if strings.HasPrefix(statement, "ANALYZE ") {
					loaded.Add(1)
				}
				return faultproxy.Pass
			})
			pipeline := pipelineFile(t, "version: 1\nsource: [{use: postgres, with: {dsn: \"${env:FROM}\"}}]\nsink: [{use: postgres, with: {dsn: \"${env:TO}\", replace: true, replace_other_site: true}}]\n")
			out := vault(t, []string{"FROM=" + from.DSN, "TO=" + dsn}, "run", pipeline, "--workers", "1")
			if !changed.Load() || out.code != 4 || !strings.Contains(out.stderr, c.says) || !strings.Contains(out.stderr, "the target is as it was before") {
				t.Errorf("changed: %t; exit %d\n%s%s", changed.Load(), out.code, out.stdout, out.stderr)
			}
			if now, beside := pgtest.Contents(t, to.SQL); !slices.Equal(now, before) || beside != nil {
				t.Errorf("got %q beside the site, which is\n%s", beside, strings.Join(now, "\n"))
			}
			must(t, []string{"FROM=" + from.DSN, "TO=" + to.DSN}, "run", pipeline)
			want, _ := pgtest.Contents(t, from.SQL)
			if now, beside := pgtest.Contents(t, to.SQL); !slices.Equal(now, want) || beside != nil {
				t.Errorf("got %q beside the new site, which is\n%s", beside, strings.Join(now, "\n"))
			}
		})
	}
}
