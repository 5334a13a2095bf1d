package main

import (
	"database/sql"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lmsvault/vault/actions/replaceaddress"
	"github.com/lmsvault/vault/sources/sample"
)

// The address of a site is listed first and replaced after a confirmation; the site is the
// directory of its code or the target of a pipeline.
func TestAddressIsReplacedAfterConfirmation(t *testing.T) {
	dir := t.TempDir()
	code := sampleSite(t, dir)
	db, err := sql.Open("sqlite", filepath.Join(dir, "site/site.sqlite"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec("INSERT INTO mdl_config (name, value) VALUES ('testlink', 'http://old.example.org/x'), ('badlink', 's:3:\"http://old.example.org\";')"); err != nil {
		t.Fatal(err)
	}
	value := func() (text string) {
		if err := db.QueryRow("SELECT value FROM mdl_config WHERE name = 'testlink'").Scan(&text); err != nil {
			t.Fatal(err)
		}
		return text
	}
	command := []string{"moodle", "replace-address", code, "--from", "http://old.example.org"}
	o := vault(t, 0, nil, append(command, "--dry-run")...)
	for _, want := range []string{
		"note: address-replaced: the address would be replaced in 1 rows (db/config)\n    column value: 1 values\n",
		"column value: http://old.example.org…\n      becomes " + sample.Address + "…\n",
		"warning: address-left: a value with the address stays as it is: it looks like a value of PHP's serialize()",
	} {
		if !strings.Contains(o.stdout, want) {
			t.Errorf("no %q in the dry run:\n%s", want, o.stdout)
		}
	}
	o = vault(t, 3, nil, command...)
	if !strings.Contains(o.stderr, "http://old.example.org would be replaced by "+sample.Address+" in 1 row.") || value() != "http://old.example.org/x" {
		t.Errorf("without --yes it is %s:\n%s", value(), o.stderr)
	}
	vault(t, 2, nil, "moodle", "replace-address", code)
	vault(t, 2, nil, "moodle", "replace-address", code, "--from", "old.example.org")

	file := filepath.Join(dir, "restore.yaml")
	if err := os.WriteFile(file, []byte("version: 1\nsource: [{use: sample}]\nsink: [{use: moodle, with: {dir: "+code+"}}]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	o = vault(t, 0, nil, "moodle", "replace-address", file, "--from", "http://old.example.org", "--yes", "--json")
	var r replaceaddress.Result
	if err := json.Unmarshal([]byte(o.stdout), &r); err != nil {
		t.Fatalf("%v:\n%s", err, o.stdout)
	}
	if len(r.Tables) != 1 || r.Tables[0].Table != "config" || r.Tables[0].Changed != 1 || r.Tables[0].Columns["value"] != 1 || len(r.Tables[0].Left) != 1 || r.Tables[0].Left[0].Column != "value" || !strings.Contains(o.stdout, `"caches"`) {
		t.Errorf("the result is\n%s", o.stdout)
	}
	if value() != sample.Address+"/x" {
		t.Errorf("the address is %s", value())
	}
	o = vault(t, 0, nil, "moodle", "replace-address", code, "--from", "http://none.example.org", "--yes")
	if o.stdout != "ok: address-replaced: the address http://none.example.org is not in the database\n" {
		t.Errorf("without the address:\n%s", o.stdout)
	}
}

// A backup of one site that is restored as another names the address of the other.
func TestRestoredSiteHasItsOwnAddress(t *testing.T) {
	dir := t.TempDir()
	from := sampleSite(t, dir)
	to := sample.Code{Dir: filepath.Join(dir, "copy/code"), Address: "http://staging.example:8080", Database: filepath.Join(dir, "copy/site.sqlite"), Dataroot: filepath.Join(dir, "copy/dataroot"), Prefix: "mdl_"}
	if err := os.MkdirAll(to.Dataroot, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := to.Write(); err != nil {
		t.Fatal(err)
	}
	count := func(path, address string) (n int) {
		db, err := sql.Open("sqlite", path)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		if err := db.QueryRow("SELECT (SELECT COUNT(*) FROM mdl_forum_posts WHERE instr(message, ?)) + (SELECT COUNT(*) FROM mdl_course WHERE instr(summary, ?))", address, address).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	all := count(filepath.Join(dir, "site/site.sqlite"), sample.Address)
	pipeline := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte("version: 1\n"+text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	repo := filepath.Join(dir, "repository")
	vault(t, 0, nil, "run", pipeline("backup.yaml", "source: [{use: moodle, with: {dir: "+from+"}}]\ntransform: [{use: compress}]\nsink: [{use: local, with: {dir: "+repo+", create: true}}]\n"))
	o := vault(t, 0, nil, "run", pipeline("restore.yaml", "source: [{use: local, with: {dir: "+repo+"}}]\nsink: [{use: moodle, with: {dir: "+to.Dir+", replace_address: true}}]\n"), "--allow-restore", "--yes")
	if !strings.Contains(o.stdout+o.stderr, "the address "+sample.Address+" is replaced by "+to.Address) {
		t.Errorf("the run does not say so:\n%s\n%s", o.stdout, o.stderr)
	}
	if n, old := count(to.Database, to.Address), count(to.Database, sample.Address); all < 1 || n != all || old != 0 {
		t.Errorf("%d rows have the old address and %d the new one, of %d", old, n, all)
	}
}
