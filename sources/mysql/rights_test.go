package mysql

import (
	"fmt"
	"strings"
	"testing"

	driver "github.com/go-sql-driver/mysql"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/stage"
)

// What a user's privileges hide is not silently omitted: hidden tables are refused,
// triggers, events and routines are noted. Privileges may come from a role.
func TestHiddenObjectsAreReported(t *testing.T) {
	for _, engine := range engines {
		t.Run(engine.name, func(t *testing.T) {
			t.Parallel()
			db := engine.make(t)
			exec(t, db, "CREATE TABLE mdl_a (id int PRIMARY KEY)", "CREATE TABLE mdl_b (id int PRIMARY KEY)")
			cfg, err := driver.ParseDSN(db.DSN)
			if err != nil {
				t.Fatal(err)
			}
			name := cfg.DBName
			user := name + "_u@'%'"
			dsn := as(t, db, "LOCK TABLES")
			noted := func(want string) {
				t.Helper()
				text := fmt.Sprint(plan(t, open(t, dsn, nil)).Notes)
				if _, after, _ := strings.Cut(text, "cannot see "); !strings.HasPrefix(after, want) || (want == "") != (after == "") {
					t.Errorf("notes %s, want %q", text, want)
				}
			}
			exec(t, db, "GRANT SELECT ON `"+name+"`.mdl_a TO "+user)
			_, err = open(t, dsn, nil).Plan(t.Context(), stage.PlanRequest{})
			if failure.Of(err) != failure.Refused || !strings.Contains(err.Error(), "GRANT SELECT ON `"+name+"`.*") {
				t.Errorf("SELECT on one table: %v", err)
			}
			exec(t, db, "GRANT SELECT ON `"+strings.ReplaceAll(name, "_", `\_`)+"`.* TO "+user)
			noted("triggers, events, routines of the database")
			role := name + "_r"
			exec(t, db, "CREATE ROLE "+role, "GRANT TRIGGER, EXECUTE ON `"+name[:5]+"%`.* TO "+role, "GRANT "+role+" TO "+user)
			defer exec(t, db, "DROP ROLE "+role)
			if engine.name == "MariaDB" {
				exec(t, db, "SET DEFAULT ROLE "+role+" FOR "+user)
			} else {
				exec(t, db, "SET DEFAULT ROLE "+role+" TO "+user)
			}
			noted("events of the database")
			exec(t, db, "GRANT EVENT ON *.* TO "+user)
			noted("")
		})
	}
}

// Table names with any characters are locked correctly.
func TestTableLocksOfOddNames(t *testing.T) {
	for _, engine := range engines {
		t.Run(engine.name, func(t *testing.T) {
			t.Parallel()
			db := engine.make(t)
			exec(t, db, "CREATE TABLE `mdl_q, ``z` (id int PRIMARY KEY)", "CREATE TABLE mdl_a (id int PRIMARY KEY)")
			inv := plan(t, open(t, as(t, db, "SELECT, LOCK TABLES"), nil))
			if got := inv.Facts["consistency"]; got != underTableLocks || len(inv.Tables) != 2 {
				t.Errorf("%d tables with %q", len(inv.Tables), got)
			}
		})
	}
}
