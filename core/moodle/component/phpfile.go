package component

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strconv"
	"strings"

	"github.com/lmsvault/vault/core/moodle/php"
)

// The paths that evaluated PHP files see.
const (
	codeRoot = "/code"      // the root of the code
	program  = "/vault.php" // the program that includes the file
)

// moodle defines what Moodle has defined when it includes a version.php or a
// subplugins.php. The site's settings are unknown.
const moodle = `<?php
define('MOODLE_INTERNAL', true);
define('MATURITY_ALPHA', 50); define('MATURITY_BETA', 100); define('MATURITY_RC', 150); define('MATURITY_STABLE', 200);
define('ANY_VERSION', 'any');
$CFG = settings_of_the_site();
`

// evaluator implements php.Files: the program and the files of the code, no others.
type evaluator struct {
	*Code
	src string // of the program
}

// Read returns the program or a file of the code.
func (e evaluator) Read(name string) ([]byte, error) {
	if name == program {
		return []byte(e.src), nil
	}
	local, err := e.local(name)
	if err != nil {
		return nil, err
	}
	return e.file(local)
}

// Stat describes a file of the code.
func (e evaluator) Stat(name string) (fs.FileInfo, error) {
	local, err := e.local(name)
	if err != nil {
		return nil, err
	}
	if strings.HasPrefix(local, "/") {
		return os.Stat(local)
	}
	return fs.Stat(e.fsys, local)
}

// Real returns the path itself: symbolic links in the code are not resolved.
func (e evaluator) Real(name string) (string, error) {
	_, err := e.Stat(name)
	return path.Clean(name), err
}

// local returns the path of a file relative to the code, or an absolute one below
// Options.ThemeDir. Nothing else may be read.
func (e evaluator) local(name string) (string, error) {
	name = path.Clean(name)
	if below, ok := strings.CutPrefix(name, codeRoot+"/"); ok {
		return below, nil
	}
	if e.themes != "" && strings.HasPrefix(name, path.Clean(e.themes)+"/") {
		return name, nil
	}
	return "", errors.New("it is outside of Moodle's code")
}

// evaluate evaluates a file as Moodle includes it, between two pieces of PHP, and
// returns the properties of the object in variable. The reason is not nil if other
// properties may exist.
func (c *Code) evaluate(ctx context.Context, file, before, after, variable string) (map[string]php.Property, *php.Reason, error) {
	if !strings.HasPrefix(file, "/") {
		file = codeRoot + "/" + file
	}
	quoted := strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(file)
	return c.run(ctx, moodle+before+"\ninclude '"+quoted+"';\n"+after, variable)
}

// run evaluates a program.
func (c *Code) run(ctx context.Context, src, variable string) (map[string]php.Property, *php.Reason, error) {
	result, err := php.Run(ctx, program, php.Options{Files: evaluator{c, src}, Limits: php.Limits{FileSize: maxSource}})
	if err != nil {
		return nil, nil, err
	}
	list, open := result.Properties(variable)
	values := map[string]php.Property{}
	for _, p := range list {
		values[p.Name] = p
	}
	return values, open, nil
}

// problemOf returns the Problem for a file that could not be evaluated.
func problemOf(file string, err error) Problem {
	p := Problem{Path: file, Text: err.Error()}
	var syntax *php.SyntaxError
	var limit *php.LimitError
	switch {
	case errors.As(err, &syntax):
		p.Line, p.Text = syntax.Pos.Line, "PHP syntax error: "+syntax.Problem
	case errors.As(err, &limit):
		p.Line, p.Text = limit.Pos.Line, limit.Problem
	}
	return p
}

// undecided returns the Problem for a value that is unknown or not a version.
func undecided(file, what string, p php.Property, why *php.Reason) Problem {
	found := Problem{Path: file, Text: what + " is not a version"}
	if strings.HasSuffix(p.Pos.File, "/"+file) || p.Pos.File == file {
		found.Line = p.Pos.Line
	}
	if why != nil {
		found.Text = what + " can't be determined without executing the file: " + reason(why)
	}
	return found
}

// reason says why a value is unknown, with the line if that is in a file of the code.
func reason(why *php.Reason) string {
	root := why.Root()
	switch {
	case root.Pos.File == program:
		return "it depends on the site's settings"
	case root.Pos.Line > 0:
		return fmt.Sprintf("line %d: %s", root.Pos.Line, root.Problem)
	}
	return root.Problem
}

// versionOf converts a value. ok is false if it is unknown or not a version.
func versionOf(v php.Value) (version Version, ok bool) {
	text, _ := v.Text()
	switch v.Kind() {
	case php.KindNull:
		return Version{}, true
	case php.KindInt:
		n, _ := v.Int()
		return Version{n}, true
	case php.KindString:
		return Version{text}, true
	case php.KindFloat:
		f, err := strconv.ParseFloat(text, 64)
		return Version{f}, err == nil
	}
	return Version{}, false
}

// listIn returns the source of the first array that a method of a class assigns; the
// evaluator does not evaluate classes.
func listIn(src, method string) (string, error) {
	at := strings.Index(src, "function "+method+"(")
	if at < 0 {
		return "", fmt.Errorf("there is no function %s", method)
	}
	depth, start := 0, -1
	for at += len("function " + method + "("); at < len(src); at++ {
		if skipped := skipText(src[at:]); skipped > 0 {
			at += skipped - 1
			continue
		}
		switch c := src[at]; {
		case start < 0 && c == '=':
			start = at + 1
		case start < 0:
		case c == '(' || c == '[':
			depth++
		case c == ')' || c == ']':
			depth--
		case c == ';' && depth == 0:
			return src[start:at], nil
		}
	}
	return "", fmt.Errorf("function %s assigns no list", method)
}

// skipText returns the length of the comment or string at the start of src, 0 for none.
func skipText(src string) int {
	end := func(mark string, from int) int {
		if n := strings.Index(src[from:], mark); n >= 0 {
			return from + n + len(mark)
		}
		return len(src)
	}
	switch {
	case strings.HasPrefix(src, "//"), strings.HasPrefix(src, "#"):
		return end("\n", 1)
	case strings.HasPrefix(src, "/*"):
		return end("*/", 2)
	case src[0] != '\'' && src[0] != '"':
		return 0
	}
	for n := 1; n < len(src); n++ {
		switch src[n] {
		case '\\':
			n++
		case src[0]:
			return n + 1
		}
	}
	return len(src)
}
