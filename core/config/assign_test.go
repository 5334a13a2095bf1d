package config_test

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/lmsvault/vault/core/config"
)

// pick returns a configuration that decoding could produce.
func pick(t testing.TB, r *rand.Rand) *all {
	text := func() string {
		return []string{"", "x", "${env:X}", "a\x00b", "\"\\\n<&>\u2028", "é😀\ufeff\x7f", strings.Repeat("long ", 20)}[r.IntN(7)]
	}
	number := func() int64 {
		return []int64{0, 1, -1, 1<<53 + 1, math.MaxInt64, math.MinInt64, r.Int64()}[r.IntN(7)]
	}
	a := &all{
		Dir: "/" + text(), DSN: config.NewSecret(text()), Path: text(), Prefix: text(),
		Codec: []string{"zstd", "lz4"}[r.IntN(2)], Level: int(min(number(), 12)), Count: number(), On: r.IntN(2) == 0, Off: r.IntN(2) == 0,
		Tags:   [][]string{{}, {""}, {text(), text()}}[r.IntN(3)],
		Kinds:  [][]string{nil, {}, {"x"}, {"y", "x"}}[r.IntN(4)],
		Memory: config.Size(1<<20 + r.Int64N(1<<40-1<<20+1)), Frame: []config.Size{0, 1 << 20, 2 << 20}[r.IntN(3)],
		Wait: config.Duration(r.Int64N(3600e9 + 1)),
		Pass: config.NewSecret(text()), Identity: config.NewSecret(text()),
	}
	object := func() security {
		return security{Min: []string{"1.2", "1.3"}[r.IntN(2)], File: text(), Key: config.NewSecret(text()), Retry: []int{0, 1, 9}[r.IntN(3)]}
	}
	some := func(n int) bool { return r.IntN(n) > 0 }
	literal := func() config.Literal { return config.Literal{Text: text(), Given: true} }
	var nested func(depth int) *condition
	nested = func(depth int) *condition {
		c := &condition{Column: text(), Within: config.Duration(r.Int64N(9))}
		if some(2) {
			c.Equal = literal()
		}
		if depth > 0 && some(2) {
			c.All, c.Not = []condition{*nested(depth - 1), *nested(depth - 1)}, nested(depth-1)
		}
		return c
	}
	a.In = [][]config.Literal{{}, {literal()}, {{Text: "1", Given: true}, {Text: "x", Given: true}}}[r.IntN(3)]
	a.TLS.Min = "1.2"
	if some(3) {
		proxy := object()
		a.Equal, a.TLS, a.Proxy = literal(), object(), &proxy
		a.Headers, a.Tokens = map[string]string{text() + "n": text()}, map[string]config.Secret{"a.b[0]": config.NewSecret(text())}
		a.Rules = []rule{{Table: "x", Only: nested(3)}, {Table: text() + "y"}}
		a.Hosts = map[string]security{"": object(), "one": object()}
	}
	whole := []string{"", "~", "1", "9223372036854775807", "123456789012345678901234567890", "0x1F", "1.50", "1e3", "true", "'true'", "2024-01-01",
		"[]", "{}", "[1, [~, a], {b: ''}]", "{a: &x {b: 1}, c: *x, d: {<<: *x, e: 2}}", "\"\\0\\x7f\\uFEFF\"", "!!binary eA=="}
	if text := whole[r.IntN(len(whole))]; text != "" {
		a.Anything = *parse(t, text)
	}
	return a
}

func parse(t testing.TB, text string) *yaml.Node {
	t.Helper()
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(text), &doc); err != nil {
		t.Fatal(err)
	}
	return doc.Content[0]
}

// meaning decodes the value as its stage would.
func meaning(t testing.TB, n yaml.Node) string {
	t.Helper()
	var v any
	if err := n.Decode(&v); err != nil {
		t.Fatal(err)
	}
	return strings.NewReplacer("00:00:00 +0000 UTC", "", "map[interface {}]interface {}", "map", "map[string]interface {}", "map").Replace(fmt.Sprint(v))
}

func TestEncodeAndAssignRoundTrip(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 500 {
		want, got, between := pick(t, r), pick(t, r), dynamic(t)
		if err := config.Assign([]byte(encode(t, want)), between); err != nil {
			t.Fatalf("%s: %v", encode(t, want), err)
		}
		if err := config.Assign([]byte(encode(t, between)), got); err != nil {
			t.Fatalf("%s: %v", encode(t, between), err)
		}
		if encode(t, got) != encode(t, want) || strings.TrimSpace(meaning(t, got.Anything)) != strings.TrimSpace(meaning(t, want.Anything)) {
			t.Fatalf("%s\nbecame %s", encode(t, want), encode(t, got))
		}
		got.Anything, want.Anything = yaml.Node{}, yaml.Node{}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("%+v\nbecame %+v", want, got)
		}
	}
}

// A setting that was explicitly set to zero must not get its default from Assign.
func TestZeroOverridesDefault(t *testing.T) {
	var a, b all
	if found := decode(t, &config.Decoder{}, "{dir: x, prefix: '', level: 0, on: false, tags: [], wait: 0s}", &a); len(found) > 0 {
		t.Fatal(found)
	}
	if err := config.Assign([]byte(encode(t, &a)), &b); err != nil || b.Prefix != "" || b.Level != 0 || b.On || len(b.Tags) != 0 || b.Wait != 0 || b.Codec != "zstd" {
		t.Errorf("%+v; %v", b, err)
	}
}

func TestEncodedFormOfTypes(t *testing.T) {
	var a all
	text := "{dir: /x, dsn: s, count: -9223372036854775808, off: true, kinds: [x], memory: 2GiB, wait: 90s, anything: {a: [1, 2.50, ~, 2024-01-01], 7: ~}, " +
		"equal: 7, in: [1, true], headers: {a: x}, tokens: {a: s}, proxy: {}, rules: [{table: t, only: {all: [{column: c}]}}], hosts: {h: {key: s}}}"
	if found := decode(t, &config.Decoder{}, text, &a); len(found.Of(config.Error)) > 0 {
		t.Fatal(found)
	}
	want := `{"anything":{"7":null,"a":[1,2.50,null,"2024-01-01"]},"codec":"zstd","count":-9223372036854775808,"dir":"/x","dsn":"s",` +
		`"equal":"7","headers":{"a":"x"},"hosts":{"h":{"key":"s","min":"1.2"}},"in":["1","true"],"kinds":["x"],` +
		`"level":3,"memory":2147483648,"off":true,"on":true,"prefix":"mdl_","proxy":{"min":"1.2"},` +
		`"rules":[{"only":{"all":[{"column":"c","within":"1m0s"}],"within":"1m0s"},"table":"t"}],"tags":["a","b"],"tokens":{"a":"s"},"wait":"1m30s"}`
	if got := encode(t, &a); got != want {
		t.Errorf("encoded as %s\nwant %s", got, want)
	}
}

func TestEncodeReportsKeyOfUnencodableValue(t *testing.T) {
	for key, a := range map[string]*all{
		"prefix":     {Prefix: "a\xff"},
		"passphrase": {Pass: config.NewSecret("hunter2\xff")},
		"tags":       {Tags: []string{"a", "\xc3"}},
		"anything":   {Anything: *parse(t, "{a: [.inf]}")},
	} {
		_, err := config.Encode(a)
		if got, ok := config.KeyOf(err); !ok || got != key || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", key, err)
		}
	}
	for _, text := range []string{"{[a]: b}", "&a [*a]", "{a: 1, a: 2}", "!!binary /w==", "{a: .nan}"} {
		if raw, err := config.Encode(&all{Anything: *parse(t, text)}); err == nil {
			t.Errorf("%s was encoded as %s, want an error", text, raw)
		}
	}
}

func TestAssignRefusesInvalidValues(t *testing.T) {
	for raw, want := range map[string]string{
		`{"dir":"x","nope":1}`:                       `nope: unknown key "nope"`,
		`{"dir":"x","Dir":"x"}`:                      `Dir: unknown key "Dir"`,
		`{"dir":"x","dir":"y"}`:                      `dir: duplicate key dir`,
		`{}`:                                         `dir: dir is missing`,
		`{"dir":""}`:                                 `dir: dir is empty`,
		`{"dir":null}`:                               `dir: dir must be text`,
		`{"dir":7}`:                                  `dir: dir must be text`,
		`{"dir":"x","dsn":{"hunter2":1}}`:            `dsn: dsn must be text`,
		`{"dir":"x","level":"3"}`:                    `level: level must be a number`,
		`{"dir":"x","level":1.0}`:                    `level: level must be a whole number`,
		`{"dir":"x","count":9223372036854775808}`:    `count: count must be a whole number`,
		`{"dir":"x","level":20}`:                     `level: level must be at most 19`,
		`{"dir":"x","memory":1024}`:                  `memory: memory must be at least 1MiB`,
		`{"dir":"x","memory":"2GiB"}`:                `memory: memory must be a size`,
		`{"dir":"x","frame":1}`:                      `frame: frame must be one of 1MiB, 2MiB`,
		`{"dir":"x","codec":"lz5"}`:                  `codec: codec must be one of zstd, lz4`,
		`{"dir":"x","on":"true"}`:                    `on: on must be true or false`,
		`{"dir":"x","on":1}`:                         `on: on must be true or false`,
		`{"dir":"x","tags":"a"}`:                     `tags: tags must be a list of texts`,
		`{"dir":"x","tags":[null]}`:                  `tags: tags must be a list of texts`,
		`{"dir":"x","kinds":["z"]}`:                  `kinds: kinds must be one of x, y`,
		`{"dir":"x","wait":10}`:                      `wait: wait must be a duration`,
		`{"dir":"x","wait":"2h"}`:                    `wait: wait must be at most 1h`,
		`{"dir":"x","level":13,"dsn":"hunter2"}`:     `: bad luck with ***|level: level 13 is unlucky`,
		`{"level":"x","on":2}`:                       `level: level must be a number|on: on must be true or false|dir: dir is missing`,
		`{"dir":"x"} {}`:                             `: settings are not a well-formed JSON object`,
		`{"dir":"x"`:                                 `: settings are not a well-formed JSON object`,
		`[]`:                                         `: settings are not a well-formed JSON object`,
		``:                                           `: settings are not a well-formed JSON object`,
		"{\"dir\":\"\xff\"}":                         `: settings are not a well-formed JSON object`,
		`{"dir":` + strings.Repeat("[", 20000) + `}`: `: settings are not a well-formed JSON object`,
	} {
		for _, target := range []any{&all{}, dynamic(t)} {
			err := config.Assign([]byte(raw), target)
			var got []string
			for _, err := range config.Split(err) {
				key, _ := config.KeyOf(err)
				got = append(got, key+": "+err.Error())
			}
			if !slices.Equal(got, strings.Split(want, "|")) {
				t.Errorf("%T: %.80s: got %q, want %s", target, raw, got, want)
			}
		}
	}
}

func TestAssignDoesNotResolveReferences(t *testing.T) {
	var a all
	if err := config.Assign([]byte(`{"dir":"${file:/etc/passwd}","dsn":"$${x}"}`), &a); err != nil || a.Dir != "${file:/etc/passwd}" || a.DSN.Reveal() != "$${x}" {
		t.Errorf("%+v; %v", a, err)
	}
}

// FuzzAssign checks that input from another process is either refused or assigned
// unchanged.
func FuzzAssign(f *testing.F) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 8 {
		f.Add([]byte(encode(f, pick(f, r))))
	}
	for _, seed := range []string{`{"dir":"x","anything":{"a":1e400,"b":"\ud800"}}`, `{"dir":"\u0000","anything":-0}`, `{"dir":1}{`, `{"dir":"x","anything":{"<<":{"a":1}}}`, `null`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		var a, b all
		d := dynamic(t)
		err := config.Assign(raw, &a)
		if other := config.Assign(raw, d); (err == nil) != (other == nil) {
			t.Fatalf("%q: struct: %v; Declared: %v", raw, err, other)
		}
		if err != nil {
			if !utf8.ValidString(err.Error()) {
				t.Fatalf("%q", err)
			}
			return
		}
		encoded, err := config.Encode(&a)
		if err != nil {
			t.Fatalf("%q: %v", raw, err)
		}
		if err := config.Assign(encoded, &b); err != nil || encode(t, &b) != string(encoded) || !json.Valid(encoded) {
			t.Fatalf("%s became %s; %v", encoded, encode(t, &b), err)
		}
	})
}
