package sqlite_test

import (
	"testing"

	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/internal/isolated"
	"github.com/lmsvault/vault/plugins/conformance"
	source "github.com/lmsvault/vault/sources/sqlite"
)

func TestContract(t *testing.T) {
	path, _ := database(t,
		`CREATE TABLE mdl_chunks (id INTEGER PRIMARY KEY, x TEXT)`,
		`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 400) INSERT INTO mdl_chunks SELECT i, hex(zeroblob(6000)) || i FROM n`,
		`CREATE TABLE mdl_keyless (a, b BLOB)`, `INSERT INTO mdl_keyless VALUES (1, x'00'), (NULL, NULL)`,
		`CREATE TABLE mdl_rowless (a TEXT, b INT, PRIMARY KEY (b, a)) WITHOUT ROWID`, `INSERT INTO mdl_rowless VALUES ('x', 2), ('y', 1)`,
		`CREATE TABLE mdl_empty (id INTEGER PRIMARY KEY AUTOINCREMENT)`,
		`CREATE VIEW mdl_view AS SELECT 1`,
	)
	st := isolated.Stage(t, source.Stage())
	conformance.Source(t, conformance.SourceFixture{
		Open: func(t testing.TB) stage.Source {
			s, err := st.NewSource(t.Context(), &source.Config{Path: path, Prefix: "mdl_"}, stage.Env{})
			if err != nil {
				t.Fatal(err)
			}
			return s
		},
		Parts:  []string{stage.DB},
		Losses: map[stage.LossKind]int64{stage.LossView: 1},
	})
}
