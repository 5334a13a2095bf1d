package mysql

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"

	driver "github.com/go-sql-driver/mysql"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/rows"
	"github.com/lmsvault/vault/core/selection"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/internal/isolated"
	"github.com/lmsvault/vault/internal/servers"
)

var engines = []struct {
	name string
	make func(testing.TB) servers.Database
}{{"MariaDB", servers.MariaDB}, {"MySQL", servers.MySQL}}

func exec(t testing.TB, db servers.Database, statements ...string) {
	t.Helper()
	for _, s := range statements {
		if _, err := db.SQL.ExecContext(t.Context(), s); err != nil {
			t.Fatalf("%.200s: %v", s, err)
		}
	}
}

func open(t testing.TB, dsn string, change func(*Config)) stage.RowSource {
	t.Helper()
	st := isolated.Stage(t, Stage())
	cfg := st.Config().(*Config)
	cfg.DSN = config.NewSecret(dsn)
	if change != nil {
		change(cfg)
	}
	s, err := st.NewSource(t.Context(), cfg, stage.Env{Log: slog.Default(), Workers: 3})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return s.(stage.RowSource)
}

// as returns a DSN of db for a new user with only these privileges.
func as(t testing.TB, db servers.Database, rights string) string {
	t.Helper()
	cfg, err := driver.ParseDSN(db.DSN)
	if err != nil {
		t.Fatal(err)
	}
	user := cfg.DBName + "_u"
	exec(t, db, "CREATE USER "+user+"@'%' IDENTIFIED BY 'the-secret'", "GRANT "+rights+" ON `"+cfg.DBName+"`.* TO "+user+"@'%'")
	t.Cleanup(func() {
		if _, err := db.SQL.ExecContext(context.Background(), "DROP USER "+user+"@'%'"); err != nil {
			t.Error(err)
		}
	})
	cfg.User, cfg.Passwd = user, "the-secret"
	return cfg.FormatDSN()
}

// collector keeps the rows of a unit.
type collector struct {
	mu    *sync.Mutex
	data  map[string][]string // rows by table
	table string
	hook  func()
}

func (c *collector) Write(_ context.Context, chunk stage.Chunk) error {
	if c.hook != nil {
		c.hook()
	}
	lines := strings.Split(strings.TrimSuffix(string(chunk.Data), "\n"), "\n")
	if len(lines) != chunk.Rows {
		return fmt.Errorf("a chunk of %d rows has the count %d", len(lines), chunk.Rows)
	}
	if len(chunk.Data) > rows.MaxChunk && chunk.Rows > 1 {
		return fmt.Errorf("a chunk of %d bytes", len(chunk.Data))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.data[c.table] = append(c.data[c.table], lines...)
	return nil
}

func (c *collector) Loss(_ context.Context, l stage.Loss) error {
	return fmt.Errorf("loss %+v", l)
}

// readAll reads all units concurrently and returns the rows of each table, sorted.
func readAll(t testing.TB, s stage.RowSource, units []stage.Unit) map[string][]string {
	t.Helper()
	var mu sync.Mutex
	var wg sync.WaitGroup
	data := map[string][]string{}
	for _, u := range units {
		wg.Go(func() {
			c := &collector{mu: &mu, data: data, table: u.Table}
			if err := s.ReadRows(t.Context(), stage.ReadRequest{Unit: u}, c); err != nil {
				t.Errorf("%s: %v", u.ID, err)
			}
		})
	}
	wg.Wait()
	for _, lines := range data {
		slices.Sort(lines)
	}
	return data
}

func plan(t testing.TB, s stage.Source) *stage.Inventory {
	t.Helper()
	return planSelected(t, s, selection.Selection{})
}

func planSelected(t testing.TB, s stage.Source, selected selection.Selection) *stage.Inventory {
	t.Helper()
	inv, err := s.Plan(t.Context(), stage.PlanRequest{Selection: selected})
	if err != nil {
		t.Fatal(err)
	}
	return inv
}

func tableNames(inv *stage.Inventory) []string {
	var names []string
	for _, x := range inv.Tables {
		names = append(names, x.Schema.Name)
	}
	return names
}

type failing struct{ err error }

func (f *failing) Write(context.Context, stage.Chunk) error { return f.err }
func (f *failing) Loss(context.Context, stage.Loss) error   { return nil }
