package mysql_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/progress"
	"github.com/lmsvault/vault/core/run"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/internal/servers"
	sink "github.com/lmsvault/vault/sinks/mysql"
	source "github.com/lmsvault/vault/sources/postgres"
	"github.com/lmsvault/vault/transforms/typemap"
)

// move moves a site from PostgreSQL as a pipeline does.
func move(t *testing.T, from, to servers.Database, change func(*sink.Config), accept map[stage.LossKind]int64) (*run.Result, error) {
	t.Helper()
	in, out := source.Stage(), sink.Stage()
	inConfig, outConfig := in.Config().(*source.Config), out.Config().(*sink.Config)
	inConfig.DSN, outConfig.DSN = config.NewSecret(from.DSN), config.NewSecret(to.DSN)
	if err := config.Defaults(inConfig); err != nil {
		t.Fatal(err)
	}
	change(outConfig)
	env := stage.Env{Workers: 2, TempDir: t.TempDir()}
	s, err := in.NewSource(t.Context(), inConfig, env)
	if err != nil {
		t.Fatal(err)
	}
	k, err := out.NewSink(t.Context(), outConfig, env)
	if err != nil {
		t.Fatal(err)
	}
	j := &run.Job{
		Name: "move", Workers: 2, TempDir: env.TempDir, Reporter: progress.Silent{}, Budget: accept,
		Origins:    []run.Origin{{Name: "postgres", Source: s, Database: true}},
		Transforms: []stage.RecordTransform{typemap.New(typemap.Config{})},
		Targets:    []*run.Target{{Name: "mysql", Sink: k, Parts: out.Parts, Dialect: out.Dialect}},
	}
	result, err := j.Run(t.Context())
	if closing := j.Close(t.Context()); closing != nil {
		t.Error(closing)
	}
	return result, err
}

func names(t *testing.T, db servers.Database) []string {
	t.Helper()
	var all string
	if err := db.SQL.QueryRowContext(t.Context(), `SELECT GROUP_CONCAT(CONCAT(id, '=', name) ORDER BY id SEPARATOR '|') FROM mdl_tag`).Scan(&all); err != nil {
		t.Fatal(err)
	}
	return strings.Split(all, "|")
}

// Values that PostgreSQL distinguishes and a _ci collation does not are rejected row
// by row, with the setting that helps; with that setting all rows arrive and are
// proven.
func TestCollationDistinguishesWhatPostgreSQLDoes(t *testing.T) {
	for _, engine := range []struct {
		name   string
		make   func(testing.TB) servers.Database
		spaces string // the collation that compares trailing spaces
	}{{"MariaDB", servers.MariaDB, "utf8mb4_nopad_bin"}, {"MySQL", servers.MySQL, "utf8mb4_0900_bin"}} {
		t.Run(engine.name, func(t *testing.T) {
			t.Parallel()
			from := servers.Postgres(t)
			if _, err := from.SQL.ExecContext(t.Context(), `CREATE TABLE mdl_tag (id bigint PRIMARY KEY, name varchar(255) NOT NULL UNIQUE);
				INSERT INTO mdl_tag VALUES (1, 'a'), (2, 'A'), (3, 'ä'), (4, 'a ')`); err != nil {
				t.Fatal(err)
			}
			for _, c := range []struct {
				collation string
				rows      []string
				refused   int64
				hint      string
			}{
				{"", []string{"1=a"}, 3, "collation: utf8mb4_bin"},
				{"utf8mb4_bin", []string{"1=a", "2=A", "3=ä"}, 1, "collation: " + engine.spaces},
				{engine.spaces, []string{"1=a", "2=A", "3=ä", "4=a "}, 0, ""},
			} {
				to := engine.make(t)
				result, err := move(t, from, to, func(k *sink.Config) { k.Collation = c.collation }, map[stage.LossKind]int64{stage.LossRow: c.refused})
				if err != nil {
					t.Errorf("collation %q: %v", c.collation, err)
				}
				if int64(len(result.Losses)) != c.refused {
					t.Errorf("collation %q: losses %+v", c.collation, result.Losses)
				}
				for _, l := range result.Losses {
					if l.Kind != stage.LossRow || !strings.Contains(l.Reason, c.hint) {
						t.Errorf("collation %q: row %s is rejected because %s", c.collation, l.Where, l.Reason)
					}
				}
				if got := names(t, to); !slices.Equal(got, c.rows) {
					t.Errorf("collation %q: rows %q, want %q", c.collation, got, c.rows)
				}
			}
			for collation, want := range map[string]string{"latin1_bin": "does not belong to utf8mb4", "utf8mb4_klingon_bin": "has no collation utf8mb4_klingon_bin"} {
				_, err := move(t, from, engine.make(t), func(k *sink.Config) { k.Collation = collation }, nil)
				if failure.Of(err) != failure.Refused || !strings.Contains(err.Error(), want) {
					t.Errorf("collation %s: %v", collation, err)
				}
			}
		})
	}
}
