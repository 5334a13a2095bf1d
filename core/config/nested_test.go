package config_test

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lmsvault/vault/core/config"
)

func TestNestedSettingsAreDecoded(t *testing.T) {
	var a all
	d := config.Decoder{Values: config.Values{Dir: "/etc/vault", Set: map[string]string{"N": "5"}, Env: func(string) (string, bool) { return "hunter2", true }}}
	found := decode(t, &d, `
dir: x
tls: {file: keys/tls.pem, retry: "${N}"}
headers: {Accept: text/plain, X-Token: "${env:T}"}
tokens: {a: "${env:T}"}
rules:
  - table: config
    only: {any: x, all: [{column: a, equal: 007}, {not: {column: b, equal: true, within: 2s}}]}
hosts: {one: {file: /abs, key: "${env:T}"}, two: {}}
equal: -3
in: [1, yes, true]
`, &a)
	if len(found) != 1 || !strings.Contains(found[0].Message, `unknown key`) { // any
		t.Fatal(found)
	}
	if a.TLS.File != "/etc/vault/keys/tls.pem" || a.TLS.Retry != 5 || a.TLS.Min != "1.2" || a.Proxy != nil {
		t.Errorf("objects are %+v and %+v", a.TLS, a.Proxy)
	}
	if a.Headers["Accept"] != "text/plain" || a.Headers["X-Token"] != "hunter2" || a.Tokens["a"].Reveal() != "hunter2" {
		t.Errorf("maps are %v and %v", a.Headers, a.Tokens)
	}
	only := a.Rules[0].Only
	if only.All[0].Equal.Text != "007" || time.Duration(only.All[0].Within) != time.Minute || only.All[1].Not.Equal.Text != "true" || time.Duration(only.All[1].Not.Within) != 2*time.Second || only.Not != nil || only.Equal.Given {
		t.Errorf("conditions are %+v", only)
	}
	if len(a.Hosts) != 2 || a.Hosts["one"].File != "/abs" || a.Hosts["two"].Min != "1.2" {
		t.Errorf("named objects are %+v", a.Hosts)
	}
	if a.Equal.Text != "-3" || fmt.Sprint(a.In) != "[{1 true} {yes true} {true true}]" {
		t.Errorf("values are %+v and %+v", a.Equal, a.In)
	}
}

// Each finding has the position in the file and the path of its setting.
func TestNestedFindingsHavePositionAndPath(t *testing.T) {
	for text, want := range map[string]string{
		"rules: [{table: a}, {tabel: b}]":                      `1:22 with.rules[1]: unknown key "tabel" in rules[1]; 1:21 with.rules[1].table: rules[1].table is missing`,
		"rules:\n  - table: a\n    only: {all: [{column: 3}]}": `3:27 with.rules[0].only.all[0].column: rules[0].only.all[0].column must be text, not a number`,
		"tls: {min: '1.1'}":                                    `1:12 with.tls.min: tls.min must be one of 1.2, 1.3, not "1.1"`,
		"tls: {retry: 7}":                                      `1:14 with.tls.retry: tls: retry 7 is unlucky with `,
		"hosts: {h: {retry: 7}}":                               `1:20 with.hosts[…].retry: hosts[…]: retry 7 is unlucky with `,
		"hosts: {vault: {retry: 0}}":                           `1:24 with.hosts[vault].retry: hosts[vault].retry must be at least 1, not "0"`,
		"rules: {table: a}":                                    `1:8 with.rules: rules must be a list, not a mapping`,
		"rules: [a]":                                           `1:9 with.rules[0]: rules[0] must be a mapping of settings (KEY: VALUE), not a text`,
		"hosts: [a]":                                           `1:8 with.hosts: hosts must be a mapping of names to values, not a list`,
		"headers: {a: 3}":                                      `1:14 with.headers[…]: headers[…] must be text, not a number`,
		"headers: {a: x, a: y}":                                `1:17 with.headers[…]: duplicate name in headers`,
		"headers: {? [a] : y}":                                 `1:13 with.headers: a key must be a name, not a list`,
		"tokens: {a: plain}":                                   `1:13 with.tokens[…]: tokens[…] is a secret, but is written in this file`,
		"tls: ~":                                               `1:6 with.tls: tls has no value`,
		"in: [x, 1.5]":                                         `1:9 with.in: in must be text, a whole number, true or false, not a number`,
	} {
		var a all
		d := config.Decoder{File: "f"}
		var got []string
		for _, f := range d.DecodeIn("with", parse(t, "dir: /x\n"+text), &a).Findings {
			got = append(got, fmt.Sprintf("%d:%d %s: %s", f.Line-1, f.Column, f.Path, f.Message))
		}
		if s := strings.Join(got, "; "); s != want {
			t.Errorf("%s\ngot:  %s\nwant: %s", text, s, want)
		}
	}
}

func TestDecodedHasPositionsOfNestedValues(t *testing.T) {
	var a all
	d := config.Decoder{File: "f"}
	at := d.DecodeIn("", parse(t, "dir: /x\ntags: [a, b]\nrules:\n  - table: a\nhosts: {h: {file: y}}\n"), &a).At
	for key, want := range map[string]string{"dir": "f:1:6", "tags[1]": "f:2:11", "rules[0]": "f:4:5", "rules[0].table": "f:4:12", "hosts[h].file": "f:5:19"} {
		if got := at[key].String(); got != want {
			t.Errorf("%s is at %s, want %s", key, got, want)
		}
	}
}

// Aliases can expand a small file into a huge configuration, so depth and number of
// values are limited.
func TestRecursiveValuesAreRefused(t *testing.T) {
	bomb := "dir: /x\nheaders: {x: y}\nrules:\n  - table: a\n    only: {all: [&a0 {column: x}"
	for i := range 20 {
		bomb += fmt.Sprintf(", &a%d {all: [*a%d, *a%d, *a%d, *a%d]}", i+1, i, i, i, i)
	}
	for text, want := range map[string]string{
		"dir: /x\nrules: [{table: a, only: &x {all: [*x]}}]": "objects are nested deeper than 32",
		"dir: /x\nrules: [{table: a, only: &x {not: *x}}]":   "objects are nested deeper than 32",
		bomb + "]}\n": "the file has more than",
		"dir: /x\nrules: [{table: a, only: " + deep("{not: ", 40, "}") + "}]": "objects are nested deeper than 32",
	} {
		var a all
		begin := time.Now()
		if found := decode(t, &config.Decoder{}, text, &a); !strings.Contains(fmt.Sprint(found), want) || len(found) > 100 {
			t.Errorf("%.80s: %d findings, want one with %q", text, len(found), want)
		}
		if took := time.Since(begin); took > 10*time.Second {
			t.Errorf("%.80s took %v", text, took)
		}
	}
	if err := config.Assign([]byte(`{"dir":"x","rules":[{"table":"t","only":`+deep(`{"not":`, 40, "}")+`}]}`), &all{}); err == nil || !strings.Contains(err.Error(), "objects are nested deeper than 32") {
		t.Errorf("assigned: %v", err)
	}
}

func deep(open string, n int, end string) string {
	return strings.Repeat(open, n) + "{}" + strings.Repeat(end, n)
}

// Secrets and values of references in nested settings are never in findings, errors or
// printed values, and a Redactor hides them afterwards.
func TestNestedSecretsAreNeverShown(t *testing.T) {
	const canary = "S3CRET-CANARY"
	shapes := []string{
		"tls: @", "tls: {min: @}", "tls: {key: @, retry: 7}", "tls: {retry: @}", "tls: {@: x}", "tls: {key: [@]}", "tls: {key: {@: @}}",
		"headers: @", "headers: {a: @}", "headers: {@: x}", "headers: {@: x, @: y}", "headers: {@: [x]}", "headers: {a: [@]}", "headers: {a: {b: @}}",
		"tokens: {a: @}", "tokens: {@: x}", "tokens: {a: [@]}", "tokens: [@]",
		"rules: @", "rules: [@]", "rules: [{table: @, only: {equal: @, all: [@]}}]", "rules: [{@: x}]", "rules: [{table: [@]}]", "rules: [{table: x, only: {within: @}}]",
		"hosts: {@: {retry: 7}}", "hosts: {@: @}", "hosts: {a: {key: @, retry: 7}}", "hosts: {a: {@: x}}", "hosts: {@: {min: x}}",
		"equal: [@]", "in: [@, [@]]", "in: {@: @}",
	}
	forms := []string{canary, "${env:X}", "x${env:X}y", "'${file:" + "holding" + "}'", "!" + canary, "*" + canary, "&" + canary, "${" + canary}
	values := config.Values{Dir: t.TempDir(), Env: func(string) (string, bool) { return canary, true }}
	shows := func(what, text string, v any) {
		if s := fmt.Sprintf("%+v", v); strings.Contains(s, canary) {
			t.Errorf("%s: %s shows %s", what, text, s)
		}
	}
	for _, shape := range shapes {
		for _, form := range forms {
			text := "dir: /x\n" + strings.ReplaceAll(shape, "@", form)
			node, found := config.Document("f", []byte(text))
			shows("document", text, found)
			if node == nil {
				continue
			}
			for _, target := range []any{&all{}, dynamic(t)} {
				d := config.Decoder{File: "f", Values: values}
				found := d.DecodeIn("source[0].with", node, target)
				shows("decode", text, found.Findings)
				raw, err := json.Marshal(found.Findings)
				shows("JSON", text, string(raw)+fmt.Sprint(err))
				var r config.Redactor
				r.Add(d.Hidden()...)
				secrets, err := config.Secrets(target)
				if err != nil {
					t.Fatal(err)
				}
				for _, secret := range secrets {
					if form == "${env:X}" && r.Redact("<"+secret+">") != "<***>" {
						t.Errorf("%s: the Redactor does not hide the secret", text)
					}
				}
			}
		}
	}
	for _, raw := range []string{
		`{"tls":{"key":"@","retry":7}}`, `{"hosts":{"@":{"retry":7,"key":"@"}}}`, `{"tls":"@"}`, `{"rules":["@"]}`, `{"rules":[{"table":["@"]}]}`, `{"headers":{"@":["@"]}}`,
		`{"tokens":{"@":1}}`, `{"hosts":{"@":1}}`, `{"hosts":{"@":{"min":"@"}}}`,
	} {
		raw = strings.ReplaceAll(raw, "@", canary)
		if err := config.Assign([]byte(raw), &all{}); err == nil || strings.Contains(err.Error(), canary) {
			t.Errorf("%s: %v", raw, err)
		}
	}
}

func TestNestedPathsHaveTheSameBaseDirectory(t *testing.T) {
	var c struct {
		Hosts map[string]security `key:"hosts" help:"objects"`
		List  []security          `key:"list" help:"objects"`
	}
	dir := t.TempDir()
	d := config.Decoder{Values: config.Values{Dir: dir}}
	if found := decode(t, &d, "{hosts: {a: {file: x}}, list: [{file: ../y}]}", &c); len(found) > 0 {
		t.Fatal(found)
	}
	if c.Hosts["a"].File != filepath.Join(dir, "x") || c.List[0].File != filepath.Join(filepath.Dir(dir), "y") {
		t.Errorf("%+v", c)
	}
	if found := decode(t, &d, "list: [{file: ~/x}]", &c); len(found) != 1 || !strings.Contains(found[0].Message, "list[0].file begins with ~") {
		t.Errorf("found %v", found)
	}
}

func TestInvalidNestedDeclarationsAreErrors(t *testing.T) {
	field := func(f config.Field) []config.Field { f.Name = "a"; return []config.Field{f} }
	nest := field(config.Field{Type: config.Group})
	for range 12 {
		nest = field(config.Field{Type: config.Groups, Fields: nest})
	}
	wide := make([]config.Field, 30)
	for i := range wide {
		wide[i] = config.Field{Name: fmt.Sprintf("f%d", i), Type: config.Group, Fields: make([]config.Field, 0, 10)}
		for j := range 10 {
			wide[i].Fields = append(wide[i].Fields, config.Field{Name: fmt.Sprintf("g%d", j), Type: config.Text})
		}
	}
	for want, fields := range map[string][]config.Field{
		"nested deeper than 8":                    nest,
		"settings are declared, the maximum is ":  wide,
		"outer must refer to an enclosing object": field(config.Field{Type: config.Group, Outer: 1}),
		"outer must refer":                        field(config.Field{Type: config.Group, Outer: -1}),
		"cannot have fields":                      field(config.Field{Type: config.Text, Fields: field(config.Field{Type: config.Text})}),
		"cannot have a default":                   field(config.Field{Type: config.Groups, Default: "x"}),
		`setting "b": "x": must be true`:          field(config.Field{Type: config.Named, Fields: []config.Field{{Name: "b", Type: config.Switch, Default: "x"}}}),
	} {
		if _, err := config.Dynamic(fields, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

func TestFlattenListsNestedFields(t *testing.T) {
	var paths []string
	for _, f := range config.Flatten(describe(t, &struct {
		Rules []rule              `key:"rules"`
		Hosts map[string]security `key:"hosts"`
	}{})) {
		paths = append(paths, strings.TrimSuffix(f.Path+" "+f.Like, " "))
	}
	want := "rules, rules[].table, rules[].only, rules[].only.column, rules[].only.equal, rules[].only.all rules[].only, rules[].only.not rules[].only, rules[].only.within, " +
		"hosts, hosts[NAME].min, hosts[NAME].file, hosts[NAME].key, hosts[NAME].retry"
	if got := strings.Join(paths, ", "); got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
}
