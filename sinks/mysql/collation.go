package mysql

import (
	"fmt"
	"slices"
	"strings"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/schema"
)

// The server's error for a key that is there already.
const duplicate = 1062

// binary are the collations that find only the same values equal, the best first:
// the last ignores spaces at the end.
var binary = [...]string{"utf8mb4_0900_bin", "utf8mb4_nopad_bin", "utf8mb4_bin"}

// checkCollation refuses a setting that the server doesn't have or that can't hold every character.
func (s *sink) checkCollation() error {
	switch name := s.cfg.Collation; {
	case name == "":
		return nil
	case !strings.HasPrefix(name, "utf8mb4_"):
		return failure.New(failure.Refused, "collation %s is not of utf8mb4, the character set that holds all of Moodle's: take utf8mb4_bin or another that begins with utf8mb4_", name)
	case !s.writer.Collations[name]:
		return failure.New(failure.Refused, "%s has no collation %s: SHOW COLLATION lists those it has", s.server.Engine(), name)
	}
	return nil
}

// equalHint says what to do where the server finds values of a table equal that
// were not where they come from; "" for a table that brings its own collation.
func (s *sink) equalHint(t *schema.Table) string {
	now := s.writer.Default()
	there := slices.DeleteFunc(slices.Clone(binary[:]), func(name string) bool { return !s.writer.Collations[name] })
	switch {
	case t.Collation != "" || len(there) == 0 || there[0] == now:
		return ""
	case slices.Contains(there, now):
		return fmt.Sprintf(" (%s ignores spaces at the end; collation: %s in the sink doesn't)", now, there[0])
	case len(there) == 1:
		return fmt.Sprintf(" (%s may ignore case and accents; collation: %s in the sink doesn't)", now, there[0])
	}
	return fmt.Sprintf(" (%s may ignore case and accents; collation: utf8mb4_bin in the sink doesn't, nor does %s, which heeds spaces at the end too)", now, there[0])
}
