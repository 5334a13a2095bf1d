package host_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/plugins/sdk"
)

// nest is a configuration with nested objects, lists and maps.
type nest struct {
	Options nestOptions            `key:"options" help:"an object"`
	Rules   []nestRule             `key:"rules" required:"true" help:"a list of objects"`
	Hosts   map[string]nestOptions `key:"hosts" help:"objects by name"`
	Headers map[string]string      `key:"headers" help:"texts by name"`
	Tokens  map[string]sdk.Secret  `key:"tokens" help:"secrets by name"`
}

type nestOptions struct {
	File  string     `key:"file" default:"here" help:"a path"`
	Token sdk.Secret `key:"token" help:"a secret"`
}

type nestRule struct {
	Table string      `key:"table" required:"true" help:"a name"`
	Value sdk.Literal `key:"value" help:"a value"`
	Not   []nestRule  `key:"not" help:"rules inside of a rule"`
}

// Validate makes a check that only the plugin can make.
func (r *nestRule) Validate() error {
	if r.Table == "bad" {
		return sdk.At("table", "table is bad")
	}
	return nil
}

// nested is a storage that fails to open and returns its settings in the error.
func nested() sdk.Stage {
	return sdk.StorageStage("nested", "Tells its settings.", "", func(_ context.Context, c *nest, _ sdk.Env) (sdk.Storage, error) {
		raw, err := config.Encode(c)
		return nil, errors.Join(err, fmt.Errorf("settings %s and %d bytes of secrets", raw, len(c.Hosts["h"].Token.Reveal())+len(c.Tokens["a"].Reveal())))
	})
}

func TestNestedSettingsOverProcess(t *testing.T) {
	d, err := newHost(t).Describe(t.Context(), self(t))
	if err != nil {
		t.Fatal(err)
	}
	var s stage.Stage
	for _, one := range d.Stages {
		if one.Name == "nested" {
			s = one
		}
	}
	want, err := config.Describe(&nest{})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := config.Describe(s.Config()); err != nil || asJSON(t, got) != asJSON(t, want) {
		t.Errorf("described as\n%s\nwant\n%s; %v", asJSON(t, got), asJSON(t, want), err)
	}
	decode := func(text string) (any, config.Findings) {
		var node yaml.Node
		if err := yaml.Unmarshal([]byte(text), &node); err != nil {
			t.Fatal(err)
		}
		decoder := config.Decoder{File: "p.yaml", Values: config.Values{Dir: "/etc", Env: func(string) (string, bool) { return "hunter2", true }}}
		cfg := s.Config()
		return cfg, decoder.DecodeIn("sink[0].with", node.Content[0], cfg).Findings
	}
	for text, want := range map[string]string{
		"rules: [{table: a, not: [{table: bad}]}]":   "p.yaml:1:34: error: rules[0].not[0]: table is bad",
		"rules: [{table: a, not: [{tabel: x}]}]":     `p.yaml:1:27: error: unknown key "tabel" in rules[0].not[0]: did you mean "table"?`,
		"rules: [{table: a}]\nhosts: {a: {file: 3}}": "p.yaml:2:19: error: hosts[…].file must be text, not a number: put quotes around it",
		"hosts: {}": "p.yaml:1:1: error: rules is missing: write rules: …",
	} {
		if _, found := decode(text); len(found) == 0 || found[0].String() != want {
			t.Errorf("%s\ngives %v\nwant  %s", text, found, want)
		}
	}
	cfg, found := decode("rules: [{table: a, value: 7, not: [{table: b}]}]\nhosts: {h: {file: x, token: '${env:X}'}}\nheaders: {A: b}\ntokens: {a: '${env:X}'}")
	if len(found) > 0 {
		t.Fatal(found)
	}
	_, err = s.NewStorage(t.Context(), cfg, stage.Env{TempDir: t.TempDir()})
	var opened map[string]any
	text, ok := strings.CutPrefix(fmt.Sprint(err), "settings ")
	text, bytes, _ := strings.Cut(text, " and ")
	if !ok || json.Unmarshal([]byte(text), &opened) != nil || bytes != "14 bytes of secrets" {
		t.Fatalf("opened: %v", err)
	}
	got := asJSON(t, opened)
	if wanted := `{"headers":{"A":"b"},"hosts":{"h":{"file":"/etc/x","token":"***"}},"rules":[{"not":[{"table":"b"}],"table":"a","value":"7"}],"tokens":{"a":"***"}}`; got != wanted {
		t.Errorf("the plugin has %s\nwant %s", got, wanted)
	}
}
