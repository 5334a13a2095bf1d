package run

import (
	"context"
	"strings"
	"testing"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/core/stage"
)

// noSequences is a target without sequences, which may or may not say so.
type noSequences struct {
	*target
	silent bool
}

func (n noSequences) Check(ctx context.Context, p *stage.Plan) (stage.Findings, error) {
	found, err := n.target.Check(ctx, p)
	for _, info := range p.Tables {
		if s := info.Schema.Sequence; s != nil && !n.silent {
			found.Losses = append(found.Losses, stage.LostSequence(info.Schema.Name, s.Column, "no column is numbered"))
		}
	}
	return found, err
}

func (n noSequences) Prove(ctx context.Context) ([]stage.TableProof, error) {
	proofs, err := n.target.Prove(ctx)
	for i := range proofs {
		proofs[i].Schema.Sequence = nil
	}
	return proofs, err
}

// A sequence that the target says it cannot have is a loss that can be accepted; one
// that is silently missing is a fault of the proof.
func TestLostSequenceIsLoss(t *testing.T) {
	source := func() *memory {
		m := site()
		user := m.structure("user")
		user.Sequence = &schema.Sequence{Column: "id", Next: 9}
		m.schema = map[string]schema.Table{"user": user}
		return m
	}
	run := func(silent bool, accepted int64) (*Result, error) {
		j := job(t, source(), &target{})
		j.Targets[0].Sink = noSequences{target: &target{}, silent: silent}
		j.Budget = map[stage.LossKind]int64{stage.LossDefault: accepted}
		return j.Run(t.Context())
	}
	if _, err := run(false, 0); failure.Of(err) != failure.Refused || !strings.Contains(err.Error(), "default db/user (sequence of column id): no column is numbered") {
		t.Errorf("the error is %v", err)
	}
	if r, err := run(false, 1); err != nil || len(r.Losses) != 1 {
		t.Errorf("accepted: %v, losses %v", err, r.Losses)
	}
	if _, err := run(true, 1); failure.Of(err) != failure.Unproven || !strings.Contains(err.Error(), "column id has no sequence") {
		t.Errorf("silently missing: %v", err)
	}
}
