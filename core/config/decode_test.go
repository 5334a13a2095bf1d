package config_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/lmsvault/vault/core/config"
)

type inner struct {
	Workers int64 `key:"workers" min:"1" max:"64" default:"4" help:"how many"`
}

type every struct {
	inner
	Name   string          `key:"name" required:"true" help:"a text" example:"x"`
	On     bool            `key:"on" default:"true" help:"a switch"`
	Level  int             `key:"level" max:"19" help:"a number"`
	Codec  string          `key:"codec" default:"zstd" oneof:"zstd lz4" help:"one of some"`
	Tags   []string        `key:"tags" help:"texts"`
	Key    config.Secret   `key:"key" help:"a secret"`
	Memory config.Size     `key:"memory" default:"256MiB" min:"1MiB" help:"a size"`
	Wait   config.Duration `key:"wait" default:"10s" max:"1h" help:"a span"`
	Hidden string          // not a setting
}

func (e *every) Validate() error {
	if e.Name != "bad" {
		return nil
	}
	return errors.Join(errors.New("all is bad with "+e.Key.Reveal()), config.At("level", "level %d is bad", e.Level))
}

func decode(t testing.TB, d *config.Decoder, text string, targets ...any) config.Findings {
	t.Helper()
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(text), &doc); err != nil {
		t.Fatal(err)
	}
	return d.Decode(doc.Content[0], targets...)
}

func TestValuesAndDefaultsAreDecoded(t *testing.T) {
	var e every
	found := decode(t, &config.Decoder{}, "name: x\non: false\nlevel: 19\nmemory: 2GiB\nwait: 1m30s\ntags: [a, 'b c', '']\n", &e)
	if len(found) > 0 {
		t.Fatal(found)
	}
	if e.On || e.Level != 19 || e.Memory != 2<<30 || time.Duration(e.Wait) != 90*time.Second || !slices.Equal(e.Tags, []string{"a", "b c", ""}) {
		t.Errorf("given values are %+v", e)
	}
	if e.Codec != "zstd" || e.Workers != 4 {
		t.Errorf("defaults are %+v", e)
	}
}

func TestSeveralStructsShareOneNode(t *testing.T) {
	var a struct {
		Dir string `key:"dir"`
	}
	var b struct {
		Snapshot string `key:"snapshot" default:"latest"`
	}
	if found := decode(t, &config.Decoder{File: "f"}, "{dir: /srv, snapshot: abc}", &a, &b); len(found) > 0 || a.Dir != "/srv" || b.Snapshot != "abc" {
		t.Errorf("%v: %+v %+v", found, a, b)
	}
	if found := decode(t, &config.Decoder{File: "f"}, "{dir: /srv, snapshott: abc}", &a, &b); len(found) != 1 || found[0].String() != `f:1:13: error: unknown key "snapshott": did you mean "snapshot"?` {
		t.Errorf("found %v", found)
	}
	if _, err := config.Describe(&a, &a); err == nil || !strings.Contains(err.Error(), "setting dir is declared twice") {
		t.Errorf("duplicate setting: %v", err)
	}
}

func TestReferencesAreResolved(t *testing.T) {
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte("from a file\r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	values := config.Values{
		Set: map[string]string{"A": "a", "again": "${A}", "nought": ""},
		Env: func(name string) (string, bool) {
			v, ok := map[string]string{"E": "e", "EMPTY": "", "N": "7"}[name]
			return v, ok
		},
	}
	for text, want := range map[string]string{
		"${A}":                        "a",
		"${env:E}":                    "e",
		"x${A}y${env:E}z":             "xayez",
		"${file:" + file + "}":        "from a file",
		"${again}":                    "${A}", // not resolved again
		"$${A}":                       "${A}",
		"$A $ {A} $$":                 "$A $ {A} $$",
		"${none:-b}":                  "b",
		"${env:NONE:-/srv/x}":         "/srv/x",
		"${env:EMPTY:-full}":          "full",
		"${env:EMPTY:-}":              "",
		"${nought}":                   "", // explicitly empty
		"$${env:E}${env:E}":           "${env:E}e",
		"${env:NONE:-}":               "",
		"literal } and { stay as $}{": "literal } and { stay as $}{",
	} {
		var v struct {
			Name string `key:"name"`
		}
		quoted, err := json.Marshal(text)
		if err != nil {
			t.Fatal(err)
		}
		if found := decode(t, &config.Decoder{Values: values}, fmt.Sprintf("name: %s", quoted), &v); len(found) > 0 || v.Name != want {
			t.Errorf("%s is %q, want %q; %v", text, v.Name, want, found)
		}
	}
	var e every
	if found := decode(t, &config.Decoder{Values: values}, `{name: x, workers: "${env:N}", level: "${env:N}"}`, &e); len(found) > 0 || e.Workers != 7 || e.Level != 7 {
		t.Errorf("numbers: %v, %+v", found, e)
	}
}

// With an empty BACKUP_DIR, ${env:BACKUP_DIR}/site.sqlite would be /site.sqlite.
func TestEmptyVariableIsNotAValue(t *testing.T) {
	var e every
	values := config.Values{Env: func(string) (string, bool) { return "", true }}
	found := decode(t, &config.Decoder{File: "f", Values: values}, "name: ${env:X}/site.sqlite\n", &e)
	if len(found) != 1 || found[0].String() != "f:1:7: error: name: environment variable X is set but empty: set it, or write ${env:X:-VALUE} for a default" {
		t.Errorf("found %q", found)
	}
}

func TestNoFindingShowsASecret(t *testing.T) {
	values := config.Values{Env: func(string) (string, bool) { return "hunter2", true }}
	for _, text := range []string{
		"{name: bad, key: '${env:X}'}",
		"{name: x, key: [hunter2]}",
		"{name: x, key: {hunter2: 1}}",
		"{name: x, level: '${env:X}', on: '${env:X}', memory: '${env:X}', wait: '${env:X}', codec: '${env:X}', workers: '${env:X}'}",
		"{name: x, key: 'hunter2'}",
		"{name: x, key: '${hunter:2}'}",
	} {
		var e every
		found := decode(t, &config.Decoder{Values: values}, text, &e)
		if len(found) == 0 {
			t.Errorf("%s: no findings", text)
		}
		if s := fmt.Sprint(found); strings.Contains(s, "hunter2") {
			t.Errorf("%s: findings are %s", text, s)
		}
		if s := fmt.Sprintf("%v %+v %#v %s %q", e.Key, e.Key, e.Key, e.Key, e.Key); strings.Contains(s, "hunter2") {
			t.Errorf("the secret prints as %s", s)
		}
	}
}

func TestValidateErrorHasPositionOfItsSetting(t *testing.T) {
	var e every
	found := decode(t, &config.Decoder{File: "f"}, "name: bad\nlevel: 3\n", &e)
	if len(found) != 2 || found[0].String() != "f:1:1: error: all is bad with " || found[1].String() != "f:2:8: error: level 3 is bad" {
		t.Errorf("found %q", found)
	}
}

func TestAliasesAreResolved(t *testing.T) {
	var e every
	if found := decode(t, &config.Decoder{}, "name: &n x\ncodec: &c lz4\ntags: [*n, *c]\n", &e); len(found) > 0 || !slices.Equal(e.Tags, []string{"x", "lz4"}) {
		t.Errorf("%v: %+v", found, e)
	}
}

func TestFileReferenceMustBeSmallAndRegular(t *testing.T) {
	dir := t.TempDir()
	large := filepath.Join(dir, "large")
	if err := os.WriteFile(large, make([]byte, 65<<10), 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{dir: "not a regular file", large: "larger than 64KiB", "/dev/null": "not a regular file", "": "no such file"} {
		var e every
		found := decode(t, &config.Decoder{}, "{name: '${file:"+path+"}'}", &e)
		if len(found) != 1 || !strings.Contains(found[0].Message, want) {
			t.Errorf("%q: found %v, want %s", path, found, want)
		}
	}
}

// Lint may run where secrets must not be read: it only checks that the file exists.
func TestOfflineDoesNotOpenFiles(t *testing.T) {
	file := filepath.Join(t.TempDir(), "passphrase")
	if err := os.WriteFile(file, []byte("30s"), 0o600); err != nil {
		t.Fatal(err)
	}
	for path, warnings := range map[string]int{file: 0, file + ".not": 1, filepath.Dir(file): 1} {
		var e every
		found := decode(t, &config.Decoder{Values: config.Values{Offline: true}}, "{name: bad, key: '${file:"+path+"}', level: '${file:"+path+"}'}", &e)
		if len(found.Of(config.Error)) > 0 || len(found) != 2*warnings || !e.Key.IsZero() {
			t.Errorf("%s: found %v, key has %d bytes", path, found, len(e.Key.Reveal()))
		}
	}
}

func TestInvalidDeclarationIsAnError(t *testing.T) {
	for want, target := range map[string]any{
		"can't hold a setting": &struct {
			A map[string]any `key:"a"`
		}{},
		"must be a whole number": &struct {
			A int `key:"a" default:"x"`
		}{},
		"must be one of": &struct {
			A string `key:"a" default:"x" oneof:"y z"`
		}{},
		"not a pointer": struct{}{},
	} {
		if _, err := config.Describe(target); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%T: %v, want %s", target, err, want)
		}
	}
}

func TestSchemaOfSettings(t *testing.T) {
	fields, err := config.Describe(&every{})
	if err != nil {
		t.Fatal(err)
	}
	s := config.Object(fields)
	text, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`"additionalProperties":false`, `"required":["name"]`, `"default":true`, `"default":4`, `"enum":["zstd","lz4"]`, `"minimum":1,"maximum":64`,
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("no %s in %s", want, text)
		}
	}
}

// FuzzDecode checks that decoding never panics and that the positions of findings are
// within the file.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		"name: x", "{name: bad, level: 3}", "name: ${env:X}${file:/dev/null}$${Y}", "a: &a [*a]", "name: &x {name: *x}", "? [a]\n: b", "<<: {name: x}",
		"name: !!binary eA==", "level: 0x7f", "tags: [~, 1, {a: b}, '${']", "wait: -5s\nmemory: 99999999TiB", "\xef\xbb\xbfname: x", "name: |\n  a\n  b\n", "name: 2001-01-01",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var doc yaml.Node
		if err := yaml.Unmarshal(text, &doc); err != nil || len(doc.Content) == 0 {
			return
		}
		lines := strings.Count(strings.NewReplacer("\r\n", "\n", "\r", "\n", "\u0085", "\n", "\u2028", "\n", "\u2029", "\n").Replace(string(text)), "\n") + 1
		if root := doc.Content[0]; root.ShortTag() == "!!null" && root.Value == "" {
			lines++ // a missing value is reported after the last line
		}
		for _, offline := range []bool{false, true} {
			var e every
			d := config.Decoder{File: "f", Values: config.Values{Offline: offline, Env: func(string) (string, bool) { return "", false }}}
			for _, found := range d.Decode(doc.Content[0], &e) {
				if found.Line < 1 || found.Line > lines || found.Column < 1 || found.Column > len(text)+1 || found.Message == "" {
					t.Errorf("%q: found %v, and there are %d lines", text, found, lines)
				}
			}
		}
	})
}
