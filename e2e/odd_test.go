package e2e

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lmsvault/vault/internal/compare"
	"github.com/lmsvault/vault/internal/lab"
	"github.com/lmsvault/vault/internal/servers"
)

// A real site's table with unusual types is transferred to the other engine; what
// can't be transferred is reported before anything is written.
func TestOddTypesOfRealSites(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		site, dialect, other string
		home, away           func(testing.TB) servers.Database
		with                 string
		before               string // reported before anything is written
		accept               string
		carried              []string // parts of the transferred rows, in the format of internal/compare
	}{
		{"my", "mysql", "postgres", servers.MariaDB, servers.Postgres, "", "column db/zzz_custom (virt): a generated column",
			"{view: 1, index: 1, column: 1}", []string{`"12345678901234567890.123456789012345678"`, `"18446744073709551615"`, `"c'd" | "x,y"`,
				`"838:59:59"`, `"000102030405060708090A0B0C0D0E0F"`, `"größe"`, `"10101010"`, `"POINT(`, "1.7976931348623157e+308"}},
		{"pg", "postgres", "mysql", servers.Postgres, servers.MariaDB, ", collation: utf8mb4_bin", "column db/zzz_custom (column gen): a generated column",
			"{view: 1, index: 1, column: 1, row: 1}", []string{`"{1,2,NULL}"`, `"123e4567-e89b-12d3-a456-426614174000"`, `"2001:db8::1"`, `"1 year 2 mons 3 days"`,
				`"0001FF5C27220A0D1A"`, `"c'd"`, `"text 😀"`}},
	} {
		t.Run(c.site, func(t *testing.T) {
			dir := lab.Unpack(t, c.site)
			home, away := c.home(t), c.away(t)
			lab.Load(t, filepath.Join(dir, "site.sql"), home, c.dialect)
			env := []string{"HOME_DSN=" + home.DSN, "AWAY_DSN=" + away.DSN}
			text := fmt.Sprintf("version: 1\nsource: [{use: %s, with: {dsn: \"${env:HOME_DSN}\"}}]\nsink: [{use: %s, with: {dsn: \"${env:AWAY_DSN}\"%s}}]\n", c.dialect, c.other, c.with)
			target := compare.Database{Dialect: c.other, SQL: away.SQL, Prefix: "mdl_"}

			out := vault(t, env, "run", pipelineFile(t, text))
			if out.code != 3 || !strings.Contains(out.stderr, c.before) {
				t.Errorf("exit %d:\n%s", out.code, out.stderr)
			}
			if tables := compare.Site(t, target); len(tables) != 0 {
				t.Errorf("%d tables were made although the run was refused", len(tables))
			}

			must(t, env, "run", pipelineFile(t, text+"accept_loss: "+c.accept+"\n"))
			rows := strings.Join(compare.Site(t, target)[odd].Rows, "\n")
			for _, value := range c.carried {
				if !strings.Contains(rows, value) {
					t.Errorf("%s did not arrive in\n%s", value, rows)
				}
			}
		})
	}
}
