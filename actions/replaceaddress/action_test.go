package replaceaddress_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lmsvault/vault/actions/replaceaddress"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/dialects/database"
	"github.com/lmsvault/vault/dialects/site"
)

// live makes a site with a database.
func live(t *testing.T) (site.Settings, *database.Database) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"config.php":  "<?php $CFG = new stdClass(); $CFG->wwwroot = 'https://learn.example.org'; $CFG->dataroot = '" + dir + "';",
		"site.sqlite": "",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	at := &database.Address{Engine: "sqlite", Path: filepath.Join(dir, "site.sqlite"), Prefix: "mdl_"}
	d, err := at.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
	for _, statement := range []string{
		"CREATE TABLE {page} (id INTEGER PRIMARY KEY, name VARCHAR(40), content TEXT)",
		"INSERT INTO {page} VALUES (1, 'http://old.example.org', 'see http://old.example.org/x')",
		"INSERT INTO {page} VALUES (2, 'http://old.example.org/0123456789012345', 'other')",
		"INSERT INTO {page} VALUES (3, 'x', 's:1:\"http://old.example.org\";')",
	} {
		if _, err := d.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	return site.Settings{Dir: dir, Database: at}, d
}

func run(t *testing.T, c replaceaddress.Config, dry bool) string {
	t.Helper()
	a, err := replaceaddress.Stage().NewAction(t.Context(), &c, stage.Env{})
	if err != nil {
		t.Fatal(err)
	}
	r, err := a.Run(t.Context(), stage.ActionRequest{Moment: stage.MomentAfter, DryRun: dry})
	if err != nil || r.Validate() != nil {
		t.Fatalf("%v, %v", err, r.Validate())
	}
	var text strings.Builder
	for _, f := range r.Findings {
		text.WriteString(f.String() + "\n")
		if f.Details != "" {
			text.WriteString(f.Details + "\n")
		}
	}
	return text.String()
}

// The action replaces the address by that of config.php, reports each table, and leaves
// what is not safe with a warning. A dry run says the same and changes nothing.
func TestAddressOfALiveSiteIsReplaced(t *testing.T) {
	settings, d := live(t)
	c := replaceaddress.Config{Settings: settings, From: "http://old.example.org"}
	left := `warning: address-left: a value with the address stays as it is: with the new address it would have 42 characters, but the column has room for 40 (db/page id=2 column name); change it on the site's own pages if it matters
warning: address-left: a value with the address stays as it is: it looks like a value of PHP's serialize(), but can't be read as one: at byte 6: it does not follow the syntax (db/page id=3 column content); change it on the site's own pages if it matters
`
	details := `column content: 1 values
column name: 1 values
id=1 column name: http://old.example.org
  becomes https://learn.example.org
id=1 column content: see http://old.example.org…
  becomes see https://learn.example.org…
`
	if got, want := run(t, c, true), "note: address-replaced: the address would be replaced in 1 rows (db/page)\n"+details+left; got != want {
		t.Errorf("the dry run reports\n%s\ninstead of\n%s", got, want)
	}
	count := func() string {
		v, err := d.First(t.Context(), "SELECT COUNT(*) FROM {page} WHERE name = ? AND content = ?", "https://learn.example.org", "see https://learn.example.org/x")
		if err != nil {
			t.Fatal(err)
		}
		return v.String
	}
	if count() != "0" {
		t.Error("the dry run changed a row")
	}
	caches := "note: address-in-caches: the site's caches may still have the old address; purge them: the action purge-caches, or php admin/cli/purge_caches.php\n"
	if got, want := run(t, c, false), "note: address-replaced: the address was replaced in 1 rows (db/page)\n"+details+left+caches; got != want || count() != "1" {
		t.Errorf("the action reports\n%s\ninstead of\n%s", got, want)
	}
	if got := run(t, c, false); got != left {
		t.Errorf("a second run reports\n%s", got)
	}
	c.From = "http://nothing.example.org"
	if got := run(t, c, false); got != "ok: address-replaced: the address http://nothing.example.org is not in the database\n" {
		t.Errorf("without the address it reports\n%s", got)
	}
}

func TestAddressesAreChecked(t *testing.T) {
	for _, c := range []replaceaddress.Config{{From: "old.example.org"}, {From: "http://a", To: "b"}, {From: ""}} {
		if err := c.Validate(); err == nil {
			t.Errorf("%+v is accepted", c)
		}
	}
	if err := (&replaceaddress.Config{From: "http://a"}).Validate(); err != nil {
		t.Error(err)
	}
}
