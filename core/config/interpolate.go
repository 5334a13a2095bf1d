package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
)

// maxFile is the maximum size of a file in ${file:…}, in bytes.
const maxFile = 64 << 10

// Values resolves the references in the values of a file:
//
//	${env:NAME}    an environment variable
//	${file:/path}  a file's content
//	${NAME}        a value of Set (--set NAME=value)
//	${env:NAME:-x} x if the variable is not set or empty; ${NAME:-x}: x if Set has no NAME
//	$${            the two characters ${
//
// A single line break at the end of the value of a reference is removed. References in
// that value are not resolved.
type Values struct {
	Set     map[string]string
	Env     func(name string) (string, bool) // nil: os.LookupEnv
	Dir     string                           // base of relative paths, in ${file:…} and in settings; "" for the working directory
	Offline bool                             // do not read files; missing values are warnings, not errors
}

// unresolved describes a reference that could not be resolved.
type unresolved struct {
	message, suggestion string
	grave               bool // an error offline too
}

// expanded is a text with its references resolved.
type expanded struct {
	text     string
	dynamic  bool     // text had a reference
	unread   bool     // a referenced file was not read (Offline)
	parts    []string // the values of the references
	kept     []string // the parts from the environment or a file
	fromFile bool     // a part comes from a file
	hard     string   // a reference with a non-empty default, in its form for messages
	problems []unresolved
}

// expand resolves the references in text and calls used with the name of each ${NAME}.
// If secret is true, no remedy suggests writing a value into the file.
func (v *Values) expand(text string, secret bool, used func(name string)) expanded {
	var out strings.Builder
	var e expanded
	for {
		i := strings.Index(text, "${")
		if i < 0 {
			out.WriteString(text)
			e.text = out.String()
			return e
		}
		if i > 0 && text[i-1] == '$' {
			out.WriteString(text[:i-1] + "${")
			text = text[i+2:]
			continue
		}
		out.WriteString(text[:i])
		e.dynamic = true
		end := strings.IndexByte(text[i:], '}')
		if end < 0 {
			e.problems = append(e.problems, unresolved{"unterminated reference ${", "close it with }, or write $${ for a literal ${", true})
			e.text = out.String()
			return e
		}
		reference := text[i+2 : i+end]
		value, problem := v.resolve(reference, secret, used)
		if problem != nil {
			e.problems = append(e.problems, *problem)
		}
		file := strings.HasPrefix(reference, "file:")
		e.fromFile = e.fromFile || file
		e.unread = e.unread || v.Offline && file
		e.parts = append(e.parts, value)
		if file || strings.HasPrefix(reference, "env:") {
			e.kept = append(e.kept, value)
		}
		if _, fallback, ok := strings.Cut(reference, ":-"); ok && !file && fallback != "" {
			e.hard = referenceName(reference)
		}
		out.WriteString(value)
		text = text[i+end+1:]
	}
}

func (v *Values) resolve(reference string, secret bool, used func(string)) (string, *unresolved) {
	if path, ok := strings.CutPrefix(reference, "file:"); ok {
		return v.file(path)
	}
	name, fallback, hasFallback := strings.Cut(reference, ":-")
	variable, isEnv := strings.CutPrefix(name, "env:")
	shown := referenceName(reference)
	if !isName(variable) {
		return "", &unresolved{"unknown kind of reference " + shown, "write ${env:NAME}, ${file:/path} or ${NAME}", true}
	}
	var value string
	var ok bool
	missing := unresolved{grave: !v.Offline}
	if isEnv {
		called := "the environment variable of " + shown
		if identifier.MatchString(variable) {
			called = "environment variable " + variable
		}
		missing.message, missing.suggestion = called+" is not set", "set it"
		if value, ok = v.lookup(variable); ok && cutBreak(value) == "" {
			ok, missing.message = false, called+" is set but empty"
		}
	} else {
		used(variable)
		value, ok = v.Set[variable]
		missing.message, missing.suggestion = "no value for "+shown, "pass --set NAME=VALUE"
		if identifier.MatchString(variable) {
			missing.suggestion = "pass --set " + variable + "=VALUE"
		}
	}
	if secret && !isEnv {
		missing.suggestion = "write ${env:NAME} or ${file:/path} for a secret: others can read a command line"
	} else if !secret && !strings.Contains(shown, "…") {
		missing.suggestion += ", or write " + strings.TrimSuffix(shown, "}") + ":-VALUE} for a default"
	}
	switch {
	case ok:
		return cutBreak(value), nil
	case hasFallback:
		return fallback, nil
	}
	return "", &missing
}

func (v *Values) lookup(name string) (string, bool) {
	if v.Env != nil {
		return v.Env(name)
	}
	return os.LookupEnv(name)
}

func (v *Values) file(path string) (string, *unresolved) {
	shown := "the file of ${file:…}"
	if Plain(path) {
		shown = "file " + path
	}
	if odd := Misreading(path); odd != nil {
		return "", &unresolved{shown + " can't be read: its path " + odd.Problem, "write the whole path", true}
	}
	read := readSmall
	if v.Offline {
		read = func(path string) (string, error) { return "", small(path) }
	}
	text, err := read(resolve(v.Dir, path))
	if err != nil {
		return "", &unresolved{fmt.Sprintf("%s can't be read: %v", shown, reason(err)), unreadable(err), !v.Offline}
	}
	return cutBreak(text), nil
}

// cutBreak removes one line break at the end of text. Secrets in mounted files and
// environment variables often end with an unintended one.
func cutBreak(text string) string {
	return strings.TrimSuffix(strings.TrimSuffix(text, "\n"), "\r")
}

// reason returns the cause of an error of opening a file, without the file's path.
func reason(err error) error {
	if p := new(fs.PathError); errors.As(err, &p) {
		return p.Err
	}
	return err
}

// unreadable returns the remedy for a file that cannot be read.
func unreadable(err error) string {
	if errors.Is(err, fs.ErrPermission) {
		return "make it readable for this user, or name another file"
	}
	return "name another file"
}

// small checks that a file can be the value of a setting. It does not open the file,
// because opening a FIFO would block.
func small(path string) error {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return err
	case !info.Mode().IsRegular():
		return errors.New("not a regular file")
	case info.Size() > maxFile:
		return errLarge
	}
	return nil
}

var errLarge = fmt.Errorf("larger than %s, too large for a setting", Size(maxFile))

func readSmall(path string) (string, error) {
	if err := small(path); err != nil {
		return "", err
	}
	return readWhole(path)
}

// readWhole reads a file of any kind, up to maxFile bytes.
func readWhole(path string) (text string, err error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return "", err
	}
	if len(data) > maxFile {
		return "", errLarge
	}
	return string(data), nil
}

func isName(s string) bool {
	for i, r := range s {
		letter := r == '_' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
		if !letter && (i == 0 || (r < '0' || r > '9') && r != '.' && r != '-') {
			return false
		}
	}
	return s != ""
}

// SecretFile reads a secret from a file given on the command line and removes one line
// break at its end. The file may be a pipe or a device such as /dev/stdin, which is read
// to its end. Errors contain the path only if it is Plain, because the user may have
// given the secret instead of a path.
func SecretFile(path string) (Secret, error) {
	text, err := readWhole(path)
	if !Plain(path) {
		path = "the file that it names"
	}
	switch {
	case err != nil:
		return Secret{}, fmt.Errorf("%s: %w; %s", path, reason(err), unreadable(err))
	case cutBreak(text) == "":
		return Secret{}, fmt.Errorf("%s is empty", path)
	}
	return NewSecret(cutBreak(text)), nil
}

// SecretVariable returns the secret in an environment variable without one line break
// at its end; ok reports whether the variable is set.
func SecretVariable(name string) (secret Secret, ok bool) {
	text, ok := os.LookupEnv(name)
	return NewSecret(cutBreak(text)), ok
}
