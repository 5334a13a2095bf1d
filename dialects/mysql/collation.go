package mysql

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// Collations is the set of collations of a server.
type Collations map[string]bool

// Collations reads the collations of the server.
func (s *Server) Collations(ctx context.Context) (c Collations, err error) {
	query := `SELECT COLLATION_NAME FROM information_schema.COLLATIONS`
	if s.MariaDB && s.atLeast(10, 10) { // UCA 14.0.0 names are listed without their character set
		query = `SELECT FULL_COLLATION_NAME FROM information_schema.COLLATION_CHARACTER_SET_APPLICABILITY`
	}
	rows, err := s.QueryContext(ctx, query)
	if err != nil {
		return nil, fmt.Errorf("%s: reading the server's collations: %w", s.Address, err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	c = Collations{}
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		c[name] = true
	}
	return c, rows.Err()
}

// Nearest returns the collation of this server that compares most like the named one;
// that is the same one if it exists. ok is false if the server has none for its
// character set.
func (c Collations) Nearest(name string) (nearest string, ok bool) {
	if c[name] {
		return name, true
	}
	charset, rules, _ := strings.Cut(name, "_")
	sets := []string{charset}
	switch charset {
	case "utf8":
		sets = append(sets, "utf8mb3")
	case "utf8mb3":
		sets = append(sets, "utf8")
	}
	for _, rules := range alike(rules) {
		for _, set := range sets {
			if c[set+"_"+rules] {
				return set + "_" + rules, true
			}
		}
	}
	return "", false
}

// alike lists collation rules from most to least similar to the given ones: MySQL's
// UCA 9.0.0 and MariaDB's UCA 14.0.0 names first, then the older rules that every
// server has.
func alike(rules string) []string {
	list := []string{rules}
	if tail, ok := strings.CutPrefix(rules, "0900_"); ok {
		list = append(list, "uca1400_nopad_"+tail, "uca1400_"+tail)
	}
	if tail, ok := strings.CutPrefix(rules, "uca1400_"); ok {
		tail = strings.TrimPrefix(tail, "nopad_")
		list = append(list, "uca1400_"+tail, "0900_"+tail)
	}
	if strings.HasSuffix(rules, "_bin") || strings.HasSuffix(rules, "_cs") {
		return append(list, "bin")
	}
	return append(list, "unicode_ci", "general_ci", "swedish_ci", "bin")
}
