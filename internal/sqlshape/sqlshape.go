// Package sqlshape checks statements in tests. It shares no code with the packages
// that write them, and is simpler: it finds where quotes begin and end, and checks the
// text outside of them.
package sqlshape

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Engine describes how statements are quoted.
type Engine struct {
	Quotes    string // quotes of names and literals
	Backslash bool   // literals have escapes with backslashes
	Remarks   bool   // the dialect writes comments itself
}

// The engines.
var (
	MySQL    = Engine{Quotes: "'`", Backslash: true}
	Postgres = Engine{Quotes: `'"`}
	SQLite   = Engine{Quotes: "'\"`", Remarks: true}
)

// statements lists words that no statement for tables and indexes contains outside of
// quotes: they begin another statement or a query.
var statements = strings.Fields(`select insert update delete drop alter attach detach pragma vacuum copy program execute call do into outfile dumpfile
	load grant revoke union trigger view function procedure declare begin commit rollback truncate inherits partition`)

// functions matches functions that reach beyond the table, or wait. A word directly
// after a quoted name is a type.
var functions = regexp.MustCompile(`(?i)[^§ ] *\b(load_file|load_extension|pg_read_file|pg_ls_dir|lo_import|lo_export|dblink|query_to_xml|pg_sleep|sleep|benchmark|nextval|setval|currval|set_config|current_setting|readfile|writefile|fts3_tokenizer|get_lock|repeat)\s*\(`)

var word = regexp.MustCompile(`[A-Za-z_][A-Za-z0-9_]*`)

// One checks that text is a single statement that begins with the given words, without
// comments and with all quotes and parentheses closed. It returns the text outside of
// quotes.
func (e Engine) One(text, begin string) (outside string, err error) {
	var b strings.Builder
	depth := 0
	for at := 0; at < len(text); at++ {
		c := text[at]
		switch {
		case c == 0:
			return "", fmt.Errorf("NUL at %d", at)
		case strings.IndexByte(e.Quotes, c) >= 0:
			end := e.closing(text, at)
			if end < 0 {
				return "", fmt.Errorf("the quote at %d is not closed", at)
			}
			at = end
			b.WriteString(" § ")
		case strings.HasPrefix(text[at:], "/*") && e.Remarks:
			end := strings.Index(text[at+2:], "*/")
			if end < 0 {
				return "", fmt.Errorf("the remark at %d is not closed", at)
			}
			at += end + 3
		case c == ';', c == '#' && e.Backslash, strings.HasPrefix(text[at:], "--"), strings.HasPrefix(text[at:], "/*"), c == '$', c == '@', c == '\\':
			return "", fmt.Errorf("%q at %d", text[at:min(at+10, len(text))], at)
		case c == '(':
			depth++
			b.WriteByte(c)
		case c == ')':
			if depth--; depth < 0 {
				return "", fmt.Errorf("unmatched closing parenthesis at %d", at)
			}
			b.WriteByte(c)
		default:
			b.WriteByte(c)
		}
	}
	outside = b.String()
	switch {
	case depth != 0:
		return "", fmt.Errorf("%d parentheses are not closed", depth)
	case !strings.HasPrefix(text, begin):
		return "", fmt.Errorf("it does not begin with %q", begin)
	}
	lower := strings.ToLower(outside)
	for _, w := range word.FindAllString(lower, -1) {
		if slices.Contains(statements, w) {
			return "", fmt.Errorf("it has the word %s", w)
		}
	}
	if call := functions.FindString(outside); call != "" {
		return "", fmt.Errorf("it calls %s", call)
	}
	if strings.Count(lower, " as ") > strings.Count(lower, "cast") {
		return "", errors.New("it has AS outside of a cast")
	}
	return outside, nil
}

func (e Engine) closing(text string, at int) int {
	quote := text[at]
	for i := at + 1; i < len(text); i++ {
		switch {
		case text[i] == '\\' && e.Backslash && quote == '\'':
			i++
		case text[i] == quote && i+1 < len(text) && text[i+1] == quote:
			i++
		case text[i] == quote:
			return i
		}
	}
	return -1
}
