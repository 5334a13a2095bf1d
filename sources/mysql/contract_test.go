package mysql

import (
	"errors"
	"log/slog"
	"testing"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/internal/isolated"
	"github.com/lmsvault/vault/internal/servers"
	"github.com/lmsvault/vault/plugins/conformance"
)

func TestContract(t *testing.T) {
	for _, engine := range engines {
		t.Run(engine.name, func(t *testing.T) {
			db := engine.make(t)
			exec(t, db,
				"CREATE TABLE mdl_numbers (n int PRIMARY KEY)", "INSERT INTO mdl_numbers VALUES (0),(1),(2),(3),(4),(5),(6),(7),(8),(9)",
				"CREATE TABLE mdl_chunks (id bigint NOT NULL AUTO_INCREMENT PRIMARY KEY, x longtext)",
				"INSERT INTO mdl_chunks SELECT 100 * a.n + 10 * b.n + c.n + 1, CONCAT(REPEAT('0123456789', 1500), c.n, '\t', b.n) FROM mdl_numbers a, mdl_numbers b, mdl_numbers c",
				"CREATE TABLE mdl_keyless (a int, b blob)", "INSERT INTO mdl_keyless VALUES (1, x'00'), (1, x'00'), (NULL, NULL)",
				"CREATE TABLE mdl_composite (a varchar(20), b int, f float, PRIMARY KEY (b, a))", "INSERT INTO mdl_composite VALUES ('x', 2, 0.1), ('y', 1, 3.4028234663852886e38)",
				"CREATE TABLE mdl_empty (id bigint NOT NULL AUTO_INCREMENT PRIMARY KEY)",
				"CREATE VIEW mdl_view AS SELECT 1 AS n")
			conformance.Source(t, fixture(t, db))
		})
	}
}

func fixture(t testing.TB, db servers.Database) conformance.SourceFixture {
	st := isolated.Stage(t, Stage())
	return conformance.SourceFixture{
		Open: func(t testing.TB) stage.Source {
			cfg := st.Config().(*Config)
			cfg.DSN = config.NewSecret(db.DSN)
			s, err := st.NewSource(t.Context(), cfg, stage.Env{Log: slog.Default(), Workers: 3})
			if err != nil {
				t.Fatal(err)
			}
			return s
		},
		Parts:  []string{stage.DB},
		Losses: map[stage.LossKind]int64{stage.LossView: 1},
	}
}

// If a writer fails, which closes the connection, later reads report that failure and
// not the closed connection.
func TestLaterReadsReportFirstError(t *testing.T) {
	for _, engine := range engines {
		t.Run(engine.name, func(t *testing.T) {
			t.Parallel()
			db := engine.make(t)
			exec(t, db, "CREATE TABLE mdl_a (id int PRIMARY KEY)", "INSERT INTO mdl_a VALUES (1)", "CREATE TABLE mdl_b (id int PRIMARY KEY)", "INSERT INTO mdl_b VALUES (1)")
			s := open(t, db.DSN, func(c *Config) { c.Connections = 1 })
			full := errors.New("the target is full")
			for _, u := range plan(t, s).Units {
				if err := s.ReadRows(t.Context(), stage.ReadRequest{Unit: u}, &failing{full}); !errors.Is(err, full) {
					t.Errorf("unit %s: %v", u.ID, err)
				}
			}
		})
	}
}

// A table of an engine without snapshots is not counted, because its rows may have
// changed since they were read.
func TestTablesOutsideSnapshotAreNotCounted(t *testing.T) {
	for _, engine := range engines {
		t.Run(engine.name, func(t *testing.T) {
			t.Parallel()
			db := engine.make(t)
			exec(t, db, "CREATE TABLE mdl_a (id int PRIMARY KEY)", "INSERT INTO mdl_a VALUES (1), (2)",
				"CREATE TABLE mdl_b (id int PRIMARY KEY) ENGINE=MyISAM", "INSERT INTO mdl_b VALUES (1)")
			s := open(t, db.DSN, nil)
			plan(t, s)
			exec(t, db, "INSERT INTO mdl_a VALUES (3)", "INSERT INTO mdl_b VALUES (2)")
			for name, want := range map[string]int64{"a": 2, "b": -1} {
				if n, err := s.(stage.Counter).Count(t.Context(), name); err != nil || n != want {
					t.Errorf("table %s: %d rows (%v), want %d", name, n, err, want)
				}
			}
		})
	}
}
