package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/lmsvault/vault/internal/compare"
)

const selecting = `select:
  exclude_tables: ["forum_*", nothing_*]
  structure_only: [logstore_standard_log]
  rows:
    - {table: files, except: {any: [{column: component, prefix: "mod_"}, {column: filearea, equal: draft}]}}
    - {table: user, only: {all: [{column: id, in: [1, 2, 3, 5]}, {column: deleted, equal: 0}]}}
    - {table: words, except: {any: [{column: word, in: [mod_x, "it's", "a\\b", "tab\tbed", ""]}, {column: word, prefix: "ä%"}, {column: word, null: true}]}}
  exclude_files: [dataroot/lang, "dataroot/nothing*"]
`

// A selection yields the same rows from every engine, and from a repository with the
// whole site: values are compared by their bytes, whatever the collation.
func TestSelectionIsTheSameForAllSources(t *testing.T) {
	var want map[string]compare.Table
	for _, from := range engines {
		t.Run(from.name, func(t *testing.T) {
			source, target, restored := from.make(t), sqliteFile(t), sqliteFile(t)
			fill(t, source)
			words(t, source)
			selected(t, source, target)
			got := compare.Site(t, target.look)
			if want == nil {
				want = got
				expected(t, compare.Site(t, source.look), got)
			}
			compare.Equal(t, want, got)

			repo := filepath.Join(t.TempDir(), "repo")
			must(t, []string{"FROM=" + source.env}, "run", pipelineFile(t, fmt.Sprintf(
				"version: 1\nsource: ["+source.stage+"]\nsink: [{use: local, with: {dir: %q, create: true}}]\n", "FROM", repo)))
			must(t, []string{"TO=" + restored.env}, "run", pipelineFile(t, "version: 1\n"+selecting+fmt.Sprintf(
				"source: [{use: local, with: {dir: %q}}]\nsink: ["+restored.stage+"]\n", repo, "TO")))
			compare.Equal(t, want, compare.Site(t, restored.look))
		})
	}
	t.Run("sample", func(t *testing.T) {
		target := sqliteFile(t)
		must(t, []string{"TO=" + target.env}, "run", pipelineFile(t, "version: 1\n"+without(selecting, "words")+fmt.Sprintf(
			"source: [{use: sample, with: {files: false}}]\nsink: ["+target.stage+"]\n", "TO")))
		compare.Equal(t, want, compare.Site(t, target.look), "words")
	})
}

// without leaves out the line of a table.
func without(text, table string) string {
	lines := strings.SplitAfter(text, "\n")
	return strings.Join(slices.DeleteFunc(lines, func(l string) bool { return strings.Contains(l, "table: "+table) }), "")
}

func selected(t testing.TB, source, target database) {
	t.Helper()
	must(t, []string{"FROM=" + source.env, "TO=" + target.env}, "run", pipelineFile(t, "version: 1\n"+selecting+fmt.Sprintf(
		"source: ["+source.stage+"]\nsink: ["+target.stage+"]\n", "FROM", "TO")))
}

// words adds a table of texts that a collation may treat as equal.
func words(t testing.TB, db database) {
	t.Helper()
	for _, query := range []string{
		"CREATE TABLE mdl_words (id bigint PRIMARY KEY, word varchar(50))",
		"INSERT INTO mdl_words VALUES (1, 'mod_x'), (2, 'MOD_X'), (3, 'mod_x '), (4, NULL), (5, ''), (6, 'it''s'), (7, 'ä%d'), (8, 'a%d'), (9, 'Ä%d'), (10, ' '), (11, 'modax')",
	} {
		if _, err := db.look.SQL.Exec(query); err != nil {
			t.Fatal(err)
		}
	}
}

func expected(t testing.TB, all, got map[string]compare.Table) {
	t.Helper()
	var ids []string
	for _, row := range got["words"].Rows {
		ids = append(ids, strings.FieldsFunc(row, func(r rune) bool { return r < '0' || r > '9' })[0])
	}
	slices.Sort(ids)
	if want := []string{"10", "11", "2", "3", "8", "9"}; !slices.Equal(ids, want) {
		t.Errorf("words %q, want %q: %q", ids, want, got["words"].Rows)
	}
	if _, there := got["forum_posts"]; there || len(all["forum_posts"].Rows) == 0 {
		t.Error("forum_posts was selected, or the source has none")
	}
	if log := got["logstore_standard_log"]; len(log.Rows) != 0 || len(log.Columns) == 0 || len(all["logstore_standard_log"].Rows) == 0 {
		t.Errorf("the log has %d rows and %d columns", len(log.Rows), len(log.Columns))
	}
	if n := len(got["user"].Rows); n == 0 || n > 4 {
		t.Errorf("%d users", n)
	}
	if n := len(got["files"].Rows); n == 0 && len(all["files"].Rows) > 0 || n > len(all["files"].Rows) {
		t.Errorf("%d files", n)
	}
	if len(got["course"].Rows) == 0 || len(got["course"].Rows) != len(all["course"].Rows) {
		t.Errorf("%d courses of %d", len(got["course"].Rows), len(all["course"].Rows))
	}
}

// A partial snapshot is marked as such. Contents and directories outside of the
// selection are not losses.
func TestPartialSnapshotIsMarked(t *testing.T) {
	repo, out := filepath.Join(t.TempDir(), "repo"), filepath.Join(t.TempDir(), "out")
	some := "version: 1\nselect: {exclude_files: [\"filedir/*a*\", dataroot/lang, \"dataroot/gone*\"], rows: [{table: files, except: {column: component, prefix: mod_}}]}\n"
	must(t, nil, "run", pipelineFile(t, some+fmt.Sprintf("source: [{use: sample}]\nsink: [{use: local, with: {dir: %q, create: true}}]\n", repo)))
	result := must(t, nil, "run", "--json", pipelineFile(t, fmt.Sprintf("version: 1\nselect: {exclude_files: [dataroot/models]}\nsource: [{use: local, with: {dir: %q}}]\nsink: [{use: files, with: {dir: %q}}, {use: dataroot, with: {dir: %q}}]\n",
		repo, filepath.Join(out, "filedir"), filepath.Join(out, "root")))).stdout
	for _, want := range []string{`"selection":`, "dataroot/lang", "excluded: listed in exclude_files", "without the rows where component begins with", "exclude_files: it matches nothing"} {
		if !strings.Contains(result, want) {
			t.Errorf("the restore does not say %q:\n%s", want, result)
		}
	}
	for _, dir := range []string{"root/lang", "root/models"} {
		if _, err := os.Stat(filepath.Join(out, dir)); err == nil {
			t.Errorf("%s is restored", dir)
		}
	}
	entries, err := os.ReadDir(filepath.Join(out, "filedir"))
	if err != nil || len(entries) < 10 {
		t.Fatalf("%d directories, %v", len(entries), err)
	}
	for _, e := range entries {
		if strings.Contains(e.Name(), "a") && e.IsDir() {
			t.Errorf("filedir/%s is restored", e.Name())
		}
	}
}
