package mysql

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// Rights is the set of the user's privileges on the whole database, in the server's
// terms: "SELECT", "TRIGGER". "ALL PRIVILEGES" implies all of them.
type Rights map[string]bool

// Has reports whether the user has one of these privileges.
func (r Rights) Has(any ...string) bool {
	for _, right := range any {
		if r[right] || r["ALL PRIVILEGES"] {
			return true
		}
	}
	return false
}

// grantLine matches a line of SHOW GRANTS that grants privileges on databases.
var grantLine = regexp.MustCompile("^GRANT (.+) ON (?:\\*|(`(?:[^`]|``)+`))\\.\\* TO ")

// Rights reads the user's grants, with those of the roles that are active.
func (s *Server) Rights(ctx context.Context) (r Rights, err error) {
	query := "SHOW GRANTS"
	if !s.MariaDB { // which lists those of the role anyhow
		var roles string
		if err := s.QueryRowContext(ctx, "SELECT CURRENT_ROLE()").Scan(&roles); err != nil {
			return nil, fmt.Errorf("%s: reading the user's roles: %w", s.Address, err)
		}
		if roles != "NONE" {
			query += " FOR CURRENT_USER() USING " + roles
		}
	}
	found, err := s.QueryContext(ctx, query)
	if err != nil {
		return nil, fmt.Errorf("%s: reading the user's rights: %w", s.Address, err)
	}
	defer func() { err = errors.Join(err, found.Close()) }()
	r = Rights{}
	for found.Next() {
		var line sql.NullString
		if err := found.Scan(&line); err != nil {
			return nil, err
		}
		m := grantLine.FindStringSubmatch(line.String)
		if m == nil || m[2] != "" && !s.fits(m[2]) {
			continue
		}
		for right := range strings.SplitSeq(m[1], ", ") {
			r[right] = true
		}
	}
	return r, found.Err()
}

// fits reports whether the quoted database of a grant, in which _ and % are
// wildcards and a backslash takes that away, is this one.
func (s *Server) fits(quoted string) bool {
	name := strings.ReplaceAll(strings.Trim(quoted, "`"), "``", "`")
	var pattern strings.Builder
	pattern.WriteString("(?is)^")
	for at := 0; at < len(name); at++ {
		switch c := name[at]; {
		case c == '\\' && at+1 < len(name):
			at++
			pattern.WriteString(regexp.QuoteMeta(name[at : at+1]))
		case c == '_':
			pattern.WriteByte('.')
		case c == '%':
			pattern.WriteString(".*")
		default:
			pattern.WriteString(regexp.QuoteMeta(name[at : at+1]))
		}
	}
	re, err := regexp.Compile(pattern.String() + "$")
	return err == nil && re.MatchString(s.Database)
}
