package sqlite

import (
	"context"
	"fmt"
	"strconv"
	"time"
)

// wait is how long a statement waits for another program's lock.
const wait = 10 * time.Second

// pragma is a connection setting that affects what is read or written.
type pragma struct{ name, value string }

// pragmas lists the settings that Vault relies on. Each is set on every connection,
// regardless of how SQLite was built, and read back.
var pragmas = []pragma{
	{"trusted_schema", "0"}, // the file's schema cannot run functions
	{"writable_schema", "0"},
	{"busy_timeout", strconv.FormatInt(wait.Milliseconds(), 10)},
	{"cell_size_check", "1"}, // detect damage when reading
	{"reverse_unordered_selects", "0"},
	{"foreign_keys", "0"},
	{"ignore_check_constraints", "0"},
	{"recursive_triggers", "0"},
}

// settle sets the connection's pragmas. A read-only connection cannot be made
// writable.
func (c *Conn) settle(ctx context.Context, mode Mode) error {
	want := pragmas
	if mode == ReadOnly {
		want = append(want[:len(want):len(want)], pragma{"query_only", "1"})
	}
	for _, p := range want {
		if _, err := c.Query(ctx, "PRAGMA "+p.name+" = "+p.value); err != nil {
			return fmt.Errorf("PRAGMA %s: %w", p.name, err)
		}
		got, err := c.Query(ctx, "PRAGMA "+p.name)
		if err != nil {
			return fmt.Errorf("PRAGMA %s: %w", p.name, err)
		}
		if len(got) != 1 || fmt.Sprint(got[0][0]) != p.value {
			return fmt.Errorf("PRAGMA %s was set to %s but is %v", p.name, p.value, got)
		}
	}
	return nil
}
