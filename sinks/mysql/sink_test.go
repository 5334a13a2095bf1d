package mysql

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/keyrange"
	"github.com/lmsvault/vault/core/rows"
	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/dialects/mysql"
	"github.com/lmsvault/vault/internal/isolated"
	"github.com/lmsvault/vault/internal/servers"
)

type maker func(testing.TB) servers.Database

var engines = []struct {
	name string
	make maker
}{{"MariaDB", servers.MariaDB}, {"MySQL", servers.MySQL}}

// exec runs statements like an administrator without strict mode.
func exec(t testing.TB, db servers.Database, statements ...string) {
	t.Helper()
	conn, err := db.SQL.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := conn.Close(); err != nil {
			t.Error(err)
		}
	}()
	for _, s := range append([]string{"SET NAMES utf8mb4", "SET SESSION sql_mode = 'NO_AUTO_VALUE_ON_ZERO', time_zone = '+00:00'"}, statements...) {
		if _, err := conn.ExecContext(t.Context(), s); err != nil {
			t.Fatalf("%.200s: %v", s, err)
		}
	}
}

func connect(t testing.TB, db servers.Database) *mysql.Server {
	t.Helper()
	s, err := mysql.Connect(t.Context(), config.NewSecret(db.DSN))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// carried holds the result of a run of the sink.
type carried struct {
	read, proved []stage.TableProof
	refused      []stage.Loss
	losses       []stage.Loss
	notes        []stage.Note
}

func open(t testing.TB, cfg Config) stage.RowSink {
	t.Helper()
	st := isolated.Stage(t, Stage())
	if cfg.Load == "" {
		cfg.Load = loadAuto
	}
	sk, err := st.NewSink(t.Context(), &cfg, stage.Env{Log: slog.Default(), Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := sk.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return sk.(stage.RowSink)
}

// plan reads the structure of a site as the sink gets it.
func plan(t testing.TB, from servers.Database, prefix string) (*stage.Plan, *mysql.Structure) {
	t.Helper()
	server := connect(t, from)
	st, err := server.Inspect(t.Context(), prefix)
	if err != nil {
		t.Fatal(err)
	}
	p := &stage.Plan{Workers: 2, Facts: map[string]string{"prefix": prefix, "dialect": mysql.Dialect}}
	for _, table := range st.Tables {
		p.Tables = append(p.Tables, stage.TableInfo{Schema: table.Table, Rows: table.Rows, Bytes: table.Bytes})
	}
	return p, st
}

// carry transfers all tables of a database through a sink, including the proof.
func carry(t testing.TB, from servers.Database, cfg Config) carried {
	t.Helper()
	p, st := plan(t, from, "mdl_")
	return write(t, p, cfg, func(name string, emit func(data []byte, n int) error) rows.Sum {
		conn, err := from.SQL.Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		exact := connect(t, from)
		reader, err := exact.Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var sum rows.Sum
		b := rows.NewBuilder(func(_ context.Context, data []byte, n int) error {
			return errors.Join(sum.AddChunk(data), emit(data, n))
		})
		at := slices.IndexFunc(st.Tables, func(x mysql.Table) bool { return x.Name == name })
		table := st.Tables[at]
		err = mysql.NewReader(table.FullName, table.Table).Read(t.Context(), reader, keyrange.Range{}, b)
		if err := errors.Join(err, b.Flush(t.Context()), conn.Close(), reader.Close()); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		return sum
	})
}

// write passes a plan through a sink; feed emits the rows of a table and returns
// their sum.
func write(t testing.TB, p *stage.Plan, cfg Config, feed func(table string, emit func(data []byte, n int) error) rows.Sum) carried {
	t.Helper()
	ctx := t.Context()
	sk := open(t, cfg)
	var c carried
	found, err := sk.Check(ctx, p)
	if err != nil {
		t.Fatal(err)
	}
	c.losses, c.notes = found.Losses, found.Notes
	if err := sk.Begin(ctx, p); err != nil {
		t.Fatal(err)
	}
	for _, table := range p.Tables {
		name := table.Schema.Name
		w, err := sk.WriteRows(ctx, stage.Unit{ID: "db/" + name, Part: stage.DB, Table: name})
		if err != nil {
			t.Fatal(err)
		}
		sum := feed(name, func(data []byte, n int) error { return w.Write(ctx, stage.Chunk{Data: data, Rows: n}) })
		receipt, err := w.Commit(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range receipt.Losses {
			sum.Remove(l.Row)
			c.refused = append(c.refused, l)
		}
		c.read = append(c.read, stage.TableProof{Schema: table.Schema, Sum: sum})
	}
	if err := sk.Finish(ctx, &stage.Outcome{Tables: c.read}); err != nil {
		t.Fatal(err)
	}
	if c.proved, err = sk.Prove(ctx); err != nil {
		t.Fatal(err)
	}
	if err := sk.Publish(ctx); err != nil {
		t.Fatal(err)
	}
	for k := range c.read {
		if c.read[k].Sum != c.proved[k].Sum {
			t.Errorf("table %s: read %s, proved %s", c.read[k].Schema.Name, c.read[k].Sum, c.proved[k].Sum)
		}
	}
	return c
}

func siteTables(t testing.TB, db servers.Database, prefix string) []string {
	t.Helper()
	result, err := db.SQL.QueryContext(t.Context(), "SHOW TABLES")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for result.Next() {
		var name string
		if err := result.Scan(&name); err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(name, prefix) {
			names = append(names, name)
		}
	}
	if err := errors.Join(result.Err(), result.Close()); err != nil {
		t.Fatal(err)
	}
	return names
}

func one(t testing.TB, db servers.Database, query string) string {
	t.Helper()
	result, err := db.SQL.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	columns, err := result.Columns()
	if err != nil || !result.Next() {
		t.Fatalf("%s: no row (%v)", query, err)
	}
	values := make([]sql.NullString, len(columns))
	into := make([]any, len(columns))
	for k := range values {
		into[k] = &values[k]
	}
	if err := errors.Join(result.Scan(into...), result.Close()); err != nil {
		t.Fatal(err)
	}
	return values[len(values)-1].String
}

// A site is restored unchanged on the same engine: the server's checksums and its own
// description of the structure are equal.
func TestSameEngineKeepsEverything(t *testing.T) {
	for _, engine := range engines {
		for _, load := range []string{loadLocal, loadInsert} {
			t.Run(engine.name+" "+load, func(t *testing.T) {
				t.Parallel()
				from, to := engine.make(t), engine.make(t)
				exec(t, from, odd...)
				c := carry(t, from, Config{DSN: config.NewSecret(to.DSN), Prefix: "mdl_", Load: load})
				for _, l := range slices.Concat(c.losses, c.refused) {
					t.Errorf("lost: %s", asJSON(t, l))
				}
				names := siteTables(t, from, "mdl_")
				if got := siteTables(t, to, "mdl"); !slices.Equal(got, names) {
					t.Fatalf("tables %q, want %q", got, names)
				}
				for _, name := range names {
					if a, b := one(t, from, "CHECKSUM TABLE `"+name+"` EXTENDED"), one(t, to, "CHECKSUM TABLE `"+name+"` EXTENDED"); a != b {
						t.Errorf("%s: checksum %s, want %s", name, b, a)
					}
					a, b := one(t, from, "SHOW CREATE TABLE `"+name+"`"), one(t, to, "SHOW CREATE TABLE `"+name+"`")
					if sortedLines(a) != sortedLines(b) {
						t.Errorf("%s: structure\n%s\nwant\n%s", name, b, a)
					}
				}
				for k := range c.read {
					if got, want := asJSON(t, inOrder(c.proved[k].Schema)), asJSON(t, inOrder(c.read[k].Schema)); got != want {
						t.Errorf("proved schema\n%s\nwant\n%s", got, want)
					}
				}
			})
		}
	}
}

func asJSON(t testing.TB, v any) string {
	t.Helper()
	text, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// inOrder sorts a table's indexes: servers list FULLTEXT ones in any order.
func inOrder(t schema.Table) schema.Table {
	t.Indexes = slices.SortedFunc(slices.Values(t.Indexes), func(a, b schema.Index) int { return strings.Compare(a.Name, b.Name) })
	return t
}

// sortedLines makes structures comparable if indexes were added in another order.
func sortedLines(s string) string {
	lines := strings.Split(s, "\n")
	for k := range lines {
		lines[k] = strings.TrimRight(lines[k], ",")
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}
