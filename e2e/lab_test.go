package e2e

import (
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/lmsvault/vault/internal/compare"
	"github.com/lmsvault/vault/internal/lab"
	"github.com/lmsvault/vault/internal/servers"
)

// odd is the table with unusual types.
const odd = "zzz_custom"

// A real site is unchanged after a migration to the other engine and back: all rows,
// unique keys and sequences by plain SQL, all files by hash. On the other engine its
// indexes have the names that Moodle gives them there, and those that Moodle creates
// on one engine only are the target's. Only manual changes must be accepted as losses.
func TestRealSitesMoveToTheOtherEngineAndBack(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		site, dialect string
		home, away    func(testing.TB) servers.Database
		other, with   string // the other engine, and settings of its sink
		accept        string
	}{
		{"my", "mysql", servers.MariaDB, servers.Postgres, "postgres", "", "{view: 1}"},
		// Values that differ by case or accent are different on PostgreSQL.
		{"pg", "postgres", servers.Postgres, servers.MariaDB, "mysql", ", collation: utf8mb4_bin", "{view: 1, index: 1, missing_file: 1}"},
	} {
		t.Run(c.site, func(t *testing.T) {
			dir := lab.Unpack(t, c.site)
			original, away, back := c.home(t), c.away(t), c.home(t)
			lab.Load(t, filepath.Join(dir, "site.sql"), original, c.dialect)
			repo, files, root := filepath.Join(dir, "repo"), filepath.Join(dir, "files"), filepath.Join(dir, "root")
			env := []string{"ORIGINAL=" + original.DSN, "AWAY=" + away.DSN, "BACK=" + back.DSN, "PASS=correct horse"}
			run := func(text string, args ...any) {
				t.Helper()
				must(t, env, "run", pipelineFile(t, fmt.Sprintf(text, args...)))
			}
			run(`version: 1
accept_loss: %s
select: {exclude_tables: [%s]}
source: [{use: %s, with: {dsn: "${env:ORIGINAL}"}}, {use: files, with: {dir: %q}}, {use: dataroot, with: {dir: %q}}]
transform: [{use: compress}, {use: encrypt, with: {passphrase: "${env:PASS}"}}]
sink: [{use: local, with: {dir: %q, create: true}}]
`, c.accept, odd, c.dialect, filepath.Join(dir, "dataroot/filedir"), filepath.Join(dir, "dataroot"), repo)
			run(`version: 1
accept_loss: %s
source: [{use: local, with: {dir: %q, passphrase: "${env:PASS}"}}]
sink: [{use: %s, with: {dsn: "${env:AWAY}"%s}}, {use: files, with: {dir: %q}}, {use: dataroot, with: {dir: %q}}]
`, c.accept, repo, c.other, c.with, files, root)
			run(`version: 1
accept_loss: %s
source: [{use: %s, with: {dsn: "${env:AWAY}"}}]
sink: [{use: %s, with: {dsn: "${env:BACK}"}}]
`, c.accept, c.other, c.dialect)

			want := compare.Site(t, compare.Database{Dialect: c.dialect, SQL: original.SQL, Prefix: "mdl_"})
			got := compare.Site(t, compare.Database{Dialect: c.dialect, SQL: back.SQL, Prefix: "mdl_"})
			if len(want) < 530 {
				t.Fatalf("the lab's site has only %d tables", len(want))
			}
			compare.Equal(t, want, got, odd)
			sameContents(t, filepath.Join(dir, "dataroot/filedir"), files)
			sameIndexes(t, indexes(t, c.dialect, original), indexes(t, c.other, away))

			// On its own engine the structure is unchanged.
			letter := c.home(t)
			run(`version: 1
accept_loss: %s
source: [{use: local, with: {dir: %q, passphrase: "${env:PASS}"}}]
sink: [{use: %s, with: {dsn: %q}}]
`, c.accept, repo, c.dialect, letter.DSN)
			sameStructure(t, c.dialect, letter, original)

			// SQLite has none of those indexes; this is not a loss.
			run(`version: 1
accept_loss: %s
source: [{use: local, with: {dir: %q, passphrase: "${env:PASS}"}}]
sink: [{use: sqlite, with: {path: %q}}]
`, c.accept, repo, filepath.Join(dir, "site.sqlite"))
			compare.Equal(t, want, compare.Site(t, sqliteAt(t, filepath.Join(dir, "site.sqlite"))), odd)

		})
	}
}

// sameContents requires every content of want's filedir in got, with its hash.
func sameContents(t *testing.T, want, got string) {
	t.Helper()
	n := 0
	err := filepath.WalkDir(want, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || len(d.Name()) != 40 {
			return err
		}
		rel, err := filepath.Rel(want, path)
		if err != nil {
			return err
		}
		f, err := os.Open(filepath.Join(got, rel))
		if err != nil {
			t.Errorf("content %s is missing: %v", d.Name(), err)
			return nil
		}
		defer f.Close()
		h := sha1.New()
		if _, err := io.Copy(h, f); err != nil {
			return err
		}
		if sum := hex.EncodeToString(h.Sum(nil)); sum != d.Name() {
			t.Errorf("content %s has the hash %s", d.Name(), sum)
		}
		n++
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if n < 700 {
		t.Errorf("only %d contents were compared", n)
	}
}

// sameStructure requires that the engine describes all tables of two sites equally.
func sameStructure(t *testing.T, dialect string, got, want servers.Database) {
	t.Helper()
	ours := func(lines []string) []string {
		return slices.DeleteFunc(lines, func(line string) bool {
			return strings.Contains(line, "zzz_custom") || strings.Contains(line, "zzz_mood") || strings.Contains(line, "zzz_view") || strings.Contains(line, "other_app")
		})
	}
	if dialect == "postgres" {
		compareLines(t, ours(catalog(t, got.SQL)), ours(catalog(t, want.SQL)))
		return
	}
	tables := ours(lines(t, want.SQL, "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND TABLE_TYPE = 'BASE TABLE'"))
	for _, table := range tables {
		if a, b := showCreate(t, got.SQL, table), showCreate(t, want.SQL, table); a != b {
			t.Errorf("copied\n%s\nfrom\n%s", a, b)
		}
	}
}

// indexes lists the indexes of a database in one format for both engines, except
// those that Moodle creates on one of them only and those created by hand.
func indexes(t *testing.T, dialect string, db servers.Database) map[string]string {
	t.Helper()
	query := `SELECT CONCAT(TABLE_NAME, ' (', GROUP_CONCAT(COLUMN_NAME ORDER BY SEQ_IN_INDEX), IF(INDEX_TYPE = 'FULLTEXT', ') words', ')')), INDEX_NAME
		FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = DATABASE() AND INDEX_NAME <> 'PRIMARY' GROUP BY TABLE_NAME, INDEX_NAME, INDEX_TYPE`
	if dialect == "postgres" {
		query = `SELECT concat(tablename, replace(replace(regexp_replace(indexdef, '^.* USING [a-z]+', ''), ', ', ','), '"', '')), indexname
			FROM pg_indexes WHERE schemaname = 'public' AND indexname NOT LIKE '%\_pk' AND indexname NOT LIKE '%\_pkey'`
	}
	rows, err := db.SQL.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	all := map[string]string{}
	for rows.Next() {
		var what, name string
		if err := rows.Scan(&what, &name); err != nil {
			t.Fatal(err)
		}
		what = strings.Replace(what, "(to_tsvector('simple'::regconfig,", "(to_tsvector(", 1)
		byHand := strings.Contains(what, "zzz") || strings.Contains(name, "zzz") || what == "mdl_forum_posts (created,userid)"
		if !byHand {
			all[what] = name
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// sameIndexes requires the same indexes with the same names, except those that only
// one engine has.
func sameIndexes(t *testing.T, home, away map[string]string) {
	t.Helper()
	const search = "mdl_search_simpledb_index"
	own := map[string]string{search + " (title,content,description1,description2) words": search + "_index"}
	if _, ok := home["mdl_context (path)"]; !ok || len(home) < 1000 {
		t.Fatalf("only %d indexes are compared", len(home))
	}
	elsewhere := map[string]string{"mdl_context (path varchar_pattern_ops)": "mdl_cont_pat_ix_pattern"}
	for _, c := range []string{"title", "content", "description1", "description2"} {
		elsewhere[search+" (to_tsvector("+c+"))"] = "mdl_search_simpledb_" + c
	}
	if _, ok := away["mdl_context (path varchar_pattern_ops)"]; !ok {
		own, elsewhere = elsewhere, own
	}
	want := maps.Clone(home)
	for what, name := range own {
		if home[what] != name {
			t.Errorf("the lab's site has %q as %s", home[what], what)
		}
		delete(want, what)
	}
	maps.Copy(want, elsewhere)
	for what, name := range want {
		if away[what] != name {
			t.Errorf("index %s: %q, want %q", what, away[what], name)
		}
	}
	for what, name := range away {
		if want[what] == "" {
			t.Errorf("index %s %s is one that Moodle does not create", name, what)
		}
	}
}
