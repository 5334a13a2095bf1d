package e2e

import (
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/lmsvault/vault/core/stage"
)

// These databases have every kind of loss that is possible on the engine.
var lossyMySQL = []string{
	"CREATE TABLE mdl_t (id int NOT NULL PRIMARY KEY, v varchar(20), g int GENERATED ALWAYS AS (id + 1), d date DEFAULT '2024-01-01', e varchar(40) DEFAULT (concat('a', 'b')), u timestamp NULL ON UPDATE CURRENT_TIMESTAMP, CONSTRAINT positive CHECK (id > 0), KEY gg (g), FULLTEXT KEY ft (v))",
	"CREATE TABLE mdl_o (id int NOT NULL PRIMARY KEY, tid int, doc longtext, CONSTRAINT fk FOREIGN KEY (tid) REFERENCES mdl_t (id), UNIQUE KEY du (doc(20)))",
	"CREATE TABLE mdl_n (name varchar(20) NOT NULL PRIMARY KEY, number bigint NOT NULL AUTO_INCREMENT, KEY nk (number))",
	"SET sql_mode = ''",
	"INSERT INTO mdl_t (id, v, d) VALUES (1, 'a', '0000-00-00'), (2, 'b\\0c', '2024-01-02'), (3, 'd', NULL)",
	"INSERT INTO mdl_o VALUES (1, 1, 'x'), (2, NULL, 'y')",
	"INSERT INTO mdl_n (name) VALUES ('a'), ('b')",
	"CREATE VIEW mdl_v AS SELECT id FROM mdl_t",
	"CREATE TRIGGER mdl_tr BEFORE INSERT ON mdl_t FOR EACH ROW SET NEW.v = 'x'",
	"CREATE PROCEDURE mdl_p() SELECT 1",
}

var lossyPostgres = []string{
	"CREATE TABLE mdl_t (id int NOT NULL PRIMARY KEY, v text UNIQUE, g int GENERATED ALWAYS AS (id + 1) STORED, d date DEFAULT 'infinity', e float8 DEFAULT random(), f float8 DEFAULT 'NaN', n numeric(5,2) DEFAULT 12345, CHECK (id > 0))",
	"CREATE TABLE mdl_o (id int NOT NULL PRIMARY KEY, tid int REFERENCES mdl_t (id), j json)",
	"CREATE INDEX mdl_low ON mdl_t (lower(v)) WHERE id > 1",
	"CREATE INDEX mdl_gg ON mdl_t (g)",
	"CREATE INDEX mdl_gin ON mdl_t USING gin (to_tsvector('english', v))",
	"CREATE TABLE mdl_n (name text PRIMARY KEY, number bigserial)",
	"INSERT INTO mdl_t (id, v, d, f, n) VALUES (1, 'a', 'infinity', 'NaN', 1), (2, repeat('x', 900), '2024-01-02', 1, 2), (3, 'A', NULL, 2, 3)",
	"INSERT INTO mdl_o VALUES (1, 1, '{}'), (2, NULL, '[1]')",
	"INSERT INTO mdl_n (name) VALUES ('a'), ('b')",
	"CREATE VIEW mdl_v AS SELECT id FROM mdl_t",
	"CREATE FUNCTION mdl_f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
	"CREATE TRIGGER mdl_tr BEFORE INSERT ON mdl_o FOR EACH ROW EXECUTE FUNCTION mdl_f()",
}

var lossySQLite = []string{
	"CREATE TABLE mdl_t (id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, v VARCHAR(3) COLLATE NOCASE, g INT GENERATED ALWAYS AS (id + 1), d DATE_TEXT DEFAULT 'nonsense', e TEXT DEFAULT (upper('x')), f DOUBLE DEFAULT 9e999, CHECK (id > 0))",
	"CREATE TABLE mdl_o (id BIGINT NOT NULL PRIMARY KEY, tid INT REFERENCES mdl_t (id))",
	"CREATE INDEX mdl_low ON mdl_t (lower(v)) WHERE id > 1",
	"INSERT INTO mdl_t (id, v, d, f) VALUES (1, 'a', '2024-02-30', 9e999), (2, 'toolong', '2024-01-02', 1), (3, 'b', NULL, NULL)",
	"INSERT INTO mdl_o VALUES (1, 1), ('not a number', 2), (3, NULL)",
	"CREATE VIEW mdl_v AS SELECT id FROM mdl_t",
	"CREATE VIRTUAL TABLE mdl_fts USING fts5 (body)",
	"CREATE TRIGGER mdl_tr AFTER INSERT ON mdl_o BEGIN SELECT 1; END",
}

// With any accepted kind of loss, the run succeeds and proves everything else.
func TestAnAcceptedLossPassesTheProof(t *testing.T) {
	var accept []string
	for _, kind := range stage.LossKinds() {
		accept = append(accept, fmt.Sprintf("%s: 100", kind))
	}
	for i, c := range []struct {
		statements []string
		kinds      []stage.LossKind // reported in a transfer to any other engine
	}{
		{lossyMySQL, []stage.LossKind{stage.LossColumn, stage.LossConstraint, stage.LossDefault, stage.LossIndex, stage.LossRoutine, stage.LossTrigger, stage.LossView}},
		{lossyMySQL, []stage.LossKind{stage.LossColumn, stage.LossConstraint, stage.LossDefault, stage.LossIndex, stage.LossRoutine, stage.LossTrigger, stage.LossView}},
		{lossyPostgres, []stage.LossKind{stage.LossColumn, stage.LossConstraint, stage.LossDefault, stage.LossIndex, stage.LossRoutine, stage.LossTrigger, stage.LossView}},
		{lossySQLite, []stage.LossKind{stage.LossColumn, stage.LossConstraint, stage.LossIndex, stage.LossTable, stage.LossTrigger, stage.LossView}},
	} {
		from := engines[i]
		t.Run(from.name, func(t *testing.T) {
			t.Parallel()
			source := from.make(t)
			source.look.SQL.SetMaxOpenConns(1) // SET applies to one connection
			execute(t, source.look.SQL, c.statements...)
			if from.name == "mariadb" {
				execute(t, source.look.SQL, "CREATE SEQUENCE mdl_s")
			}
			for _, to := range engines {
				t.Run("to "+to.name, func(t *testing.T) {
					target := to.make(t)
					env := []string{"FROM=" + source.env, "TO=" + target.env}
					pipeline := pipelineFile(t, fmt.Sprintf("version: 1\naccept_loss: {"+strings.Join(accept, ", ")+"}\nsource: ["+source.stage+"]\nsink: ["+target.stage+"]\n", "FROM", "TO"))
					out := vault(t, env, "run", pipeline)
					if out.code != 0 {
						t.Fatalf("exit %d:\n%s\n%s", out.code, out.stdout, out.stderr)
					}
					kinds := c.kinds
					if from.name != "postgres" && to.name == "postgres" || from.name == "postgres" && target.look.Dialect == "mysql" {
						kinds = append(slices.Clone(kinds), stage.LossRow)
					}
					for _, kind := range kinds {
						if !strings.Contains(out.stdout+out.stderr, "loss: "+string(kind)) && !(kind == stage.LossIndex || kind == stage.LossDefault) {
							t.Errorf("no loss of kind %s reported:\n%s", kind, out.stdout)
						}
					}
				})
			}
		})
	}
}

// With accepted losses of files, the run and a restore from it prove all other files.
func TestAcceptedFileLossesPassTheProof(t *testing.T) {
	dir := t.TempDir()
	site := sqliteFile(t)
	content := func(text string) string {
		sum := sha1.Sum([]byte(text))
		return hex.EncodeToString(sum[:])
	}
	put := func(path, text string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	pool := filepath.Join(dir, "filedir")
	at := func(hash string) string { return filepath.Join(pool, hash[:2], hash[2:4], hash) }
	whole, corrupt, missing := content("whole"), content("as it was"), content("gone")
	put(at(whole), "whole")
	put(at(corrupt), "changed since")
	put(filepath.Join(dir, "dataroot", "lang", "en.php"), "x")
	if err := syscall.Mkfifo(filepath.Join(dir, "dataroot", "lang", "pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	execute(t, site.look.SQL, "CREATE TABLE mdl_files (id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, contenthash VARCHAR(40) NOT NULL)")
	for _, hash := range []string{whole, corrupt, missing} {
		execute(t, site.look.SQL, "INSERT INTO mdl_files (contenthash) VALUES ('"+hash+"')")
	}
	repository, restored := filepath.Join(dir, "repo"), sqliteFile(t)
	env := []string{"FROM=" + site.env, "TO=" + restored.env, "PASS=correct horse"}
	must(t, env, "run", pipelineFile(t, fmt.Sprintf(`version: 1
accept_loss: {missing_file: 1, corrupt_file: 1, special_file: 1}
source: [%s, {use: files, with: {dir: %q}}, {use: dataroot, with: {dir: %q}}]
transform: [{use: encrypt, with: {passphrase: "${env:PASS}"}}]
sink: [{use: local, with: {dir: %q, create: true}}]
`, fmt.Sprintf(site.stage, "FROM"), pool, filepath.Join(dir, "dataroot"), repository)))
	must(t, env, "run", pipelineFile(t, fmt.Sprintf(`version: 1
accept_loss: {missing_file: 1, corrupt_file: 1, special_file: 1}
source: [{use: local, with: {dir: %q, passphrase: "${env:PASS}"}}]
sink: [%s, {use: files, with: {dir: %q}}, {use: dataroot, with: {dir: %q}}]
`, repository, fmt.Sprintf(restored.stage, "TO"), filepath.Join(dir, "pool"), filepath.Join(dir, "root"))))
	for path, want := range map[string]string{at(whole): "whole", at(corrupt): "changed since"} {
		got, err := os.ReadFile(strings.Replace(path, pool, filepath.Join(dir, "pool"), 1))
		if err != nil || string(got) != want {
			t.Errorf("content %s: %q, %v", filepath.Base(path), got, err)
		}
	}
	if rows := lines(t, restored.look.SQL, "SELECT contenthash FROM mdl_files"); !slices.Contains(rows, missing) || len(rows) != 3 {
		t.Errorf("rows %q", rows)
	}
}
