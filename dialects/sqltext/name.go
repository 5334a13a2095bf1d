package sqltext

import (
	"errors"
	"strings"
	"unicode/utf8"
)

// Name checks the name of a table, column, index or collation before it is quoted. It
// allows any character that an engine can quote.
func Name(name string) error {
	if name == "" {
		return errors.New("empty name")
	}
	return Value(name)
}

// Value checks a text before it becomes a literal.
func Value(text string) error {
	switch {
	case !utf8.ValidString(text):
		return errors.New("not valid UTF-8")
	case strings.ContainsRune(text, 0):
		return errors.New("contains a NUL character")
	}
	return nil
}
