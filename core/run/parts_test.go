package run

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/moodle"
	"github.com/lmsvault/vault/core/stage"
)

// keeper is a target with an earlier snapshot.
type keeper struct {
	*target
	held *stage.Holdings
}

func (k keeper) Previous(_ context.Context, p *stage.Plan) (*stage.Holdings, error) {
	if p.Pipeline != "test" {
		return nil, fmt.Errorf("asked for the pipeline %q", p.Pipeline)
	}
	return k.held, nil
}

// Summary returns a fixed snapshot ID.
func (k keeper) Summary() stage.Summary { return stage.Summary{Snapshot: "kept"} }

func emptyPool() stage.Loss {
	return stage.Loss{Kind: stage.LossPart, Path: stage.Filedir, Reason: "nothing is there; is it mounted?", Count: 1}
}

func TestEmptyFilePoolIsLostIfContentsAreReferenced(t *testing.T) {
	for name, c := range map[string]struct {
		change  func(*memory)
		held    int64 // files of the previous snapshot
		missing bool
		begun   bool // the sink's Begin was called
	}{
		"reported by the source":  {func(m *memory) { m.losses = []stage.Loss{emptyPool()} }, 0, true, true},
		"seen by the run":         {func(m *memory) {}, 0, true, true},
		"no content referenced":   {func(m *memory) { m.tables["files"] = nil; m.losses = []stage.Loss{emptyPool()} }, 0, false, true},
		"only the empty content":  {func(m *memory) { m.tables["files"] = []string{"1\t" + moodle.EmptyContent} }, 0, false, true},
		"there were files before": {func(m *memory) { m.tables["files"] = nil; m.losses = []stage.Loss{emptyPool()} }, 1, true, false},
		"no table files":          {func(m *memory) { delete(m.tables, "files"); m.losses = []stage.Loss{emptyPool()} }, 0, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			source, s := site(), &target{}
			source.files = map[string]string{}
			c.change(source)
			j := job(t, source, s)
			if c.held > 0 {
				j.Targets[0].Sink = keeper{s, &stage.Holdings{Snapshot: "before", Parts: map[string]stage.Amount{stage.Filedir: {Files: c.held}}}}
			}
			r, err := j.Run(t.Context())
			if begun := slices.Contains(s.calls, "begin"); begun != c.begun {
				t.Errorf("the calls were %v", s.calls)
			}
			if !c.missing {
				if err != nil || len(r.Losses) != 0 {
					t.Errorf("%v, losses %v", err, r.Losses)
				}
				return
			}
			class := failure.Unproven
			if !c.begun {
				class = failure.Refused
			}
			if failure.Of(err) != class || !strings.Contains(err.Error(), "--accept-loss missing_part=1") || s.finished {
				t.Errorf("%v, finished %v", err, s.finished)
			}
			if parts := slices.DeleteFunc(r.Losses, func(l stage.Loss) bool { return l.Kind != stage.LossPart }); len(parts) != 1 || parts[0].Path != stage.Filedir {
				t.Errorf("losses %v", parts)
			}
		})
	}
}

func TestMissingPartCanBeAccepted(t *testing.T) {
	for name, recorded := range map[string][]stage.Loss{
		"in a backup":  nil,
		"in a restore": {emptyPool(), {Kind: stage.LossMissing, Path: "filedir/0a/4d/" + present, Count: 1}},
	} {
		source := site()
		source.files, source.recorded = map[string]string{}, recorded
		j := job(t, source, &target{})
		j.Budget = map[stage.LossKind]int64{stage.LossPart: 1, stage.LossMissing: 1}
		if r, err := j.Run(t.Context()); err != nil || len(r.Losses) != 2 {
			t.Errorf("%s: %v, losses %v", name, err, r.Losses)
		}
	}
}

func TestShrunkPartIsLost(t *testing.T) {
	for name, c := range map[string]struct {
		held map[string]stage.Amount
		max  int
		lost string // part of the message, "" for no loss
	}{
		"as large":       {map[string]stage.Amount{stage.DB: {Rows: 200}, stage.Filedir: {Files: 200, Bytes: 2 << 20}}, 50, ""},
		"half":           {map[string]stage.Amount{stage.DB: {Rows: 400}, stage.Filedir: {Files: 400}}, 50, ""},
		"fewer files":    {map[string]stage.Amount{stage.Filedir: {Files: 401, Bytes: 2 << 20}}, 50, "filedir: it has 200 files (2.0 MiB), but snapshot before has 401 files (2.0 MiB)"},
		"fewer bytes":    {map[string]stage.Amount{stage.Filedir: {Files: 200, Bytes: 5 << 20}}, 50, "200 files (5.0 MiB)"},
		"fewer rows":     {map[string]stage.Amount{stage.DB: {Rows: 401}}, 50, "db: it has 200 rows, but snapshot before has 401 rows"},
		"another share":  {map[string]stage.Amount{stage.DB: {Rows: 250}}, 10, "max_shrink is 10%"},
		"no limit":       {map[string]stage.Amount{stage.DB: {Rows: 250}}, 100, ""},
		"part is gone":   {map[string]stage.Amount{stage.Dataroot: {Files: 3}}, 50, "dataroot: no source reads it, but snapshot before holds 3 files"},
		"part was empty": {map[string]stage.Amount{stage.Dataroot: {}}, 50, ""},
	} {
		t.Run(name, func(t *testing.T) {
			source, s := site(), &target{}
			source.tables = map[string][]string{"user": slices.Repeat([]string{"1\ta"}, 200)}
			source.files = map[string]string{}
			for i := range 200 {
				source.files[fmt.Sprint(i)] = strings.Repeat("x", 2<<20/200+1)
			}
			j := job(t, source, s)
			j.MaxShrink, j.Targets[0].Sink = c.max, keeper{s, &stage.Holdings{Snapshot: "before", Parts: c.held}}
			_, err := j.Run(t.Context())
			switch {
			case c.lost == "" && err != nil:
				t.Error(err)
			case c.lost != "" && (err == nil || !strings.Contains(err.Error(), c.lost) || s.finished):
				t.Errorf("%v, finished %v", err, s.finished)
			}
		})
	}
}
