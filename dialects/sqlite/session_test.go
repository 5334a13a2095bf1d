package sqlite

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"modernc.org/sqlite"
)

// Every connection has Vault's settings, and a read-only one cannot write.
func TestSessionIsIndependentOfDefaults(t *testing.T) {
	path := filepath.Join(t.TempDir(), "site.sqlite")
	made, err := Open(t.Context(), path, Create)
	if err != nil {
		t.Fatal(err)
	}
	if err := made.Exec(t.Context(), "CREATE TABLE t (id INTEGER PRIMARY KEY)"); err != nil {
		t.Fatal(err)
	}
	if err := made.Close(); err != nil {
		t.Fatal(err)
	}
	conn, err := (&sqlite.Driver{}).Open(path) // connections of Open do not allow setting them
	if err != nil {
		t.Fatal(err)
	}
	c := &Conn{path: path, conn: conn}
	defer func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}()
	for _, p := range pragmas {
		if _, err := c.Query(t.Context(), "PRAGMA "+p.name+" = "+map[string]string{"0": "1", "1": "0", "10000": "5"}[p.value]); err != nil {
			t.Fatal(err)
		}
		if got, err := c.Query(t.Context(), "PRAGMA "+p.name); err != nil || fmt.Sprint(got[0][0]) == p.value {
			t.Errorf("%s cannot be changed: %v (%v)", p.name, got, err)
		}
	}
	if err := c.settle(context.Background(), ReadOnly); err != nil {
		t.Fatal(err)
	}
	for _, p := range pragmas {
		if got, err := c.Query(t.Context(), "PRAGMA "+p.name); err != nil || fmt.Sprint(got[0][0]) != p.value {
			t.Errorf("%s is %v (%v), want %s", p.name, got, err, p.value)
		}
	}
	if err := c.Exec(t.Context(), "CREATE TEMP TABLE x (a)"); err == nil || !strings.Contains(err.Error(), "readonly") {
		t.Errorf("the connection can write: %v", err)
	}
}
