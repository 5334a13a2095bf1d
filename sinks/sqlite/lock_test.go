package sqlite_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/internal/isolated"
	sink "github.com/lmsvault/vault/sinks/sqlite"
)

func opened(t *testing.T, cfg sink.Config) stage.RowSink {
	t.Helper()
	st := isolated.Stage(t, sink.Stage())
	s, err := st.NewSink(context.Background(), &cfg, stage.Env{TempDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return s.(stage.RowSink)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestTwoRunsIntoOneFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "site")
	cfg, plan := sink.Config{Path: path, Prefix: "mdl_"}, &stage.Plan{}
	first, second := opened(t, cfg), opened(t, cfg)
	check := func(s stage.RowSink) error { _, err := s.Check(t.Context(), plan); return err }
	must(t, check(first))
	must(t, check(second))
	must(t, first.Begin(t.Context(), plan))
	for name, err := range map[string]error{"check": check(opened(t, cfg)), "begin": second.Begin(t.Context(), plan)} {
		if failure.Of(err) != failure.Refused || !strings.Contains(err.Error(), "another run is writing "+path) {
			t.Errorf("%s beside another run: %v", name, err)
		}
	}
	must(t, second.Abort(t.Context()))
	must(t, second.Close(t.Context()))
	must(t, first.Finish(t.Context(), &stage.Outcome{}))
	_, err := first.Prove(t.Context())
	must(t, err)
	must(t, first.Publish(t.Context()))
	must(t, first.Close(t.Context()))
	if _, err := os.Stat(path); err != nil {
		t.Error(err)
	}
	// The name is free again, and the remains of a killed run are overwritten.
	must(t, os.WriteFile(path+".vault-partial", []byte("left"), 0o600))
	third := opened(t, sink.Config{Path: path, Prefix: "mdl_"})
	replacing := *plan
	replacing.Replace = stage.ReplaceSwap
	must(t, third.Begin(t.Context(), &replacing))
	must(t, third.Abort(t.Context()))
	if _, err := os.Stat(path + ".vault-partial"); !os.IsNotExist(err) {
		t.Errorf("an aborted file is left: %v", err)
	}
}

// A run that ended between another's Check and Begin has created a site there.
func TestBeginChecksLocationAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "site")
	from := newSample(t, "0.05")
	late := opened(t, sink.Config{Path: path, Prefix: "mdl_"})
	_, err := late.Check(t.Context(), &stage.Plan{})
	must(t, err)
	carry(t, from, sink.New(sink.Config{Path: path, Prefix: "mdl_"}))
	before, err := os.ReadFile(path)
	must(t, err)
	if err := late.Begin(t.Context(), &stage.Plan{}); failure.Of(err) != failure.Refused || !strings.Contains(err.Error(), "replace: true") {
		t.Errorf("beginning over a site: %v", err)
	}
	must(t, late.Abort(t.Context()))
	if after, err := os.ReadFile(path); err != nil || string(after) != string(before) {
		t.Errorf("the site has changed (%v)", err)
	}
	if _, err := os.Stat(path + ".vault-partial"); !os.IsNotExist(err) {
		t.Errorf("an empty file is left: %v", err)
	}
}

func TestOnlyProvenFileIsRenamed(t *testing.T) {
	for name, spoil := range map[string]func(t *testing.T, partial string){
		"exchanged": func(t *testing.T, partial string) {
			data, err := os.ReadFile(partial)
			must(t, err)
			must(t, os.Remove(partial))
			must(t, os.WriteFile(partial, data, 0o600))
		},
		"changed": func(t *testing.T, partial string) {
			f, err := os.OpenFile(partial, os.O_WRONLY|os.O_APPEND, 0)
			must(t, err)
			_, err = f.WriteString("more")
			must(t, err)
			must(t, f.Close())
		},
		"gone": func(t *testing.T, partial string) { must(t, os.Remove(partial)) },
	} {
		for _, when := range []string{"before the proof", "after it"} {
			t.Run(name+" "+when, func(t *testing.T) {
				path := filepath.Join(t.TempDir(), "site")
				s := opened(t, sink.Config{Path: path, Prefix: "mdl_"})
				must(t, s.Begin(t.Context(), &stage.Plan{}))
				must(t, s.Finish(t.Context(), &stage.Outcome{}))
				if when == "before the proof" {
					spoil(t, path+".vault-partial")
				}
				_, err := s.Prove(t.Context())
				if when == "after it" {
					must(t, err)
					spoil(t, path+".vault-partial")
				} else if err == nil {
					t.Error("the changed file was proven")
				}
				if err := s.Publish(t.Context()); failure.Of(err) != failure.Unproven {
					t.Errorf("publish: %v", err)
				}
				if _, err := os.Stat(path); !os.IsNotExist(err) {
					t.Errorf("the file has its final name: %v", err)
				}
			})
		}
	}
}
