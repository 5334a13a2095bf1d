package run

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/progress"
	"github.com/lmsvault/vault/core/stage"
)

// kind is a source whose tables have the given Facts.
type kind struct {
	*memory
	facts map[string]string
}

func (k kind) Plan(context.Context, stage.PlanRequest) (*stage.Inventory, error) {
	return &stage.Inventory{Facts: k.facts}, nil
}

// A sink names indexes by the prefix of all tables, so sources with two prefixes are
// refused before anything is written. A source without a prefix fits any other.
func TestSourcesWithTwoPrefixesAreRefused(t *testing.T) {
	for prefix, refused := range map[string]bool{"": true, "mdl_": false, "other_": true, "(none)": false} {
		second := map[string]string{"prefix": prefix}
		if prefix == "(none)" {
			second = nil
		}
		j := job(t, site())
		j.Origins = []Origin{
			{Name: "first", Source: kind{site(), map[string]string{"prefix": "mdl_"}}},
			{Name: "second", Source: kind{site(), second}},
		}
		_, err := j.Plan(t.Context())
		if is := err != nil && strings.Contains(err.Error(), "the tables have the prefix"); is != refused || is && failure.Of(err) != failure.Refused {
			t.Errorf("prefix %q beside mdl_: %v", prefix, err)
		}
	}
}

// secretive is a source with a fact that must not be shown.
type secretive struct{ *memory }

func (s secretive) Plan(ctx context.Context, r stage.PlanRequest) (*stage.Inventory, error) {
	inv, err := s.memory.Plan(ctx, r)
	inv.Facts[stage.SecretFacts+"overrides"] = "CANARY"
	return inv, err
}

// Secret facts reach sinks, transforms and actions, but nothing that is shown.
func TestSecretFactsAreNotShown(t *testing.T) {
	sink, heard := &target{}, &everything{}
	j, _, planned, _, _, _ := staged(t, sink)
	j.Origins[0].Source = secretive{site()}
	j.Reporter = heard
	a := &adder{}
	j.Transforms = []stage.RecordTransform{a}
	r, err := j.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for who, facts := range map[string]map[string]string{"transform": a.plans[0].Facts, "sink": sink.plan.Facts, "finished sink": sink.outcome.Facts, "action": planned.requests[0].Plan.Facts} {
		if facts["secret_overrides"] != "CANARY" {
			t.Errorf("the %s got %v", who, facts)
		}
	}
	j = job(t, site(), &target{})
	j.Origins[0].Source = secretive{site()}
	p, err := j.Plan(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for what, shown := range map[string]any{"result": r, "plan": p, "events": heard.events} {
		text, err := json.Marshal(shown)
		if err != nil || strings.Contains(string(text), "CANARY") || strings.Contains(string(text), "secret_") || !strings.Contains(string(text), "memory") && what != "events" {
			t.Errorf("the %s shows %s, %v", what, text, err)
		}
	}
}

// everything keeps all events.
type everything struct {
	progress.Silent
	events []progress.Event
}

func (e *everything) Report(event progress.Event) { e.events = append(e.events, event) }
