package snapshotcmd

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/lmsvault/vault/core/failure"
)

const quotingHelp = `Each line is one entry. A path with newlines, control characters, bytes that are not
UTF-8, or leading or trailing spaces is printed in double quotes with escapes such as
\n and \xff. On the command line, write it in the same form within single quotes:

  vault cat REPO '"dataroot/a\nb"'`

// quoted returns a name for the output of ls: unchanged, or as a Go string in double
// quotes if it contains line breaks or other unprintable characters. No path of an entry
// begins with a double quote, so unquoted can distinguish the two forms.
func quoted(name string) string {
	odd := !utf8.ValidString(name) || name != strings.Trim(name, " ") || strings.Contains(name, " -> ") || strings.HasPrefix(name, `"`)
	if odd || strings.ContainsFunc(name, func(r rune) bool { return !strconv.IsPrint(r) }) {
		return strconv.Quote(name)
	}
	return name
}

// unquoted is the inverse of quoted.
func unquoted(path string) (string, error) {
	if !strings.HasPrefix(path, `"`) {
		return path, nil
	}
	name, err := strconv.Unquote(path)
	if err != nil {
		return "", failure.New(failure.Usage, "the path %s begins with a double quote but is not quoted as in the output of vault ls", path)
	}
	return name, nil
}

// inexact returns the quoted form of a name that JSON cannot represent, or "" for others.
func inexact(name string) string {
	if utf8.ValidString(name) {
		return ""
	}
	return fmt.Sprintf("%q", name)
}
