package protocol

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/lmsvault/vault/core/rows"
	"github.com/lmsvault/vault/core/stage"
	pb "github.com/lmsvault/vault/plugins/protocol/v1"
)

// received splits bytes from the fuzzer into messages, each after a varint length.
func received[M any, P interface {
	*M
	proto.Message
}](data []byte) func() (*M, error) {
	return func() (*M, error) {
		if len(data) < 2 {
			return nil, io.EOF
		}
		n := min(int(data[0])|int(data[1])<<8, len(data)-2)
		m := new(M)
		err := proto.Unmarshal(data[2:2+n], P(m))
		data = data[2+n:]
		return m, err
	}
}

func packed(messages [][]byte) (b []byte) {
	for _, m := range messages {
		b = append(append(b, byte(len(m)), byte(len(m)>>8)), m...)
	}
	return b
}

// judge is a writer that fails the test if it is given anything invalid.
type judge struct {
	t      *testing.T
	unit   stage.Unit
	open   *stage.Entry
	passed int64
}

func (j *judge) Open(_ context.Context, e stage.Entry) error {
	if j.open != nil || e.Size < 0 || !strings.HasPrefix(e.Path, j.unit.Part) || strings.Contains(e.Path+"/", "/../") || e.Mode > 0o7777 || max(e.Owner.UID, e.Owner.GID) > stage.MaxID {
		j.t.Errorf("Open: %+v after %+v", e, j.open)
	}
	j.open, j.passed = &e, 0
	return nil
}

func (j *judge) Write(_ context.Context, data []byte) error {
	if j.open == nil || j.open.Kind == stage.Dir || len(data) > rows.MaxChunk {
		j.t.Errorf("Write: %d bytes of %+v", len(data), j.open)
	}
	j.passed += int64(len(data))
	return nil
}

// rowJudge is the same for rows.
type rowJudge struct{ *judge }

func (j rowJudge) Write(_ context.Context, c stage.Chunk) error {
	if bytes.Count(c.Data, []byte{'\n'}) != c.Rows || len(c.Data) > rows.MaxChunk && c.Rows != 1 {
		j.t.Errorf("chunk of %d bytes and %d rows", len(c.Data), c.Rows)
	}
	return nil
}

func (j *judge) Close(_ context.Context, d stage.Digest) error {
	if j.open == nil || d.Bytes < 0 || j.open.Kind == stage.File && d.Bytes != j.passed {
		j.t.Errorf("Close: %+v with %+v after %d bytes", j.open, d, j.passed)
	}
	j.open = nil
	return nil
}

func (j *judge) Same(_ context.Context, e stage.Entry) error {
	if j.open != nil || e.Kind != stage.File || e.Fingerprint != "known" {
		j.t.Errorf("Same: %+v", e)
	}
	return nil
}

func (j *judge) Drop(context.Context) error {
	if j.open == nil {
		j.t.Error("Drop without an open entry")
	}
	j.open = nil
	return nil
}

func (j *judge) Loss(_ context.Context, l stage.Loss) error {
	if l.Count < 1 || l.Kind == "" {
		j.t.Errorf("Loss: %+v", l)
	}
	return nil
}

// Whatever events arrive, a writer is only given valid calls, and an incomplete unit is an
// error.
func FuzzEvents(f *testing.F) {
	var messages [][]byte
	w := NewEventWriter(func(_ context.Context, m *pb.UnitEvent) error {
		b, err := proto.Marshal(m)
		messages = append(messages, b)
		return err
	})
	ctx := context.Background()
	table := w.Rows()
	if err := errors.Join(table.Write(ctx, stage.Chunk{Data: []byte("1\n2\n"), Rows: 2}), table.Write(ctx, stage.Chunk{Data: bytes.Repeat([]byte("x\n"), small), Rows: small}),
		table.Loss(ctx, stage.Loss{Kind: stage.LossStored, Path: "db/t", Reason: "r", Count: 1}), w.End(ctx)); err != nil {
		f.Fatal(err)
	}
	whole := packed(messages)
	f.Add(whole, true)
	f.Add(whole[:len(whole)-4], true)
	f.Add(append(bytes.Clone(whole), whole...), true)
	for _, events := range [][]*pb.UnitEvent{
		{openFile("dataroot/a"), {Data: []byte("in ")}, chunk("pieces", 0), shut(9), {End: &pb.End{Items: 3, Bytes: 9, Crc32: 1}}},
		{openFile("dataroot/a"), {Drop: true}, {Same: &pb.Entry{Path: []byte("dataroot/b"), Kind: "file", Fingerprint: "known", Owner: &pb.Owner{Uid: 33, Gid: 33}}}, {End: &pb.End{Items: 3}}},
	} {
		messages = nil
		for _, e := range events {
			b, err := proto.Marshal(e)
			if err != nil {
				f.Fatal(err)
			}
			messages = append(messages, b)
		}
		f.Add(packed(messages), false)
	}
	f.Fuzz(func(t *testing.T, data []byte, db bool) {
		j := &judge{t: t, unit: fileUnit}
		p := &Replayer{Unit: fileUnit, To: j, Same: func(e stage.Entry) bool { return e.Fingerprint == "known" }}
		if db {
			p = &Replayer{Unit: tableUnit, Rows: rowJudge{j}}
		}
		err := Receive(received[pb.UnitEvent](data), func(m *pb.UnitEvent, t *Tally) error { return p.Event(ctx, m, t) })
		if err == nil && j.open != nil {
			t.Error("a unit is accepted with an open entry")
		}
	})
}

// Whatever messages arrive, decoding returns an error or valid values.
func FuzzLists(f *testing.F) {
	d := dice{rand.New(rand.NewPCG(1, 1))}
	inventories := &wire[pb.Inventory, *pb.Inventory]{t: f}
	outcomes := &wire[pb.Outcome, *pb.Outcome]{t: f}
	plans := &wire[pb.Plan, *pb.Plan]{t: f}
	receipts := &wire[pb.UnitResponse, *pb.UnitResponse]{t: f}
	reads := &wire[pb.ReadRequest, *pb.ReadRequest]{t: f}
	loss := stage.Loss{Kind: stage.LossRow, Path: "db/t", Reason: "r", Count: 2, Row: []byte("1\t2")}
	info := stage.TableInfo{Schema: d.table("t"), Rows: 1}
	if err := errors.Join(
		SendInventory(&stage.Inventory{Tables: []stage.TableInfo{info}, Units: []stage.Unit{tableUnit, fileUnit}, Losses: []stage.Loss{loss}, Facts: map[string]string{"engine": "x"}}, inventories.send),
		SendOutcome(1, &stage.Outcome{Tables: []stage.TableProof{{Schema: info.Schema, Sum: rows.Sum{Rows: 1}}}}, outcomes.send),
		SendPlan(1, &stage.Plan{Tables: []stage.TableInfo{info}, Files: 3}, plans.send),
		SendReceipt(&stage.Receipt{Rows: 1, Losses: []stage.Loss{loss, loss}}, receipts.send),
		SendRead(1, stage.ReadRequest{Unit: tableUnit, Baseline: stage.Baseline{"a": "b"}}, reads.send),
	); err != nil {
		f.Fatal(err)
	}
	for _, seed := range [][][]byte{inventories.messages, outcomes.messages, plans.messages, receipts.messages, reads.messages} {
		f.Add(packed(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		less := func(what string, all ...int64) {
			for _, n := range all {
				if n < 0 {
					t.Errorf("%s: %d", what, n)
				}
			}
		}
		if inv, err := ReceiveInventory(received[pb.Inventory](data)); err == nil {
			for _, table := range inv.Tables {
				less("table", table.Rows, table.Bytes)
				if _, err := TableInfoMessage(table); err != nil {
					t.Errorf("a received table can't be sent: %v", err)
				}
			}
			for _, u := range inv.Units {
				less("unit", u.Rows, u.Bytes)
			}
			for _, l := range append(inv.Losses, inv.Recorded...) {
				less("loss", l.Count-1)
			}
		}
		if _, o, err := ReceiveOutcome(received[pb.Outcome](data)); err == nil {
			for _, p := range o.Tables {
				less("proof", p.Sum.Rows)
			}
		}
		if _, p, err := ReceivePlan(received[pb.Plan](data)); err == nil {
			less("plan", p.Files, p.Bytes, int64(p.Workers))
		}
		if r, err := ReceiveReceipt(received[pb.UnitResponse](data)); err == nil {
			less("receipt", r.Rows, r.Files, r.Bytes)
			for _, l := range r.Losses {
				less("refused", l.Count-1)
			}
		}
		if _, r, err := ReceiveRead(received[pb.ReadRequest](data)); err == nil {
			less("unit", r.Unit.Rows, r.Unit.Bytes)
		}
		for _, receive := range []func() error{
			func() error {
				_, err := ReceiveProofs(context.Background(), received[pb.ProveResponse](data))
				return err
			},
			func() error { _, err := ReceiveCheck(received[pb.CheckResponse](data)); return err },
			func() error { _, err := ReceiveBaseline(received[pb.BaselineResponse](data)); return err },
		} {
			if err := receive(); err != nil && err.Error() == "" {
				t.Error("an error without text")
			}
		}
		m := &pb.Mapped{}
		if proto.Unmarshal(data, m) == nil {
			if mapped, err := Mapped(m, Table); err == nil {
				if _, err := MappedMessage(mapped); err != nil {
					t.Errorf("a received table can't be sent: %v", err)
				}
			}
		}
	})
}
