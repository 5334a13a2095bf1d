package component

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/lmsvault/vault/internal/lab"
)

// labVersions holds the versions in the lab's code as PHP reports them.
type labVersions struct {
	Order   [][2]any
	Begins  string `json:"serialized_begins"`
	SHA1    string
	Plugins []struct {
		Component string
		Version   int64
		Dir       string
		Standard  bool
		Parent    *string
	}
}

// The components of the lab's code are those that Moodle 4.5.6 itself lists. The code
// directory lacks the plugin tool_vault, which Moodle listed, and two directories
// without PHP.
func TestRealCode(t *testing.T) {
	fsys := lab.Code(t)
	fsys["admin/tool/vault/version.php"] = &fstest.MapFile{Data: []byte("<?php\n$plugin->component = 'tool_vault';\n$plugin->version = 2026051200;\n")}
	for _, dir := range []string{"mod/lti/source", "mod/bigbluebuttonbn/extension"} {
		fsys[dir] = &fstest.MapFile{Mode: fs.ModeDir | 0o755}
	}
	var want labVersions
	data, err := os.ReadFile(filepath.Join(lab.Dir(t), "all_versions.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &want); err != nil {
		t.Fatal(err)
	}
	code, err := LoadFS(t.Context(), fsys, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range code.Problems {
		t.Errorf("problem: %s", p)
	}
	text, err := code.serializedVersions()
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(text, want.Begins) {
		t.Errorf("serialized versions begin %.200s", text)
	}
	if sum, err := code.VersionsHash(); err != nil || sum != want.SHA1 {
		t.Errorf("the hash of all versions is %s (%v), want %s", sum, err, want.SHA1)
	}
	if len(code.Plugins) != len(want.Plugins) || len(want.Plugins) < 450 {
		t.Fatalf("%d plugins, want %d", len(code.Plugins), len(want.Plugins))
	}
	for _, w := range want.Plugins {
		p, ok := code.Plugin(w.Component)
		parent := ""
		if w.Parent != nil {
			parent = *w.Parent
		}
		if !ok || p.Dir != w.Dir || p.Standard != w.Standard || p.Parent != parent || p.Version != (Version{w.Version}) {
			t.Errorf("%+v, want %+v", p, w)
		}
	}
	if code.Version.String() != "2024100706" || code.Branch != "405" || code.Release != "4.5.6 (Build: 20250811)" || !code.StandardKnown() {
		t.Errorf("core is %s %s %s", code.Version, code.Branch, code.Release)
	}
}
