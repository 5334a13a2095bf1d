package mysql

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/dialects/sqltext"
)

// Functions and operators in expressions that only one of the two products has.
var (
	onlyMySQL   = sqltext.Set("bin_to_uuid is_uuid json_pretty regexp_like uuid_to_bin")
	onlyMariaDB = sqltext.Set("json_compact json_detailed json_exists json_loose json_query vec_fromtext vec_totext")

	call = regexp.MustCompile(`([a-zA-Z_0-9]+)\(`)
)

// lacks returns the reason, besides the grammar, why a server cannot have the
// column's default, or nil.
func (s *Server) lacks(c *schema.Column) error {
	d := c.Default
	switch {
	case d == nil:
		return nil
	case s.MariaDB && !d.Expr && c.Type.Kind == schema.Float && d.Value == "-0":
		return errors.New("MariaDB turns the default -0 into 0")
	case d.Expr && timestampDefault.MatchString(d.Value):
		return nil
	case (d.Expr || s.unlimited(c)) && !s.hasExpressions():
		return errors.New("the server is too old for expressions as defaults and for defaults of text columns")
	case d.Expr:
		return s.lacksFunction(d.Value)
	}
	return nil
}

func (s *Server) lacksFunction(expression string) error {
	others := onlyMySQL
	if !s.MariaDB {
		others = onlyMariaDB
	}
	for _, m := range call.FindAllStringSubmatch(expression, -1) {
		if others[strings.ToLower(m[1])] {
			return fmt.Errorf("%s has no function %s", s.Engine(), m[1])
		}
	}
	if s.MariaDB && strings.Contains(expression, "->") {
		return errors.New("MariaDB has no operator -> for JSON")
	}
	return nil
}

// hasExpressions reports whether defaults may be expressions: since MariaDB 10.2 and
// MySQL 8.0.
func (s *Server) hasExpressions() bool {
	if s.MariaDB {
		return s.atLeast(10, 2)
	}
	return s.atLeast(8, 0)
}

// unlimited reports whether a column is a text or blob without a length.
func (s *Server) unlimited(c *schema.Column) bool {
	base := baseName(c.Native)
	return base == "json" || strings.HasSuffix(base, "text") || strings.HasSuffix(base, "blob")
}
