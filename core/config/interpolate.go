package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
)

// maxFile is the most that a file named by ${file:…} may hold, in bytes.
const maxFile = 64 << 10

// Values says what the references in a file's values stand for:
//
//	${env:NAME}    an environment variable
//	${file:/path}  a file's content without the newline at its end
//	${NAME}        what Set holds (--set NAME=value)
//	${env:NAME:-x} x if there is no such variable or it is empty; with ${NAME:-x}, if Set has no NAME
//	$${            the two characters ${
//
// What a reference stands for is not looked at again for references.
type Values struct {
	Set     map[string]string
	Env     func(name string) (string, bool) // nil: os.LookupEnv
	Offline bool                             // files are not read, and what a reference stands for need not be there: a warning, not an error
}

// unresolved is what is wrong with a reference.
type unresolved struct {
	message, suggestion string
	grave               bool // an error offline too
}

// expanded is a text with its references resolved.
type expanded struct {
	text     string
	dynamic  bool // there was a reference
	unread   bool // to a file that is there, and is not read offline
	problems []unresolved
}

// expand resolves the references in text; used is called with the name of each ${NAME}.
func (v *Values) expand(text string, used func(name string)) expanded {
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
			e.problems = append(e.problems, unresolved{"a reference ${ has no end", "write } after it, or $${ for the characters ${ themselves", true})
			e.text = out.String()
			return e
		}
		reference := text[i+2 : i+end]
		value, problem := v.resolve(reference, used)
		if problem != nil {
			e.problems = append(e.problems, *problem)
		}
		e.unread = e.unread || v.Offline && strings.HasPrefix(reference, "file:")
		out.WriteString(value)
		text = text[i+end+1:]
	}
}

func (v *Values) resolve(reference string, used func(string)) (string, *unresolved) {
	if path, ok := strings.CutPrefix(reference, "file:"); ok {
		return v.file(path)
	}
	name, fallback, hasFallback := strings.Cut(reference, ":-")
	variable, isEnv := strings.CutPrefix(name, "env:")
	if !isName(variable) {
		return "", &unresolved{"reference ${" + reference + "} is of no known kind", "write ${env:NAME}, ${file:/path} or ${NAME}", true}
	}
	var value string
	var ok bool
	missing := unresolved{"environment variable " + variable + " is not set", "set it, or write ${env:" + variable + ":-VALUE} for a default", !v.Offline}
	if isEnv {
		if value, ok = v.lookup(variable); ok && value == "" {
			ok, missing.message = false, "environment variable "+variable+" is set but empty"
		}
	} else {
		used(variable)
		value, ok = v.Set[variable]
		missing = unresolved{"nothing is given for ${" + variable + "}", "give --set " + variable + "=VALUE, or write ${" + variable + ":-VALUE} for a default", !v.Offline}
	}
	switch {
	case ok:
		return value, nil
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
	read := readSmall
	if v.Offline {
		read = func(path string) (string, error) { return "", small(path) }
	}
	text, err := read(path)
	if err != nil {
		var p *fs.PathError
		if errors.As(err, &p) {
			err = p.Err
		}
		return "", &unresolved{fmt.Sprintf("file %s can't be read: %v", path, err), "make it readable for this user, or name another file", !v.Offline}
	}
	text = strings.TrimSuffix(text, "\n")
	return strings.TrimSuffix(text, "\r"), nil
}

// small checks without opening it that a file can be a setting's value: a FIFO
// would block in Open.
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

func readSmall(path string) (text string, err error) {
	if err := small(path); err != nil {
		return "", err
	}
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

// SecretFile reads a secret from a file, as ${file:…} does.
func SecretFile(path string) (Secret, error) {
	v := Values{}
	text, problem := v.file(path)
	if problem != nil {
		return Secret{}, errors.New(problem.message + ": " + problem.suggestion)
	}
	return NewSecret(text), nil
}
