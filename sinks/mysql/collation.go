package mysql

import (
	"fmt"
	"slices"
	"strings"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/schema"
)

// The server's error number for a duplicate key.
const duplicate = 1062

// binary lists the collations that treat only identical values as equal, best first:
// the last one ignores trailing spaces.
var binary = [...]string{"utf8mb4_0900_bin", "utf8mb4_nopad_bin", "utf8mb4_bin"}

// checkCollation refuses a setting that the server does not have or that does not
// cover all of Unicode.
func (s *sink) checkCollation() error {
	switch name := s.cfg.Collation; {
	case name == "":
		return nil
	case !strings.HasPrefix(name, "utf8mb4_"):
		return failure.New(failure.Refused, "collation %s does not belong to utf8mb4, which Moodle needs; use utf8mb4_bin or another that begins with utf8mb4_", name)
	case !s.writer.Collations[name]:
		return failure.New(failure.Refused, "%s has no collation %s; SHOW COLLATION lists the available ones", s.server.Engine(), name)
	}
	return nil
}

// equalHint returns a remedy if the server may treat values of a table as equal that
// were distinct in the source; "" for a table with its own collation.
func (s *sink) equalHint(t *schema.Table) string {
	now := s.writer.Default()
	there := slices.DeleteFunc(slices.Clone(binary[:]), func(name string) bool { return !s.writer.Collations[name] })
	switch {
	case t.Collation != "" || len(there) == 0 || there[0] == now:
		return ""
	case slices.Contains(there, now):
		return fmt.Sprintf(" (%s ignores trailing spaces; collation: %s in the sink does not)", now, there[0])
	case len(there) == 1:
		return fmt.Sprintf(" (%s may ignore case and accents; collation: %s in the sink does not)", now, there[0])
	}
	return fmt.Sprintf(" (%s may ignore case and accents; collation: utf8mb4_bin in the sink does not, nor does %s, which also compares trailing spaces)", now, there[0])
}
