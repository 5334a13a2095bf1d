package pipeline_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/pipeline"
	"github.com/lmsvault/vault/core/stage"
)

// plugged knows one storage at ./bin/mystore, and remembers what is asked of it.
type plugged struct{ asked []string }

func (p *plugged) Find(role stage.Role, use, base string, how pipeline.Isolation) (stage.Stage, string, error) {
	p.asked = append(p.asked, fmt.Sprintf("find %s %s in %s: %+v", role, use, base, how))
	switch use {
	case "./bin/mystore":
		return stage.Stage{
			Info:       stage.Info{Name: "mystore", Role: stage.RoleStorage, Config: func() any { return &folder{} }},
			NewStorage: func(context.Context, any, stage.Env) (stage.Storage, error) { return nil, nil },
		}, "plugin ./bin/mystore runs unpinned from its path", nil
	case "theirs":
		return stage.Stage{}, "", errors.New("plugin theirs is refused: its file is not the one that was installed")
	}
	return stage.Stage{}, "", &pipeline.NoPlugin{Installed: []string{"bucket"}}
}

func (p *plugged) Isolate(s stage.Stage, how pipeline.Isolation) (stage.Stage, error) {
	p.asked = append(p.asked, fmt.Sprintf("isolate %s: %+v", s.Name, how))
	s.Summary = "isolated"
	return s, nil
}

func parse(t *testing.T, text string, p pipeline.Plugins, isolate bool) (*pipeline.Pipeline, string) {
	t.Helper()
	made, found := pipeline.Parse("site/p.yaml", []byte(text), pipeline.Options{
		Registry: registry(t), Plugins: p, Isolate: isolate, Values: config.Values{Env: environment(map[string]string{"PROFILE": "x"})},
	})
	return made, lines(found)
}

const isolated = `version: 1
source: [{use: files, with: {dir: /srv/f}, isolate: true, env: [PROFILE], stall: 2m}]
transform: [{use: typemap}, {use: compress, isolate: true}]
sink: [{use: ./bin/mystore, with: {dir: /srv/r}}, {use: local, with: {dir: /srv/l}, isolate: "${own:-true}"}]
`

func TestStepConfiguresItsProcess(t *testing.T) {
	p := &plugged{}
	made, found := parse(t, isolated, p, false)
	if found != "site/p.yaml:4:14: warning: plugin ./bin/mystore runs unpinned from its path\n" {
		t.Fatal(found)
	}
	want := []string{
		fmt.Sprintf("isolate files: %+v", pipeline.Isolation{Step: "source 1", Env: []string{"PROFILE"}, Stall: 2 * time.Minute, Memory: 256 << 20}),
		fmt.Sprintf("isolate compress: %+v", pipeline.Isolation{Step: "transform 2", Stall: pipeline.DefaultStall, Memory: 256 << 20}),
		fmt.Sprintf("find sink ./bin/mystore in site: %+v", pipeline.Isolation{Stall: pipeline.DefaultStall, Memory: 256 << 20}),
		fmt.Sprintf("isolate local: %+v", pipeline.Isolation{Step: "sink 2", Stall: pipeline.DefaultStall, Memory: 256 << 20}),
	}
	if !slices.Equal(p.asked, want) {
		t.Errorf("asked\n%s\nwant\n%s", strings.Join(p.asked, "\n"), strings.Join(want, "\n"))
	}
	if made.Source[0].Stage.Summary != "isolated" || made.Transform[0].Stage.Summary == "isolated" || made.Sink[0].Stage.Name != "mystore" {
		t.Errorf("steps are %+v", made.Steps())
	}
}

// Every built-in stage, whatever its step says, in a process of its own.
func TestAllBuiltInStagesCanBeIsolated(t *testing.T) {
	p := &plugged{}
	if _, found := parse(t, strings.Replace(isolated, "isolate: true", "isolate: false", 1), p, true); strings.Contains(found, "error") {
		t.Fatal(found)
	}
	asked := strings.Join(p.asked, "\n")
	for _, want := range []string{"isolate files: {Step:source 1", "isolate compress: {Step:transform 2", "isolate typemap: {Step:transform 1", "isolate local: {Step:sink 2"} {
		if !strings.Contains(asked, want) {
			t.Errorf("no %q in\n%s", want, asked)
		}
	}
}

func TestRefusedPluginIsNotAnUnknownStage(t *testing.T) {
	for use, want := range map[string]string{
		"theirs":    "2:16: error: plugin theirs is refused: its file is not the one that was installed\n",
		"./bin/no":  "2:16: error: no plugin at ./bin/no: paths are relative to the directory of the pipeline file\n",
		"not-there": "2:16: error: no source stage of this name: known stages are ",
	} {
		_, found := parse(t, "version: 1\nsource: [{use: "+use+"}]\nsink: [{use: local, with: {dir: /srv/l}}]\n", &plugged{}, false)
		if !strings.HasPrefix(found, "site/p.yaml:"+want) || use == "not-there" && !strings.Contains(found, "vault plugin install") {
			t.Errorf("%s: %s", use, found)
		}
	}
}

func TestMisspelledPluginGetsSuggestion(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "mystore"), nil, 0o755); err != nil {
		t.Fatal(err)
	}
	for use, want := range map[string]string{
		"buket":   `did you mean "bucket"?`,
		"zzzzzz":  "bucket; vault plugin install adds more",
		"mystore": "write ./mystore for the program next to this file",
	} {
		text := "version: 1\nsource: [{use: files, with: {dir: /srv/f}}]\nsink: [{use: " + use + "}]\n"
		_, found := pipeline.Parse(filepath.Join(dir, "p.yaml"), []byte(text), pipeline.Options{Registry: registry(t), Plugins: &plugged{}})
		if !strings.Contains(lines(found), want) {
			t.Errorf("%s: want %q in %s", use, want, lines(found))
		}
	}
}

func TestProcessKeysAreValidated(t *testing.T) {
	for what, want := range map[string]string{
		"stall: 99999999h":         "stall must be a duration such as 30s, 5m or 1h30m, from 1s to 720h",
		"stall: -5m":               "stall must be a duration such as 30s, 5m or 1h30m, from 1s to 720h",
		"stall: 1ms":               "stall must be at least 1s",
		"stall: 721h":              "stall must be at most 720h",
		"env: [PROFILE, A=secret]": "env must list names of environment variables; item 2 is not one",
		"env: [TMPDIR]":            "env names TMPDIR, which vault sets itself",
	} {
		_, found := parse(t, "version: 1\nsource: [{use: files, with: {dir: /srv/f}, isolate: true, "+what+"}]\nsink: [{use: local, with: {dir: /srv/l}}]\n", &plugged{}, false)
		if !strings.Contains(found, want) || strings.Contains(found, "secret") {
			t.Errorf("%s: %s", what, found)
		}
	}
}
