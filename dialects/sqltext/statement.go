package sqltext

import (
	"errors"
	"strings"
)

// OneStatement checks a statement that goes to an engine by a way that takes
// several: it may have quoted names and literals, of which two quotes stand for one,
// and must have no semicolon, comment or NUL outside of them. It is the last check,
// of statements that are put together from checked parts.
func OneStatement(sql string) error {
	if strings.ContainsRune(sql, 0) {
		return errors.New("the statement contains the character NUL")
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
