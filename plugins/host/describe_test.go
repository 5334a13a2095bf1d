package host_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/transforms/encrypt"
)

// A stage of a plugin is declared, checked and made like a built-in one, from its
// description.
func TestDescribedStageIsLikeBuiltIn(t *testing.T) {
	d, err := newHost(t).Describe(t.Context(), self(t))
	if err != nil {
		t.Fatal(err)
	}
	if d.Name != "test" || d.Version != "1.0.0" || !strings.HasPrefix(d.SDK, "go") {
		t.Errorf("description is %+v", d)
	}
	found := map[string]stage.Stage{}
	for _, s := range d.Stages {
		found[s.Name] = s
	}
	s, built := found["encrypt"], encrypt.Stage()
	if s.Role != built.Role || s.Summary != built.Summary || s.Doc != built.Doc || !s.Seals || s.NewBytes == nil {
		t.Errorf("encrypt is %+v", s.Info)
	}
	want, err := config.Describe(built.Config())
	if err != nil {
		t.Fatal(err)
	}
	if got, err := config.Describe(s.Config()); err != nil || asJSON(t, got) != asJSON(t, want) {
		t.Errorf("settings are\n%s\nwant\n%s, %v", asJSON(t, got), asJSON(t, want), err)
	}

	// The plugin checks its settings when they are decoded, and findings have a position.
	decode := func(s stage.Stage, text string) (any, string) {
		var node yaml.Node
		if err := yaml.Unmarshal([]byte(text), &node); err != nil {
			t.Fatal(err)
		}
		cfg := s.Config()
		decoder := config.Decoder{File: "p.yaml"}
		err := decoder.Decode(node.Content[0], cfg).Err()
		if err == nil {
			return cfg, ""
		}
		return cfg, err.Error()
	}
	for _, text := range []string{"{recipients: [age1x]}", "{}", "{recipient: x}", "{passphrase: [a]}"} {
		_, theirs := decode(s, text)
		if _, ours := decode(built, text); theirs != ours || theirs == "" {
			t.Errorf("%s: got\n%s\nwant, as from the built-in stage,\n%s", text, theirs, ours)
		}
	}

	cfg, bad := decode(s, "{passphrase: open sesame}")
	if bad != "" {
		t.Fatal(bad)
	}
	made, err := s.NewBytes(t.Context(), cfg, stage.Env{})
	if err != nil {
		t.Fatal(err)
	}
	keyed, ok := made.(stage.Keyed)
	if !ok {
		t.Fatalf("%T is not Keyed", made)
	}
	if _, err := keyed.Create(t.Context()); err != nil {
		t.Fatal(err)
	}
	sealed, err := keyed.Apply(t.Context(), nil, []byte("secret"), "here")
	if err != nil || bytes.Contains(sealed, []byte("secret")) {
		t.Fatalf("%q, %v", sealed, err)
	}
	if opened, err := keyed.Invert(t.Context(), nil, sealed, "here", 100); err != nil || string(opened) != "secret" {
		t.Errorf("%q, %v", opened, err)
	}
	if _, err := keyed.Invert(t.Context(), nil, sealed, "there", 100); !errors.Is(err, stage.ErrCorrupt) {
		t.Errorf("under another name: %v", err)
	}
	if local := found["local"]; local.NewStorage == nil || !reflect.DeepEqual([]bool{local.CanStand(stage.RoleSource), local.CanStand(stage.RoleSink)}, []bool{true, true}) {
		t.Errorf("local is %+v", local.Info)
	}
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
