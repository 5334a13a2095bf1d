package engine_test

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/lmsvault/vault/builtin"
	"github.com/lmsvault/vault/core/engine"
	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/pipeline"
	"github.com/lmsvault/vault/core/progress"
	outcome "github.com/lmsvault/vault/core/run"
	"github.com/lmsvault/vault/core/selection"
	"github.com/lmsvault/vault/core/stage"
)

// siteConfig names the directory of a site: site.sqlite, filedir and data.
type siteConfig struct {
	Dir     string `key:"dir" required:"true" help:"directory of the site" example:"/srv/site"`
	Refused bool   `key:"refused" help:"make the check refuse the run"`
}

// site is a composite, at either end of a pipeline.
func site(role stage.Role) stage.Stage {
	return stage.Stage{
		Info: stage.Info{Name: "whole", Role: role, Summary: "A whole site.", Config: func() any { return &siteConfig{} }},
		Expand: func(_ context.Context, cfg any, _ stage.ExpandEnv) (*stage.Expansion, error) {
			c, ok := cfg.(*siteConfig)
			if !ok {
				return nil, errors.New("wrong configuration type")
			}
			in := func(name string) map[string]any { return map[string]any{"dir": filepath.Join(c.Dir, name)} }
			e := &stage.Expansion{Parts: []stage.Part{
				{Name: "database", Use: "sqlite", Settings: map[string]any{"path": filepath.Join(c.Dir, "site.sqlite")}},
				{Name: "contents", Use: "files", Settings: in("filedir")},
				{Name: "data", Use: "dataroot", Settings: in("data")},
			}}
			if role == stage.RoleSink {
				code := "0"
				if c.Refused {
					code = "1"
				}
				e.Before = []stage.Part{{Name: "check", Use: "command", When: "planned", Settings: map[string]any{"argv": []any{"sh", "-c", "exit " + code}, "dir": c.Dir}}}
				return e, nil
			}
			e.Selection = selection.Selection{StructureOnly: []string{"sessions"}}
			e.After = []stage.Part{{Name: "mark", Use: "command", Settings: map[string]any{"argv": []any{"touch", "copied"}, "dir": c.Dir}}}
			return e, nil
		},
	}
}

// work loads and runs a pipeline.
func work(t *testing.T, dir, text string) (*outcome.Result, error) {
	t.Helper()
	known, err := builtin.Stages()
	if err != nil {
		t.Fatal(err)
	}
	stages, err := stage.NewRegistry(append(known.All(), site(stage.RoleSource), site(stage.RoleSink), markedTables(), marker())...)
	if err != nil {
		t.Fatal(err)
	}
	p, found := pipeline.Parse(filepath.Join(dir, "p.yaml"), []byte(text), pipeline.Options{Registry: stages, Context: t.Context()})
	if p == nil {
		t.Fatal(found)
	}
	job, err := engine.Build(t.Context(), p, stages, stage.Env{Log: slog.New(slog.DiscardHandler), TempDir: t.TempDir(), Version: "1.0.0"}, progress.Silent{})
	if err != nil {
		t.Fatal(err)
	}
	result, err := job.Run(t.Context())
	return result, errors.Join(err, job.Close(t.Context()))
}

// A composite runs as its parts, with its checks, selection and actions.
func TestCompositeRunsAsItsParts(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"old/filedir", "old/data", "new/filedir", "new/data"} {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	const made = `version: 1
source: [{use: sample, with: {db_bytes: 64KiB}}]
sink:
  - {use: sqlite, with: {path: old/site.sqlite}}
  - {use: files, with: {dir: old/filedir}}
  - {use: dataroot, with: {dir: old/data}}
`
	if _, err := work(t, dir, made); err != nil {
		t.Fatal(err)
	}
	there := func(name string) bool { _, err := os.Stat(filepath.Join(dir, name)); return err == nil }

	const refused = "version: 1\nsource: [{use: whole, with: {dir: old}}]\nsink: [{use: whole, with: {dir: new, refused: true}}]\n"
	r, err := work(t, dir, refused)
	if failure.Of(err) != failure.Refused || !strings.Contains(err.Error(), "action whole 2/check: exit: sh exited with code 1") || there("new/site.sqlite") || there("old/copied") {
		t.Errorf("failing check: %v, %+v", err, r.Actions)
	}

	r, err = work(t, dir, strings.Replace(refused, ", refused: true", "", 1))
	if err != nil {
		t.Fatal(err)
	}
	if !there("new/site.sqlite") || !there("old/copied") {
		t.Error("the copy of the site or the mark is missing")
	}
	var targets []string
	for _, one := range r.Tables {
		targets = append(targets, one.Target)
	}
	for _, one := range r.Files {
		targets = append(targets, one.Target)
	}
	slices.Sort(targets)
	if got := slices.Compact(targets); !slices.Equal(got, []string{"whole 2/contents", "whole 2/data", "whole 2/database"}) {
		t.Errorf("targets are %v", got)
	}
	var names []string
	for _, a := range r.Actions {
		names = append(names, a.Name+" "+string(a.Level))
	}
	if !slices.Equal(names, []string{"whole 2/check ok", "whole/mark ok"}) {
		t.Errorf("actions are %v", names)
	}
	noted := 0
	for _, n := range r.Notes {
		if n.Path == "whole" && strings.HasPrefix(n.Text, "expands to database (sqlite), contents (files), data (dataroot)") || strings.HasSuffix(n.Path, "sessions") {
			noted++
		}
	}
	if noted != 2 {
		t.Errorf("notes are %v", r.Notes)
	}
}
