package sqltext

import (
	"errors"
	"strings"
)

// OneStatement checks a statement for an engine interface that accepts several: it
// may contain quoted names and literals, with doubled quotes as escapes, but no
// semicolon, comment or NUL outside of them. It is the last check of statements
// composed from checked parts.
func OneStatement(sql string) error {
	if strings.ContainsRune(sql, 0) {
		return errors.New("the statement contains a NUL character")
	}
	for at := 0; at < len(sql); at++ {
		switch c := sql[at]; {
		case c == '\'' || c == '"' || c == '`':
			end := strings.IndexByte(sql[at+1:], c)
			if end < 0 {
				return errors.New("the statement ends within quotes")
			}
			at += end + 1
		case c == ';':
			return errors.New("the text holds more than one statement")
		case strings.HasPrefix(sql[at:], "--"), strings.HasPrefix(sql[at:], "/*"):
			return errors.New("the statement holds a comment")
		}
	}
	return nil
}
