package e2e

import (
	"fmt"
	"strings"
	"testing"
)

const (
	siteA = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaschool.example"
	siteB = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbcollege.example"
)

// become sets the identifier and the name of the site in a database, with the few
// tables that hold them.
func become(t *testing.T, db database, id, name string) {
	t.Helper()
	for _, statement := range []string{
		"DROP TABLE IF EXISTS mdl_config", "DROP TABLE IF EXISTS mdl_course",
		"CREATE TABLE mdl_config (id BIGINT PRIMARY KEY, name VARCHAR(255) NOT NULL, value TEXT NOT NULL)",
		"CREATE TABLE mdl_course (id BIGINT PRIMARY KEY, category BIGINT NOT NULL, fullname VARCHAR(254) NOT NULL)",
		"INSERT INTO mdl_config VALUES (1, 'lang', 'en'), (2, 'siteidentifier', '" + id + "')",
		"INSERT INTO mdl_course VALUES (1, 0, '" + name + "'), (2, 1, 'Botany')",
	} {
		if _, err := db.look.SQL.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
}

// isSite returns the identifier of the site in a database.
func isSite(t *testing.T, db database) string {
	t.Helper()
	look := db.look
	if look.Dialect == "sqlite" { // a restore replaces the file
		look = sqliteAt(t, db.env)
	}
	var id string
	if err := look.SQL.QueryRowContext(t.Context(), "SELECT value FROM mdl_config WHERE name = 'siteidentifier'").Scan(&id); err != nil {
		t.Fatal(err)
	}
	return id
}

// If a repository holds two sites under one pipeline's name, latest needs the site,
// and no site replaces another unless that is requested.
func TestSitesOfARepositoryStaySeparate(t *testing.T) {
	for _, e := range engines {
		t.Run(e.name, func(t *testing.T) {
			t.Parallel()
			db, repo := e.make(t), t.TempDir()+"/repository"
			env := []string{"DB=" + db.env}
			stage := fmt.Sprintf(db.stage, "DB")
			backup := pipelineFile(t, "version: 1\nname: nightly\nsource: ["+stage+"]\nsink: [{use: local, with: {dir: "+repo+", create: true}}]\n")
			become(t, db, siteA, "Old School")
			must(t, env, "run", backup)

			restore := func(from, to string) string {
				return pipelineFile(t, "version: 1\nsource: [{use: local, with: {dir: "+repo+from+"}}]\nsink: ["+strings.Replace(stage, "with: {", "with: {"+to+", ", 1)+"]\n")
			}
			become(t, db, siteB, "New College")
			out := vault(t, env, "run", restore("", "replace: true"))
			for _, says := range []string{`"Old School" (` + siteA + ")", `"New College" (` + siteB + ")", "replace_other_site: true"} {
				if out.code != 3 || !strings.Contains(out.stderr, says) {
					t.Errorf("exit %d, and it doesn't say %s:\n%s", out.code, says, out.stderr)
				}
			}
			if id := isSite(t, db); id != siteB {
				t.Fatalf("the refused restore left %s", id)
			}

			must(t, env, "run", backup)
			out = vault(t, env, "run", restore("", "replace: true"))
			for _, says := range []string{`"Old School" (` + siteA + ")", `"New College" (` + siteB + ")", "site"} {
				if out.code != 3 || !strings.Contains(out.stderr, says) {
					t.Errorf("exit %d, and it doesn't say %s:\n%s", out.code, says, out.stderr)
				}
			}
			must(t, env, "run", restore(", site: Old School", "replace: true, replace_other_site: true"))
			if id := isSite(t, db); id != siteA {
				t.Errorf("latest of the old school is %s", id)
			}
			must(t, env, "run", restore(", site: "+siteA, "replace: true"))
			must(t, env, "run", restore(", site: "+siteB, "replace: true, replace_other_site: true"))
			if id := isSite(t, db); id != siteB {
				t.Errorf("latest of the new college is %s", id)
			}
			if out := must(t, nil, "show", repo, "--site", siteA); !strings.Contains(out.stdout, "site_name: Old School") {
				t.Errorf("show prints\n%s", out.stdout)
			}
		})
	}
}
