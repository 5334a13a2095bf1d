package run

import (
	"context"
	"strings"
	"testing"

	"github.com/lmsvault/vault/core/failure"
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
