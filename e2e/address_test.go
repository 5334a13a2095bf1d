package e2e

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lmsvault/vault/actions/replaceaddress"
	"github.com/lmsvault/vault/core/config"
	sitedatabase "github.com/lmsvault/vault/dialects/database"
	"github.com/lmsvault/vault/dialects/site"
	"github.com/lmsvault/vault/internal/compare"
	"github.com/lmsvault/vault/internal/lab"
	"github.com/lmsvault/vault/internal/phpvalue"
	"github.com/lmsvault/vault/internal/servers"
)

// A real site gets another address: after a restore into another engine no value has the
// old one, all settings of blocks can still be read, and a replacement in place on the
// original's engine leaves the same rows.
func TestRealSiteGetsAnotherAddress(t *testing.T) {
	t.Parallel()
	const from, to = "http://127.0.0.1:8080/my", "https://learn.example.org"
	dir := lab.Unpack(t, "my")
	db := servers.MariaDB(t)
	lab.Load(t, filepath.Join(dir, "site.sql"), db, "mysql")
	serialized := func(text string) string {
		return base64.StdEncoding.EncodeToString([]byte(fmt.Sprintf(`O:8:"stdClass":2:{s:5:"title";s:7:"Größe";s:4:"text";s:%d:"%s";}`, len(text), text)))
	}
	asJSON, err := json.Marshal(map[string]any{"link": from + "/x", "inner": serialized(from + "/é")})
	if err != nil {
		t.Fatal(err)
	}
	for i, text := range []string{serialized(`<img src="` + from + `/a.png">`), serialized(string(asJSON)), serialized("no address")} {
		if _, err := db.SQL.ExecContext(t.Context(), "INSERT INTO mdl_block_instances (blockname, parentcontextid, showinsubcontexts, defaultweight, configdata, timecreated, timemodified) VALUES ('html', ?, 0, 0, ?, 0, 0)", i, text); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := db.SQL.ExecContext(t.Context(), "UPDATE mdl_label SET intro = ? WHERE id = (SELECT m FROM (SELECT MIN(id) AS m FROM mdl_label) AS x)", strings.ReplaceAll(string(asJSON), "/", `\/`)+url.QueryEscape(from)); err != nil {
		t.Fatal(err)
	}
	before := compare.Site(t, compare.Database{Dialect: "mysql", SQL: db.SQL, Prefix: "mdl_"})
	if n := len(withAddress(before)); n < 10 {
		t.Fatalf("only %d values of the site have the address", n)
	}

	path := filepath.Join(dir, "site.sqlite")
	out := must(t, []string{"DSN=" + db.DSN}, "run", "--json", pipelineFile(t, fmt.Sprintf(`version: 1
accept_loss: {view: 1}
select: {exclude_tables: [%s]}
source: [{use: mysql, with: {dsn: "${env:DSN}"}}]
transform: [{use: replace-address, with: {from: %q, to: %q}}]
sink: [{use: sqlite, with: {path: %q}}]
`, odd, from, to, path)))
	if strings.Contains(out.stdout, "was left unchanged") {
		t.Errorf("values were left: %s", out.stdout)
	}
	after := compare.Site(t, sqliteAt(t, path))
	for _, where := range withAddress(after) {
		t.Errorf("the old address is still in %s", where)
	}
	if n := blocks(t, after); n < 4 || n != blocks(t, before) {
		t.Errorf("the settings of %d blocks can be read, of %d before", n, blocks(t, before))
	}

	c := replaceaddress.Config{From: from, To: to, Settings: site.Settings{
		Dir: filepath.Join(dir, "code"), Database: &sitedatabase.Address{Engine: "mysql", DSN: config.NewSecret(db.DSN), Prefix: "mdl_"},
	}}
	would, err := c.Replace(t.Context(), true, 3)
	if err != nil {
		t.Fatal(err)
	}
	did, err := c.Replace(t.Context(), false, 3)
	if err != nil {
		t.Fatal(err)
	}
	if would.DryRun = false; fmt.Sprint(would) != fmt.Sprint(did) {
		t.Errorf("the dry run says %v, but %v was done", would, did)
	}
	if len(did.Tables) < 3 {
		t.Errorf("only %v was done", did)
	}
	compare.Equal(t, after, compare.Site(t, compare.Database{Dialect: "mysql", SQL: db.SQL, Prefix: "mdl_"}), odd)
}

// withAddress lists the rows that have the old address in any spelling, also in base64.
func withAddress(tables map[string]compare.Table) (where []string) {
	for name, table := range tables {
		for _, row := range table.Rows {
			for _, text := range append([]string{row}, decoded(row)...) {
				text = strings.NewReplacer(`\`, "", "%2F", "/", "%3A", ":").Replace(text)
				if strings.Contains(text, "//127.0.0.1:8080/my") {
					where = append(where, fmt.Sprintf("%s: %.300s", name, row))
					break
				}
			}
		}
	}
	return where
}

// decoded returns what base64 in a row says, also that in it.
func decoded(row string) (texts []string) {
	for _, word := range strings.FieldsFunc(row, func(c rune) bool {
		return !strings.ContainsRune("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=", c)
	}) {
		if raw, err := base64.StdEncoding.DecodeString(word); err == nil && len(raw) > 8 {
			texts = append(append(texts, string(raw)), decoded(string(raw))...)
		}
	}
	return texts
}

// blocks returns how many blocks have settings, all of which must be readable.
func blocks(t *testing.T, tables map[string]compare.Table) int {
	t.Helper()
	n := 0
	for _, row := range tables["block_instances"].Rows {
		for _, text := range decoded(row) {
			if !strings.HasPrefix(text, "O:") && !strings.HasPrefix(text, "a:") {
				continue
			}
			if n++; !phpvalue.Valid(text) {
				t.Errorf("the settings of a block are broken: %q", text)
			}
		}
	}
	return n
}
