package postgres

import (
	"strings"

	"github.com/jackc/pgx/v5"
)

// Site says which tables are a site's: those of one schema whose names begin
// with one prefix, compared byte by byte.
type Site struct{ Schema, Prefix string }

// Table quotes a table of the site, given without prefix, for SQL.
func (s Site) Table(name string) string { return s.Object(s.Full(name)) }

// Object quotes the name of anything in the site's schema for SQL.
func (s Site) Object(name string) string { return pgx.Identifier{s.Schema, name}.Sanitize() }

// Ident quotes a name for SQL.
func Ident(name string) string { return pgx.Identifier{name}.Sanitize() }

// Idents quotes names and puts commas between them.
func Idents(names []string) string {
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = Ident(name)
	}
	return strings.Join(quoted, ", ")
}

// Matches compares a table's name with a pattern in which * stands for any characters.
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

// Literal quotes a string for SQL in a session with standard_conforming_strings,
// as every session of Connection.Open has it.
func Literal(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// unquote reads the quoted name that SQL text begins with, as the server's
// format_type and regclass write it, and returns the name and what follows it.
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

// lastName returns the name in a name that may have a schema in front.
func lastName(text string) string {
	for {
		name, rest := unquote(text)
		if !strings.HasPrefix(rest, ".") {
			return name
		}
		text = rest[1:]
	}
}
