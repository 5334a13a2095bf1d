package php

import (
	"errors"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
)

// memory holds the files of a program by absolute path, without the leading slash.
type memory fstest.MapFS

func (m memory) Read(path string) ([]byte, error) {
	if strings.HasPrefix(path, "/etc/") {
		return nil, errors.New("it is outside of the site's directories")
	}
	return fstest.MapFS(m).ReadFile(strings.TrimPrefix(path, "/"))
}

func (m memory) Stat(path string) (fs.FileInfo, error) {
	return fstest.MapFS(m).Stat(strings.TrimPrefix(path, "/"))
}

func (m memory) Real(path string) (string, error) {
	if strings.HasPrefix(path, "/etc/") {
		return path, nil
	}
	_, err := m.Stat(path)
	return filepath.Clean(path), err
}

// files returns a memory with files given as pairs of path and content.
func files(pairs ...string) memory {
	m := memory{}
	for k := 0; k+1 < len(pairs); k += 2 {
		m[strings.TrimPrefix(pairs[k], "/")] = &fstest.MapFile{Data: []byte(pairs[k+1])}
	}
	return m
}

func options(m memory) Options {
	env := map[string]string{"SET": "yes", "EMPTY": "", "PORT": "3307"}
	return Options{
		Files:     m,
		Env:       func(name string) (string, bool) { v, ok := env[name]; return v, ok },
		Server:    map[string]string{"SERVER_NAME": "moodle.example.org"},
		Undefined: []string{"PHPUNIT_TEST"},
		End:       []string{"/lib/setup.php"},
	}
}

// run evaluates code and formats the properties of $CFG.
func run(t *testing.T, code string, more ...string) (string, error) {
	t.Helper()
	r, err := Run(t.Context(), "/site/config.php", options(files(append([]string{"/site/config.php", code}, more...)...)))
	if err != nil {
		return "", err
	}
	list, open := r.Properties("CFG")
	var b strings.Builder
	for _, p := range list {
		b.WriteString(p.Name + "=" + dump(p.Value) + " ")
	}
	if open != nil {
		b.WriteString("and others ")
	}
	return strings.TrimSuffix(b.String(), " "), nil
}

func dump(v Value) string {
	switch v.Kind() {
	case KindUnknown:
		return "?"
	case KindNull:
		return "null"
	case KindBool:
		truth, _ := v.Truth()
		return strconv.FormatBool(truth)
	case KindString:
		text, _ := v.Text()
		return strconv.Quote(text)
	case KindArray:
		var parts []string
		next := 0
		for k, item := range v.Items {
			if k == strconv.Itoa(next) {
				next++
				parts = append(parts, dump(item))
			} else {
				parts = append(parts, k+":"+dump(item))
			}
		}
		return "[" + strings.Join(parts, ",") + "]"
	case KindObject, KindFunction:
		return v.Kind().String()
	}
	text, _ := v.Text()
	return text
}
