package config_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/lmsvault/vault/core/config"
)

// all has a setting of every type and every kind of tag.
type all struct {
	Dir      string          `key:"dir" required:"true" help:"a folder" example:"/srv/x"`
	DSN      config.Secret   `key:"dsn" place:"database" help:"a secret"`
	Path     string          `key:"path" place:"" help:"no place in spite of its name"`
	Prefix   string          `key:"prefix" default:"mdl_" help:"may be empty"`
	Codec    string          `key:"codec" default:"zstd" oneof:"zstd lz4" help:"one of some"`
	Level    int             `key:"level" default:"3" max:"19" help:"a number"`
	Count    int64           `key:"count" help:"another"`
	On       bool            `key:"on" default:"true" help:"a switch"`
	Off      bool            `key:"off" help:"another"`
	Tags     []string        `key:"tags" default:"a b" help:"texts"`
	Kinds    []string        `key:"kinds" oneof:"x y" help:"one of some"`
	Memory   config.Size     `key:"memory" default:"256MiB" min:"1MiB" max:"1TiB" help:"a size"`
	Frame    config.Size     `key:"frame" oneof:"1MiB 2MiB" help:"one of some"`
	Wait     config.Duration `key:"wait" default:"10s" max:"1h" help:"a span"`
	Anything yaml.Node       `key:"anything" help:"what it likes"`
	Pass     config.Secret   `key:"passphrase" help:"a key"`
	Identity config.Secret   `key:"identity" help:"a key"`

	Equal   config.Literal           `key:"equal" help:"a value"`
	In      []config.Literal         `key:"in" default:"1 x" help:"values"`
	Headers map[string]string        `key:"headers" help:"texts by name" example:"{accept: text/plain}"`
	Tokens  map[string]config.Secret `key:"tokens" help:"secrets by name"`
	TLS     security                 `key:"tls" help:"an object that has defaults where it is not there"`
	Proxy   *security                `key:"proxy" help:"an object that may be missing"`
	Rules   []rule                   `key:"rules" help:"a list of objects"`
	Hosts   map[string]security      `key:"hosts" help:"objects by name"`
}

// security is an object in the settings.
type security struct {
	Min   string        `key:"min" default:"1.2" oneof:"1.2 1.3" help:"a version"`
	File  string        `key:"file" help:"a path"`
	Key   config.Secret `key:"key" help:"a secret"`
	Retry int           `key:"retry" min:"1" max:"9" help:"a number"`
}

// Validate returns errors, one of them with a secret.
func (s *security) Validate() error {
	if s.Retry != 7 {
		return nil
	}
	return config.At("retry", "retry %d is unlucky with %s", s.Retry, s.Key.Reveal())
}

// rule is an object that contains objects of its own type.
type rule struct {
	Table string     `key:"table" required:"true" help:"a name" example:"config"`
	Only  *condition `key:"only" help:"an object with others of its kind"`
}

type condition struct {
	Column string          `key:"column" help:"a name"`
	Equal  config.Literal  `key:"equal" help:"a value"`
	All    []condition     `key:"all" help:"more of them"`
	Not    *condition      `key:"not" help:"another"`
	Within config.Duration `key:"within" default:"1m" help:"a duration"`
}

// complain is the check of a plugin that does not hide its secrets.
func complain(level int64, secret string) error {
	if level != 13 {
		return nil
	}
	return errors.Join(fmt.Errorf("bad luck with %s", secret), config.At("level", "level %d is unlucky", level))
}

func (a *all) Validate() error { return complain(int64(a.Level), a.DSN.Reveal()) }

func describe(t testing.TB, target any) []config.Field {
	t.Helper()
	fields, err := config.Describe(target)
	if err != nil {
		t.Fatal(err)
	}
	return fields
}

// dynamic returns all as the host sees it: with fields from JSON, and with checks made
// by another struct.
func dynamic(t testing.TB) *config.Declared {
	t.Helper()
	text, err := json.Marshal(describe(t, &all{}))
	if err != nil {
		t.Fatal(err)
	}
	var fields []config.Field
	if err := json.Unmarshal(text, &fields); err != nil {
		t.Fatal(err)
	}
	construct, err := config.Dynamic(fields, func(d *config.Declared) error {
		raw, err := config.Encode(d)
		if err != nil {
			return err
		}
		var errs []error
		for _, err := range config.Split(config.Assign(raw, &all{})) {
			message := err.Error()
			if key, ok := config.KeyOf(err); ok {
				err = config.At(key, "%s", message)
			} else {
				err = errors.New(message)
			}
			errs = append(errs, err)
		}
		return errors.Join(errs...)
	})
	if err != nil {
		t.Fatal(err)
	}
	return construct().(*config.Declared)
}

func encode(t testing.TB, target any) string {
	t.Helper()
	raw, err := config.Encode(target)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func TestDynamicDecodesLikeAStruct(t *testing.T) {
	values := config.Values{Env: func(string) (string, bool) { return "hunter2", true }}
	for _, text := range []string{
		"dir: /srv",
		"dir: /srv\ndsn: ${env:X}\nlevel: 13\n",
		"dir: /srv\nlevel: 20\nwait: 2h\nmemory: 1KiB\nframe: 3MiB\ncodec: lz5\n",
		"{dir: '', levle: 3, kinds: [x, z], tags: {}, on: 'true', count: 9223372036854775808}",
		"dir: /srv\ndir: /srv\n? [a]\n: b",
		"dir: ${file:/nowhere/at/all}\ndsn: plain\nanything: {a: [1, x]}\nprefix: ''\non: false\ntags: []",
		"[]", "level: 3",
		"dir: /srv\nequal: 7\nin: [true, x, 1.5]\nheaders: {a: x, b: 3}\ntokens: {a: '${env:X}', b: plain}\n",
		"dir: /srv\ntls: {min: '1.3', key: '${env:X}', retry: 10}\nproxy: {retry: 7, key: '${env:X}'}\n",
		"dir: /srv\nproxy: {retry: 7, key: '${env:X}', file: x/y}\nhosts: {one: {retry: 7}, two: {retry: 1}}\n",
		"dir: /srv\nrules: [{table: a}, {tabel: b}, {table: c, only: {all: [{column: x, colunm: y}, {not: {equal: 0x10}}]}}]\n",
		"dir: /srv\nrules: {}\nhosts: []\ntls: x\nheaders: [a]\n",
		"dir: /srv\nrules: [x, ~, [], {table: a, only: ~}]\nhosts: {a: ~, a: {}, '': {}, ? [b] : {}}\n",
	} {
		var a all
		d := dynamic(t)
		want := decode(t, &config.Decoder{File: "f", Values: values}, text, &a)
		found := decode(t, &config.Decoder{File: "f", Values: values}, text, d)
		if !slices.Equal(found, want) {
			t.Errorf("%s\nfindings: %v\nwant:     %v", text, found, want)
		}
		if got, want := encode(t, d), encode(t, &a); got != want {
			t.Errorf("%s\ngot:  %s\nwant: %s", text, got, want)
		}
		places, err := config.Places(d)
		if wanted, _ := config.Places(&a); err != nil || !reflect.DeepEqual(places, wanted) {
			t.Errorf("%s\nhas places %v, want %v; %v", text, places, wanted, err)
		}
		if s := fmt.Sprintf("%v %+v %#v %v", d, d, d, found); strings.Contains(s, "hunter2") {
			t.Errorf("the secret prints: %s", s)
		}
	}
}

func TestDynamicIsDescribedLikeAStruct(t *testing.T) {
	want, got := describe(t, &all{}), describe(t, dynamic(t))
	if a, b := fmt.Sprintf("%+v", want), fmt.Sprintf("%+v", got); a != b {
		t.Errorf("described as %s\nwant %s", b, a)
	}
	a, errA := json.Marshal(config.Object(want))
	b, errB := json.Marshal(config.Object(got))
	if err := errors.Join(errA, errB); err != nil || string(a) != string(b) {
		t.Errorf("the schema is %s\nwant %s; %v", b, a, err)
	}
	s, d := &all{}, dynamic(t)
	if err := errors.Join(config.Defaults(s), config.Defaults(d)); err != nil || encode(t, s) != encode(t, d) {
		t.Errorf("defaults are %s, want %s; %v", encode(t, d), encode(t, s), err)
	}
	var other struct {
		Dir string `key:"dir"`
	}
	if _, err := config.Describe(d, &other); err == nil || !strings.Contains(err.Error(), "setting dir is declared twice") {
		t.Errorf("duplicate setting: %v", err)
	}
}

func TestDynamicConfigurationsAreIndependent(t *testing.T) {
	construct, err := config.Dynamic([]config.Field{{Name: "a", Type: config.Text}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	one, two := construct(), construct()
	if err := config.Assign([]byte(`{"a": "x"}`), one); err != nil || encode(t, one) != `{"a":"x"}` || encode(t, two) != `{}` {
		t.Errorf("%s and %s; %v", encode(t, one), encode(t, two), err)
	}
}

func TestSetKeysSetsPassphraseAndIdentity(t *testing.T) {
	d := dynamic(t)
	if d.Reading() {
		t.Error("Reading is true before SetKeys")
	}
	d.SetKeys(config.NewSecret("p"), config.NewSecret("i"))
	if got := encode(t, d); !d.Reading() || !strings.Contains(got, `"passphrase":"p"`) || !strings.Contains(got, `"identity":"i"`) {
		t.Errorf("keys are %s", got)
	}
	construct, err := config.Dynamic([]config.Field{{Name: "passphrase", Type: config.Text}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	open := construct().(*config.Declared)
	if open.SetKeys(config.NewSecret("p"), config.NewSecret("i")); encode(t, open) != "{}" {
		t.Error("SetKeys set a setting that is not a secret")
	}
}

func TestInvalidDynamicDeclarationIsAnError(t *testing.T) {
	text := func(f config.Field) config.Field {
		f.Name, f.Type = "a", config.Text
		return f
	}
	for want, fields := range map[string][]config.Field{
		"a name must consist of letters":                   {{Name: "a b", Type: config.Text}},
		`setting "": a name`:                               {{Type: config.Text}},
		"at most 64 characters":                            {{Name: strings.Repeat("a", 65), Type: config.Text}},
		`type "blob" is unknown`:                           {{Name: "a", Type: "blob"}},
		"setting a is declared twice":                      {{Name: "a", Type: config.Text}, {Name: "a", Type: config.Switch}},
		"must be true or false":                            {{Name: "a", Type: config.Switch, Default: "yes"}},
		"must be at most 3":                                {{Name: "a", Type: config.Number, Default: "4", Max: "3"}},
		"must be a size":                                   {{Name: "a", Type: config.Bytes, Example: "much"}},
		"must be one of x, y":                              {{Name: "a", Type: config.List, Default: "x z", OneOf: []string{"x", "y"}}},
		"has no bounds":                                    {text(config.Field{Max: "3"})},
		"min 3 is more than max 2":                         {{Name: "a", Type: config.Number, Min: "3", Max: "2"}},
		`unknown place "moon"`:                             {text(config.Field{Place: "moon"})},
		"a setting of type anything cannot have a default": {{Name: "a", Type: config.Anything, Default: "x"}},
		"has a text of 17KiB, the maximum is 16KiB":        {text(config.Field{Help: strings.Repeat("x", 17<<10)})},
		"has 300 allowed values, the maximum is 256":       {text(config.Field{OneOf: make([]string, 300)})},
		"setting 1 (\"a\"): has a text that i":             {text(config.Field{Help: "\xff"})},
		"300 settings are declared, the maximum is":        make([]config.Field, 300),
	} {
		if _, err := config.Dynamic(fields, nil); err == nil || !strings.Contains(err.Error(), want) || len(err.Error()) > 500 {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

// FuzzDynamic checks that declarations from another process are either refused, or can
// be described, decoded and encoded unchanged and without a panic.
func FuzzDynamic(f *testing.F) {
	seed, err := json.Marshal(describe(f, &all{}))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(seed, "dir: x")
	f.Add([]byte(`[{"name":"a","type":"list of texts","default":"x  y","one_of":["x","","y"]}]`), "a: ['']")
	f.Add([]byte(`[{"name":"a","type":"size","min":"1","max":"2TiB"},{"name":"b","type":"anything"}]`), "{a: 3KiB, b: {x: .inf}}")
	f.Fuzz(func(t *testing.T, raw []byte, text string) {
		var fields []config.Field
		if json.Unmarshal(raw, &fields) != nil {
			return
		}
		construct, err := config.Dynamic(fields, nil)
		if err != nil {
			return
		}
		d := construct()
		if got := describe(t, d); fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", fields) {
			t.Fatalf("described as %+v, declared as %+v", got, fields)
		}
		if _, err := json.Marshal(config.Object(fields)); err != nil {
			t.Fatal(err)
		}
		if err := config.Defaults(d); err != nil {
			t.Fatal(err)
		}
		var doc yaml.Node
		if yaml.Unmarshal([]byte(text), &doc) != nil || len(doc.Content) == 0 {
			return
		}
		decoder := config.Decoder{Values: config.Values{Env: func(string) (string, bool) { return "", false }}}
		if len(decoder.Decode(doc.Content[0], d).Of(config.Error)) > 0 {
			return
		}
		encoded, err := config.Encode(d)
		if err != nil {
			return
		}
		again := construct()
		if err := config.Assign(encoded, again); err != nil {
			t.Fatalf("%s: %v", encoded, err)
		}
		if got := encode(t, again); got != string(encoded) {
			t.Fatalf("%s became %s", encoded, got)
		}
	})
}
