package protocol

import (
	"cmp"
	"context"
	"time"

	"github.com/lmsvault/vault/core/stage"
	pb "github.com/lmsvault/vault/plugins/protocol/v1"
)

// SendAction sends the argument of Action.Run.
func SendAction(instance uint64, r stage.ActionRequest, send func(*pb.ActionRequest) error) error {
	if err := words("the pipeline's name", r.Pipeline); err != nil {
		return err
	}
	b := newBatch(send)
	b.next.Head = &pb.ActionHead{Instance: instance, Moment: string(r.Moment), Pipeline: r.Pipeline, DryRun: r.DryRun}
	if o := r.Outcome; o != nil {
		b.next.Head.Outcome = outcomeMessage(o)
	}
	if r.Plan != nil {
		// The head of the plan is the first message of SendPlan; its tables follow in the request.
		head := *r.Plan
		head.Tables = nil
		err := SendPlan(0, &head, func(m *pb.Plan) error {
			b.next.Head.Plan = m.Head
			return nil
		})
		if err != nil {
			return err
		}
		if err := fill(b, r.Plan.Tables, TableInfoMessage, func(m *pb.ActionRequest, t *pb.TableInfo) { m.Tables = append(m.Tables, t) }); err != nil {
			return err
		}
	}
	return b.end(func(m *pb.ActionRequest, e *pb.End) { m.End = e })
}

// ReceiveAction is the inverse of SendAction.
func ReceiveAction(recv func() (*pb.ActionRequest, error)) (instance uint64, r stage.ActionRequest, err error) {
	var head *pb.ActionHead
	var tables []stage.TableInfo
	err = Receive(recv, func(m *pb.ActionRequest, t *Tally) error {
		if m.Head != nil {
			head = m.Head
		}
		return take(t, &tables, m.Tables, TableInfo)
	})
	if err != nil {
		return 0, r, err
	}
	r = stage.ActionRequest{Moment: stage.Moment(head.Moment), Pipeline: head.Pipeline, DryRun: head.DryRun}
	if head.Outcome != nil {
		r.Outcome = outcomeOf(head.Outcome)
	}
	if head.Plan == nil {
		return head.Instance, r, nil
	}
	if r.Plan, err = planOf(head.Plan); err == nil {
		r.Plan.Tables = tables
	}
	return head.Instance, r, err
}

func outcomeMessage(o *stage.RunOutcome) *pb.RunOutcome {
	m := &pb.RunOutcome{
		Status: string(o.Status), Exit: uint32(max(0, o.Exit)), Error: text(o.Error), Run: o.Run,
		Started: &pb.Time{Seconds: o.Started.Unix(), Nanos: uint32(o.Started.Nanosecond())},
		Bytes:   o.Bytes, Rows: o.Rows, Files: o.Files, Losses: o.Losses,
	}
	for _, s := range o.Snapshots {
		m.Snapshots = append(m.Snapshots, &pb.StoredSnapshot{Snapshot: s.Snapshot, Where: s.Where, Plain: s.Plain, New: s.New, Stored: s.Stored})
	}
	return m
}

func outcomeOf(m *pb.RunOutcome) *stage.RunOutcome {
	o := &stage.RunOutcome{
		Status: stage.RunStatus(m.GetStatus()), Exit: int(m.GetExit()), Error: m.GetError(), Run: m.GetRun(),
		Started: time.Unix(m.GetStarted().GetSeconds(), int64(m.GetStarted().GetNanos())).UTC(),
		Bytes:   m.GetBytes(), Rows: m.GetRows(), Files: m.GetFiles(), Losses: m.GetLosses(),
	}
	for _, s := range m.GetSnapshots() {
		o.Snapshots = append(o.Snapshots, stage.Summary{Snapshot: s.GetSnapshot(), Where: s.GetWhere(), Plain: s.GetPlain(), New: s.GetNew(), Stored: s.GetStored()})
	}
	return o
}

// SendReport sends the result of Action.Run.
func SendReport(r stage.ActionReport, send func(*pb.ActionResponse) error) error {
	b := newBatch(send)
	b.next.Confirm = text(r.Confirm)
	if err := fill(b, r.Findings, findingMessage, func(m *pb.ActionResponse, f *pb.ActionFinding) { m.Findings = append(m.Findings, f) }); err != nil {
		return err
	}
	return b.end(func(m *pb.ActionResponse, e *pb.End) { m.End = e })
}

// ReceiveReport is the inverse of SendReport. Steps are reported with stage.Step in ctx. If
// an error follows the report, both are returned.
func ReceiveReport(ctx context.Context, recv func() (*pb.ActionResponse, error)) (r stage.ActionReport, err error) {
	whole := false
	err = ReceiveSteps(ctx, recv, func(m *pb.ActionResponse, t *Tally) error {
		whole = m.End != nil
		r.Confirm = cmp.Or(r.Confirm, Printable(m.Confirm))
		return take(t, &r.Findings, m.Findings, finding)
	})
	if !whole {
		return stage.ActionReport{}, err
	}
	if bad := r.Validate(); bad != nil {
		return stage.ActionReport{}, broken("%v", bad)
	}
	return r, err
}

func findingMessage(f stage.ActionFinding) (*pb.ActionFinding, error) {
	if err := words("the ID or level of a finding", f.ID, string(f.Level)); err != nil {
		return nil, err
	}
	if err := words("a path to exclude in a finding", f.Exclude...); err != nil {
		return nil, err
	}
	return &pb.ActionFinding{Id: f.ID, Level: string(f.Level), What: text(f.What), Where: text(f.Where), Remedy: text(f.Remedy), Details: text(f.Details), Exclude: f.Exclude}, nil
}

func finding(m *pb.ActionFinding) (stage.ActionFinding, error) {
	return stage.ActionFinding{
		ID: m.GetId(), Level: stage.Level(m.GetLevel()),
		What: Printable(m.GetWhat()), Where: Printable(m.GetWhere()), Remedy: Printable(m.GetRemedy()), Details: m.GetDetails(),
		Exclude: m.GetExclude(),
	}, nil
}
