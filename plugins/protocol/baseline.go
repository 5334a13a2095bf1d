package protocol

import (
	"fmt"

	"google.golang.org/protobuf/proto"

	"github.com/lmsvault/vault/core/stage"
	pb "github.com/lmsvault/vault/plugins/protocol/v1"
)

// baselineFiles adds a baseline to messages.
func baselineFiles[M any](b *batch[M], k stage.Baseline, put func(*M, *pb.BaselineFile)) error {
	for path, fingerprint := range k {
		if err := words(fmt.Sprintf("the fingerprint of %q", path), fingerprint); err != nil {
			return err
		}
		f := &pb.BaselineFile{Path: []byte(path), Fingerprint: fingerprint}
		if err := b.item(proto.Size(f), func(m *M) { put(m, f) }); err != nil {
			return err
		}
	}
	return nil
}

func takeBaseline(t *Tally, k stage.Baseline, files []*pb.BaselineFile) {
	t.Items(len(files))
	for _, f := range files {
		k[string(f.GetPath())] = f.GetFingerprint()
	}
}

// SendRead sends the request of a Read.
func SendRead(instance uint64, r stage.ReadRequest, send func(*pb.ReadRequest) error) error {
	unit, err := UnitMessage(r.Unit)
	if err != nil {
		return err
	}
	b := newBatch(send)
	b.next.Head = &pb.ReadHead{Instance: instance, Unit: unit, HasBaseline: r.Baseline != nil}
	if err := baselineFiles(b, r.Baseline, func(m *pb.ReadRequest, f *pb.BaselineFile) { m.Baseline = append(m.Baseline, f) }); err != nil {
		return err
	}
	return b.end(func(m *pb.ReadRequest, e *pb.End) { m.End = e })
}

// ReceiveRead is the inverse of SendRead.
func ReceiveRead(recv func() (*pb.ReadRequest, error)) (instance uint64, r stage.ReadRequest, err error) {
	var head *pb.ReadHead
	err = Receive(recv, func(m *pb.ReadRequest, t *Tally) (err error) {
		if m.Head != nil {
			head = m.Head
			if head.HasBaseline {
				r.Baseline = stage.Baseline{}
			}
			r.Unit, err = Unit(head.Unit)
		}
		if r.Baseline == nil && len(m.Baseline) > 0 {
			return fmt.Errorf("%w: it has a baseline, but its head says that there is none", ErrStream)
		}
		takeBaseline(t, r.Baseline, m.Baseline)
		return err
	})
	return head.GetInstance(), r, err
}

// SendBaseline sends what a sink already has of a unit.
func SendBaseline(k stage.Baseline, send func(*pb.BaselineResponse) error) error {
	b := newBatch(send)
	b.next.HasBaseline = k != nil
	if err := baselineFiles(b, k, func(m *pb.BaselineResponse, f *pb.BaselineFile) { m.Baseline = append(m.Baseline, f) }); err != nil {
		return err
	}
	return b.end(func(m *pb.BaselineResponse, e *pb.End) { m.End = e })
}

// ReceiveBaseline is the inverse of SendBaseline.
func ReceiveBaseline(recv func() (*pb.BaselineResponse, error)) (k stage.Baseline, err error) {
	err = Receive(recv, func(m *pb.BaselineResponse, t *Tally) error {
		if k == nil && (m.HasBaseline || len(m.Baseline) > 0) {
			k = stage.Baseline{}
		}
		takeBaseline(t, k, m.Baseline)
		return nil
	})
	return k, err
}
