package conformance

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/core/stage"
)

// adding is a correct transform that adds two rows to the table config, except for the named
// fault.
type adding struct {
	copied
	nth   int
	calls *int // of Added
	plan  *stage.Plan
}

func (a *adding) Prepare(ctx context.Context, p *stage.Plan) (stage.Findings, error) {
	switch {
	case ctx.Err() != nil && a.fault == "waits":
		time.Sleep(grace + time.Second)
	case ctx.Err() != nil:
		return stage.Findings{}, ctx.Err()
	case a.fault == "changes the plan":
		p.Facts["seen"] = "yes"
	}
	a.plan = p
	found := stage.Findings{Notes: []stage.Note{{Path: "db/config", Text: "two settings are added"}}}
	if a.fault == "reports something else" {
		found.Notes[0].Text = fmt.Sprint(a.nth)
	}
	return found, nil
}

func (a *adding) Table(ctx context.Context, t schema.Table, target string) (stage.Mapped, error) {
	m, err := a.copied.Table(ctx, t, target)
	if m.Adds = t.Name == "config" && a.plan != nil; !m.Adds {
		return m, err
	}
	if a.fault == "needs to be prepared" && a.nth%2 == 0 {
		m.Adds = false
	}
	if a.fault != "leaves the sequence behind" {
		m.Schema.Sequence = &schema.Sequence{Column: "id", Next: t.Sequence.Next + 2}
	}
	return m, err
}

func (a *adding) Added(_ context.Context, m stage.Mapped, dst []byte) ([]byte, int, error) {
	*a.calls++
	value, ids, more := "", []uint64{m.From.Sequence.Next, m.From.Sequence.Next + 1}, 0
	switch a.fault {
	case "adds other rows each time":
		value = fmt.Sprint(*a.calls)
	case "adds other rows when opened again":
		value = fmt.Sprint(a.nth)
	case "does not append":
		dst = nil
	case "counts one more":
		more = 1
	case "takes numbers of rows":
		ids[0] = 1
	case "takes a number twice":
		ids[1] = ids[0]
	case "adds too few cells":
		return append(dst, "1000\tx\n"...), 1, nil
	}
	for _, id := range ids {
		dst = fmt.Appendf(dst, "%d\tadded\t%s\n", id, value)
	}
	return dst, len(ids) + more, nil
}

// mute is a transform whose rows can't be asked for.
type mute struct{ stage.Preparer }

func addingSuite(fault string) []Check {
	process := &plugged{}
	opened, calls := 0, 0
	return RecordChecks(RecordFixture{
		Open: func(testing.TB) stage.RecordTransform {
			opened++
			a := &adding{copied: copied{process, process.life(), fault}, nth: opened, calls: &calls}
			if fault == "has none to add" {
				return mute{a}
			}
			return a
		},
		Tables: []TableRows{sampleConfig(), sampleLog()}, Targets: []string{"", "mysql"}, Process: process, effort: little,
	})
}
