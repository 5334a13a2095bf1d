package sqlite

import (
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func made(t *testing.T, statements ...string) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "site.sqlite")
	db, err := sql.Open("sqlite", path) // connections of Open are restricted
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range statements {
		if _, err := db.ExecContext(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestErrorsGiveCauseAndRemedy(t *testing.T) {
	garbage := filepath.Join(t.TempDir(), "x.sqlite")
	if err := os.WriteFile(garbage, []byte(strings.Repeat("no database ", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		filepath.Join(t.TempDir(), "missing", "x.sqlite"): "missing or not readable",
		garbage: "not an SQLite database",
	} {
		if _, err := Open(t.Context(), path, ReadOnly); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", path, err, want)
		}
	}
}

func TestLockedDatabaseSaysSo(t *testing.T) {
	t.Parallel() // waits for the lock
	path := made(t, "CREATE TABLE t (id INTEGER PRIMARY KEY)")
	other, err := Open(t.Context(), path, Create)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if err := other.Exec(t.Context(), "BEGIN EXCLUSIVE"); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), path, ReadOnly); err == nil || !strings.Contains(err.Error(), "another process has locked the database for 10s; try again") {
		t.Errorf("got %v", err)
	}
}

// A view in the file's own schema must not call functions that reach beyond its data.
func TestSchemaOfFileIsNotTrusted(t *testing.T) {
	path := made(t, "CREATE VIEW v AS SELECT file FROM pragma_database_list")
	c, err := Open(t.Context(), path, ReadOnly)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if got, err := c.Query(t.Context(), "SELECT * FROM v"); err == nil || !strings.Contains(err.Error(), "unsafe use") {
		t.Errorf("the view shows %v, %v", got, err)
	}
}
