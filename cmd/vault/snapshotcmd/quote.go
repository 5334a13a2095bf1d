package snapshotcmd

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/lmsvault/vault/core/failure"
)

const quotingHelp = `A path that holds newlines, control characters, bytes that are not UTF-8, or spaces
at an end is printed in double quotes, with \n, \xff and the like in it; so a line is
always one entry. Give it back in that form, in single quotes for the shell:

  vault cat REPO '"dataroot/a\nb"'`

// quoted is a name as ls prints it: as it is, or, where a line could not hold it or
// would not show it, as a Go string in double quotes. No path of an entry begins
// with a double quote, so unquoted knows the two apart.
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
		return "", failure.New(failure.Usage, "the path %s begins with a double quote and is not quoted as vault ls does it", path)
	}
	return name, nil
}

// inexact is the quoted form of a name that JSON can't hold; "" for others.
func inexact(name string) string {
	if utf8.ValidString(name) {
		return ""
	}
	return fmt.Sprintf("%q", name)
}
