package run

import (
	"context"
	"slices"
	"testing"

	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/core/stage"
)

// counter is a transform that says how many rows it changed, and has a note at the end.
type counter struct{}

func (counter) Table(_ context.Context, t schema.Table, _ string) (stage.Mapped, error) {
	return stage.Mapped{From: t, Schema: t, Rewrite: true}, nil
}

func (counter) Rows(ctx context.Context, m stage.Mapped, dst []byte, c stage.Chunk) ([]byte, int, error) {
	if m.From.Name == "user" {
		stage.CountChanged(ctx, int64(c.Rows))
	}
	return append(dst, c.Data...), c.Rows, nil
}

func (counter) Notes(context.Context) ([]stage.Note, error) {
	return []stage.Note{{Path: "db/user", Text: "a value was left"}}, nil
}

// The run says how many rows a transform has changed, once for a unit that is read twice,
// and what the transform notes at the end.
func TestChangedRowsAreNoted(t *testing.T) {
	source := site()
	source.trouble.errs = map[string][]error{"db/user#0": {away(0)}}
	j := job(t, source, &target{})
	j.Transforms = []stage.RecordTransform{counter{}}
	r, err := j.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"3 rows were changed by a transform", "a value was left"} {
		if !slices.Contains(r.Notes, stage.Note{Path: "db/user", Text: want}) {
			t.Errorf("the notes are %+v, without %q", r.Notes, want)
		}
	}
}
