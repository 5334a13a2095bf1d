package pipeline

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/lmsvault/vault/core/failure"
)

// Only the selection changes; comments, order and layout of the file stay.
func TestExcludeKeepsTheRestOfTheFile(t *testing.T) {
	for name, c := range map[string]struct {
		paths        []string
		before, want string
	}{
		"no selection": {
			[]string{"db/zzz", "dataroot/a b", "db/zzz"},
			"# nightly backup\nversion: 1\nsource: # the site\n  - use: moodle\n",
			"# nightly backup\nversion: 1\nsource: # the site\n  - use: moodle\nselect:\n  exclude_files: [\"dataroot/a b\"]\n  exclude_tables: [zzz]\n",
		},
		"no final line break": {[]string{"db/zzz"}, "version: 1\nsource: []", "version: 1\nsource: []\nselect:\n  exclude_tables: [zzz]\n"},
		"windows":             {[]string{"db/zzz"}, "version: 1\r\n", "version: 1\r\nselect:\r\n  exclude_tables: [zzz]\r\n"},
		"flow list": {
			[]string{"db/zzz", "db/b"},
			"select: # what we leave out\n    # logs\n    exclude_tables: [ 'a', b ] # since 2024\nversion: 1\n",
			"select: # what we leave out\n    # logs\n    exclude_tables: [zzz,  'a', b ] # since 2024\nversion: 1\n",
		},
		"flow list of several lines": {[]string{"db/c"}, "select:\n  exclude_tables: [\n    a,  # one\n    b,\n  ]\n", "select:\n  exclude_tables: [c, \n    a,  # one\n    b,\n  ]\n"},
		"empty list":                 {[]string{"db/c"}, "select: {exclude_tables: []}\n", "select: {exclude_tables: [c]}\n"},
		"block list": {
			[]string{"db/zzz", "db/yyy"},
			"select:\n  exclude_tables: # some\n  # the log\n  - log # big\n\n  - b\n  rows: []\n",
			"select:\n  exclude_tables: # some\n  - zzz\n  - yyy\n  # the log\n  - log # big\n\n  - b\n  rows: []\n",
		},
		"other keys": {
			[]string{"filedir/aa"},
			"version: 1\nselect:\n   # tables\n   exclude_tables: [a]\nname: ü\n",
			"version: 1\nselect:\n   exclude_files: [filedir/aa]\n   # tables\n   exclude_tables: [a]\nname: ü\n",
		},
		"flow selection":    {[]string{"db/b"}, "select: {structure_only: [a]} # x\n", "select: {exclude_tables: [b], structure_only: [a]} # x\n"},
		"flow file":         {[]string{"db/b"}, "{version: 1}\n", "{select: {exclude_tables: [b]}, version: 1}\n"},
		"null selection":    {[]string{"db/b"}, "select: # nothing\nversion: 1\n", "select: {exclude_tables: [b]} # nothing\nversion: 1\n"},
		"null list":         {[]string{"db/b"}, "select:\n  exclude_tables: ~\n", "select:\n  exclude_tables: [b]\n"},
		"after wide text":   {[]string{"db/b"}, "{name: 日本語, select: {exclude_tables: [a]}}\n", "{name: 日本語, select: {exclude_tables: [b, a]}}\n"},
		"words of YAML":     {[]string{"db/true", "db/null", "db/1"}, "version: 1\n", "version: 1\nselect:\n  exclude_tables: [\"true\", \"null\", \"1\"]\n"},
		"already excluded":  {[]string{"db/a"}, "select:\n  exclude_tables:\n  - a\n", "select:\n  exclude_tables:\n  - a\n"},
		"looks like a name": {[]string{"dataroot/${x}: [é]"}, "version: 1\n", "version: 1\nselect:\n  exclude_files: [\"dataroot/$${x}: [é]\"]\n"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := Exclude([]byte(c.before), c.paths)
			if err != nil || string(got) != c.want {
				t.Errorf("got %v\n%s\nwant\n%s", err, got, c.want)
			}
		})
	}
}

// A layout that cannot be edited is an error that says what to write.
func TestExcludeRefusesLayoutsItCannotEdit(t *testing.T) {
	for name, before := range map[string]string{
		"alias":          "a: &x [b]\nselect:\n  exclude_tables: *x\n",
		"text":           "select: text\n",
		"list":           "- a\n",
		"end mark":       "version: 1\n...\n",
		"not YAML":       "a: [\n",
		"anchored other": "select: &x\n  exclude_tables: [a]\nagain: *x\n",
	} {
		text, err := Exclude([]byte(before), []string{"db/zzz"})
		if failure.Of(err) != failure.Refused || !strings.Contains(err.Error(), "add this to it:\nselect:\n  exclude_tables: [zzz]") {
			t.Errorf("%s: %v\n%s", name, err, text)
		}
	}
	if _, err := Exclude([]byte("version: 1\n"), []string{"db/"}); failure.Of(err) != failure.Refused {
		t.Errorf("a wrong path: %v", err)
	}
}

func FuzzExclude(f *testing.F) {
	f.Add("select:\n  exclude_tables: [a]\n", "zzz")
	f.Add("select: {}\n", "a b")
	f.Add("version: 1\nselect:\n- x", "\"'#")
	f.Fuzz(func(t *testing.T, text, table string) {
		got, err := Exclude([]byte(text), []string{"db/" + table})
		if err != nil {
			return
		}
		again, err := Exclude(got, []string{"db/" + table})
		var parsed any
		if err != nil || !bytes.Equal(again, got) || yaml.Unmarshal(got, &parsed) != nil {
			t.Errorf("%q becomes %q, then %q (%v)", text, got, again, err)
		}
	})
}

// The pipelines that come with the program can be edited.
func TestExcludeEditsShippedPipelines(t *testing.T) {
	files, err := filepath.Glob("../../pipelines/*.yaml")
	if err != nil || len(files) < 8 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		got, err := Exclude(text, []string{"db/zzz", "dataroot/x"})
		if err != nil || !bytes.Contains(got, []byte("zzz")) {
			t.Errorf("%s: %v", file, err)
		}
	}
}
