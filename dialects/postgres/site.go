package postgres

import (
	"strings"

	"github.com/jackc/pgx/v5"
)

// Site identifies the tables of a site: those of one schema whose names begin with a
// prefix, compared byte by byte.
type Site struct{ Schema, Prefix string }

// Table quotes a table of the site, given without prefix, for SQL.
func (s Site) Table(name string) string { return s.Object(s.Full(name)) }

// Object quotes the name of anything in the site's schema for SQL.
func (s Site) Object(name string) string { return pgx.Identifier{s.Schema, name}.Sanitize() }

// Ident quotes a name for SQL.
func Ident(name string) string { return pgx.Identifier{name}.Sanitize() }

// Idents quotes names and joins them with commas.
func Idents(names []string) string {
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = Ident(name)
	}
	return strings.Join(quoted, ", ")
}

// Matches reports whether a table's name matches a pattern in which * matches any
// characters.
func Matches(pattern, name string) bool {
	first, rest, star := strings.Cut(pattern, "*")
	if !star {
		return pattern == name
	}
	name, ok := strings.CutPrefix(name, first)
	for ok && strings.Contains(rest, "*") {
		first, rest, _ = strings.Cut(rest, "*")
		_, name, ok = strings.Cut(name, first)
	}
	return ok && strings.HasSuffix(name, rest)
}

// Literal quotes a string for SQL. It requires standard_conforming_strings, which
// Connection.Open sets.
func Literal(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// unquote parses the quoted name at the beginning of SQL text, as format_type and
// regclass write it, and returns the name and the rest.
func unquote(text string) (name, rest string) {
	if !strings.HasPrefix(text, `"`) {
		if i := strings.IndexByte(text, '.'); i >= 0 {
			return text[:i], text[i:]
		}
		return text, ""
	}
	var b strings.Builder
	for i := 1; i < len(text); i++ {
		if text[i] != '"' {
			b.WriteByte(text[i])
			continue
		}
		if i+1 == len(text) || text[i+1] != '"' {
			return b.String(), text[i+1:]
		}
		b.WriteByte('"')
		i++
	}
	return b.String(), ""
}

// lastName returns the unqualified name of a name that may have a schema.
func lastName(text string) string {
	for {
		name, rest := unquote(text)
		if !strings.HasPrefix(rest, ".") {
			return name
		}
		text = rest[1:]
	}
}
