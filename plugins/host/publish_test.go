package host_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/plugins/sdk"
)

// publishing is a sink that notes the calls that publish it.
type publishing struct{ noting }

func (p *publishing) Expose(ctx context.Context, run string) error {
	defer stage.Step(ctx, "building beside")()
	return p.note("expose", nil, run)
}
func (p *publishing) Settle(context.Context) error { return p.note("settle", nil, "") }

// deciding knows whether it was published, and recovering can be completed.
type (
	deciding   struct{ publishing }
	recovering struct{ publishing }
	both       struct {
		publishing
		baselines
	}
	all struct {
		deciding
		baselines
	}
)

// baselines makes a sink a stage.BaselineSink.
type baselines struct{}

func (baselines) WriteFiles(context.Context, stage.Unit) (stage.FileUnit, error) {
	return nil, errors.New("not here")
}
func (baselines) Baseline(context.Context, stage.Unit) (stage.Baseline, error) { return nil, nil }

func (d *deciding) Published(_ context.Context, run string) (bool, error) {
	if run == "bad" {
		return true, failure.New(failure.Refused, "another run uses the target")
	}
	return run == "this", nil
}
func (r *recovering) Exposed(context.Context) (string, error) { return "that", nil }
func (r *recovering) Complete(ctx context.Context) error {
	defer stage.Step(ctx, "moving files")()
	return r.note("complete", nil, "")
}
func (r *recovering) Retract(context.Context) error {
	return errors.Join(r.note("retract", nil, ""), errors.New("it is locked"))
}

func (a *all) Exposed(context.Context) (string, error) { return "", nil }
func (a *all) Complete(context.Context) error          { return nil }
func (a *all) Retract(context.Context) error           { return nil }

func publisher() sdk.Stage {
	return sdk.SinkStage("publisher", "Notes how it is published.", "", []string{stage.DB, stage.Dataroot}, func(_ context.Context, c *additions, _ sdk.Env) (sdk.Sink, error) {
		p := publishing{noting{file: c.Once}}
		switch c.Mode {
		case "expose":
			return &p, nil
		case "decide":
			return &deciding{p}, nil
		case "recover":
			return &recovering{p}, nil
		case "expose with baseline":
			return &both{publishing: p}, nil
		case "all":
			return &all{deciding: deciding{p}}, nil
		}
		return &p.noting, nil
	})
}

func publisherOf(t *testing.T, mode, file string) stage.Sink {
	t.Helper()
	s, err := newHost(t).Isolate(publisher(), self(t)).NewSink(t.Context(), &additions{Mode: mode, Once: file}, stage.Env{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// A sink in another process has exactly the optional interfaces that the plugin's sink has.
func TestSinkHasItsOptionalInterfacesOverProcess(t *testing.T) {
	for mode, want := range map[string]string{
		"": "", "expose": "expose", "decide": "expose decide", "recover": "expose recover",
		"expose with baseline": "baseline expose", "all": "baseline expose decide recover",
	} {
		s := publisherOf(t, mode, filepath.Join(t.TempDir(), "calls"))
		var got []string
		if _, ok := s.(stage.BaselineSink); ok {
			got = append(got, "baseline")
		}
		if _, ok := s.(stage.Exposer); ok {
			got = append(got, "expose")
		}
		if _, ok := s.(stage.Decider); ok {
			got = append(got, "decide")
		}
		if _, ok := s.(stage.Recoverer); ok {
			got = append(got, "recover")
		}
		_, noter := s.(stage.Noter)
		_, rows := s.(stage.RowSink)
		if strings.Join(got, " ") != want || !noter || !rows {
			t.Errorf("%q: the sink can %q; notes: %v, rows: %v", mode, got, noter, rows)
		}
		if err := s.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

func TestPublicationOverProcess(t *testing.T) {
	file := filepath.Join(t.TempDir(), "calls")
	var steps []string
	ctx := stage.WithSteps(t.Context(), func(text string) func() { steps = append(steps, text); return func() {} })
	r := publisherOf(t, "recover", file).(stage.Recoverer)
	run, err := r.Exposed(ctx)
	if err != nil || run != "that" {
		t.Errorf("exposed: %q, %v", run, err)
	}
	if err := errors.Join(r.Expose(ctx, "run-1"), r.Complete(ctx), r.Settle(ctx)); err != nil {
		t.Fatal(err)
	}
	if err := r.Retract(ctx); err == nil || err.Error() != "it is locked" {
		t.Errorf("retract: %v", err)
	}
	if text, err := os.ReadFile(file); err != nil || string(text) != "expose map[] run-1\ncomplete map[] \nsettle map[] \nretract map[] \n" {
		t.Errorf("the calls were %q, %v", text, err)
	}
	if !slices.Equal(steps, []string{"building beside", "moving files"}) {
		t.Errorf("the steps were %q", steps)
	}
	d := publisherOf(t, "decide", file).(stage.Decider)
	for run, want := range map[string]bool{"this": true, "other": false} {
		if got, err := d.Published(ctx, run); err != nil || got != want {
			t.Errorf("published by %s: %v, %v", run, got, err)
		}
	}
	if got, err := d.Published(ctx, "bad"); got || failure.Of(err) != failure.Refused {
		t.Errorf("an error: %v, %v", got, err)
	}
}
