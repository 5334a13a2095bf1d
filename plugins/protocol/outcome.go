package protocol

import (
	"context"

	"github.com/lmsvault/vault/core/stage"
	pb "github.com/lmsvault/vault/plugins/protocol/v1"
)

// SendOutcome sends the argument of Sink.Finish.
func SendOutcome(instance uint64, o *stage.Outcome, send func(*pb.Outcome) error) error {
	f, err := facts(o.Facts)
	if err != nil {
		return err
	}
	b := newBatch(send)
	b.next.Head = &pb.OutcomeHead{Instance: instance, Facts: f, Dropped: o.Dropped, Added: o.Added}
	if err := fill(b, o.Tables, TableProofMessage, func(m *pb.Outcome, p *pb.TableProof) { m.Tables = append(m.Tables, p) }); err != nil {
		return err
	}
	if err := fill(b, o.Losses, LossMessage, func(m *pb.Outcome, l *pb.Loss) { m.Losses = append(m.Losses, l) }); err != nil {
		return err
	}
	if err := fill(b, o.Notes, NoteMessage, func(m *pb.Outcome, n *pb.Note) { m.Notes = append(m.Notes, n) }); err != nil {
		return err
	}
	return b.end(func(m *pb.Outcome, e *pb.End) { m.End = e })
}

// ReceiveOutcome is the inverse of SendOutcome.
func ReceiveOutcome(recv func() (*pb.Outcome, error)) (instance uint64, o *stage.Outcome, err error) {
	o = &stage.Outcome{}
	var head *pb.OutcomeHead
	err = Receive(recv, func(m *pb.Outcome, t *Tally) error {
		if m.Head != nil {
			head = m.Head
			o.Facts, o.Dropped, o.Added = withFacts(nil, head.Facts), head.Dropped, head.Added
			for _, changed := range []map[string]int64{o.Dropped, o.Added} {
				for table, n := range changed {
					if err := natural("dropped or added rows of "+table, n); err != nil {
						return err
					}
				}
			}
		}
		if err := take(t, &o.Tables, m.Tables, TableProof); err != nil {
			return err
		}
		if err := take(t, &o.Losses, m.Losses, Loss); err != nil {
			return err
		}
		return take(t, &o.Notes, m.Notes, Note)
	})
	return head.GetInstance(), o, err
}

// SendProofs sends the result of Sink.Prove.
func SendProofs(proofs []stage.TableProof, send func(*pb.ProveResponse) error) error {
	b := newBatch(send)
	if err := fill(b, proofs, TableProofMessage, func(m *pb.ProveResponse, p *pb.TableProof) { m.Proofs = append(m.Proofs, p) }); err != nil {
		return err
	}
	return b.end(func(m *pb.ProveResponse, e *pb.End) { m.End = e })
}

// ReceiveProofs is the inverse of SendProofs. Steps are reported with stage.Step in ctx.
func ReceiveProofs(ctx context.Context, recv func() (*pb.ProveResponse, error)) (proofs []stage.TableProof, err error) {
	err = ReceiveSteps(ctx, recv, func(m *pb.ProveResponse, t *Tally) error {
		return take(t, &proofs, m.Proofs, TableProof)
	})
	return proofs, err
}
