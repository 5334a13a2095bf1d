package sqltext

import (
	"errors"
	"strings"
	"unicode/utf8"
)

// Name checks the name of a table, column, index or collation before it is quoted.
// Any character may be in it that an engine can quote.
func Name(name string) error {
	if name == "" {
		return errors.New("it is empty")
	}
	return Value(name)
}

// Value checks a text before it becomes a literal.
func Value(text string) error {
	switch {
	case !utf8.ValidString(text):
		return errors.New("it is not UTF-8")
	case strings.ContainsRune(text, 0):
		return errors.New("it contains the character NUL")
	}
	return nil
}
