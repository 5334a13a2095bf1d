package protocol

import (
	"slices"

	"github.com/lmsvault/vault/core/stage"
	pb "github.com/lmsvault/vault/plugins/protocol/v1"
)

// SendPlan sends the argument of Sink.Check and Sink.Begin.
func SendPlan(instance uint64, p *stage.Plan, send func(*pb.Plan) error) error {
	f, err := facts(p.Facts)
	if err != nil {
		return err
	}
	if err := words("the pipeline's name, a part, a location or a snapshot", slices.Concat(p.Parts, p.Preserve, p.Locations, p.Snapshots, []string{p.Pipeline, string(p.Replace)})...); err != nil {
		return err
	}
	b := newBatch(send)
	b.next.Head = &pb.PlanHead{
		Instance: instance, Pipeline: p.Pipeline, Parts: p.Parts, Facts: f,
		Files: p.Files, Bytes: p.Bytes, Workers: uint32(max(0, p.Workers)),
		Replace: string(p.Replace), Preserve: p.Preserve, Locations: p.Locations, Snapshots: p.Snapshots,
	}
	if err := fill(b, p.Tables, TableInfoMessage, func(m *pb.Plan, t *pb.TableInfo) { m.Tables = append(m.Tables, t) }); err != nil {
		return err
	}
	return b.end(func(m *pb.Plan, e *pb.End) { m.End = e })
}

// ReceivePlan is the inverse of SendPlan.
func ReceivePlan(recv func() (*pb.Plan, error)) (instance uint64, p *stage.Plan, err error) {
	p = &stage.Plan{}
	var head *pb.PlanHead
	err = Receive(recv, func(m *pb.Plan, t *Tally) (err error) {
		if m.Head != nil {
			head = m.Head
			if p, err = planOf(head); err != nil {
				return err
			}
		}
		return take(t, &p.Tables, m.Tables, TableInfo)
	})
	return head.GetInstance(), p, err
}

// planOf returns a plan without its tables.
func planOf(head *pb.PlanHead) (*stage.Plan, error) {
	p := &stage.Plan{
		Pipeline: head.Pipeline, Parts: head.Parts, Facts: withFacts(nil, head.Facts),
		Files: head.Files, Bytes: head.Bytes, Workers: int(head.Workers),
		Replace: stage.Replace(head.Replace), Preserve: head.Preserve,
		Locations: head.Locations, Snapshots: head.Snapshots,
	}
	return p, natural("a plan", p.Files, p.Bytes)
}

// SendCheck sends the result of Sink.Check.
func SendCheck(found stage.Findings, send func(*pb.CheckResponse) error) error {
	b := newBatch(send)
	if err := fill(b, found.Losses, LossMessage, func(m *pb.CheckResponse, l *pb.Loss) { m.Losses = append(m.Losses, l) }); err != nil {
		return err
	}
	if err := fill(b, found.Notes, NoteMessage, func(m *pb.CheckResponse, n *pb.Note) { m.Notes = append(m.Notes, n) }); err != nil {
		return err
	}
	return b.end(func(m *pb.CheckResponse, e *pb.End) { m.End = e })
}

// ReceiveCheck is the inverse of SendCheck.
func ReceiveCheck(recv func() (*pb.CheckResponse, error)) (found stage.Findings, err error) {
	err = Receive(recv, func(m *pb.CheckResponse, t *Tally) error {
		if err := take(t, &found.Losses, m.Losses, Loss); err != nil {
			return err
		}
		return take(t, &found.Notes, m.Notes, Note)
	})
	return found, err
}
