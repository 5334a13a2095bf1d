package mysql

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/internal/servers"
)

// content reads a table with SQL of both engines, independently of our formats:
// strings and bytes as the server's HEX, numbers as the server prints them, rows
// sorted.
func content(t testing.TB, db servers.Database, table string) []string {
	t.Helper()
	names, err := db.SQL.QueryContext(t.Context(), "SELECT COLUMN_NAME, DATA_TYPE FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = ? ORDER BY ORDINAL_POSITION", table)
	if err != nil {
		t.Fatal(err)
	}
	var parts []string
	for names.Next() {
		var name, kind string
		if err := names.Scan(&name, &kind); err != nil {
			t.Fatal(err)
		}
		name = "`" + strings.ReplaceAll(name, "`", "``") + "`"
		switch kind {
		case "double":
		case "float":
			name += " * 1e0" // else the server prints six digits
		case "bit":
			name = "HEX(" + name + ")"
		case "geometry", "point":
			name = "HEX(ST_AsText(" + name + "))"
		case "tinyint", "smallint", "mediumint", "int", "bigint", "decimal", "year", "date", "datetime", "timestamp", "time":
			name = "CONCAT(" + name + ")"
		case "json":
			name = text(name)
		default:
			if strings.HasSuffix(kind, "blob") || strings.HasSuffix(kind, "binary") {
				name = "HEX(" + name + ")"
			} else {
				name = text(name)
			}
		}
		parts = append(parts, name)
	}
	result, err := db.SQL.QueryContext(t.Context(), "SELECT "+strings.Join(parts, ", ")+" FROM `"+table+"`")
	if err := errors.Join(names.Err(), names.Close(), err); err != nil {
		t.Fatal(err)
	}
	var all []string
	for result.Next() {
		values := make([]any, len(parts))
		into := make([]any, len(parts))
		for k := range into {
			into[k] = &values[k]
		}
		if err := result.Scan(into...); err != nil {
			t.Fatal(err)
		}
		all = append(all, fmt.Sprintf("%q", values)) // a float keeps the sign of zero
	}
	if err := errors.Join(result.Err(), result.Close()); err != nil {
		t.Fatal(err)
	}
	slices.Sort(all)
	return all
}

func text(column string) string {
	column = "CONVERT(" + column + " USING utf8mb4)"
	return "IF(LENGTH(" + column + ") > 100000, SHA2(" + column + ", 256), HEX(" + column + "))"
}

// Tables are unchanged after a transfer from MySQL to MariaDB and back, and in the
// other direction.
func TestBetweenMariaDBAndMySQL(t *testing.T) {
	for k, engine := range engines {
		t.Run("from "+engine.name, func(t *testing.T) {
			t.Parallel()
			from, other, back := engine.make(t), engines[1-k].make(t), engine.make(t)
			exec(t, from, odd...)
			for _, step := range [][2]servers.Database{{from, other}, {other, back}} {
				c := carry(t, step[0], Config{DSN: config.NewSecret(step[1].DSN), Prefix: "mdl_"})
				for _, l := range slices.Concat(c.losses, c.refused) {
					t.Errorf("lost: %s", asJSON(t, l))
				}
				for _, table := range siteTables(t, from, "mdl_") {
					want, got := content(t, from, table), content(t, step[1], table)
					if !slices.Equal(got, want) {
						t.Errorf("%s: %s", table, firstDifference(got, want))
					}
				}
			}
		})
	}
}

func firstDifference(got, want []string) string {
	for k := range min(len(got), len(want)) {
		if got[k] != want[k] {
			at := 0
			for at < min(len(got[k]), len(want[k])) && got[k][at] == want[k][at] {
				at++
			}
			from := max(0, at-40)
			return fmt.Sprintf("row %d differs at %d: %.120q, want %.120q", k, at, got[k][from:], want[k][from:])
		}
	}
	return fmt.Sprintf("%d rows, want %d", len(got), len(want))
}
