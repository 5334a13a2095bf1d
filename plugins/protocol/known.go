package protocol

import (
	"fmt"

	"google.golang.org/protobuf/proto"

	"github.com/lmsvault/vault/core/stage"
	pb "github.com/lmsvault/vault/plugins/protocol/v1"
)

// knownFiles puts what is known into messages.
func knownFiles[M any](b *batch[M], k stage.Known, put func(*M, *pb.KnownFile)) error {
	for path, fingerprint := range k {
		if err := words(fmt.Sprintf("the fingerprint of %q", path), fingerprint); err != nil {
			return err
		}
		f := &pb.KnownFile{Path: []byte(path), Fingerprint: fingerprint}
		if err := b.item(proto.Size(f), func(m *M) { put(m, f) }); err != nil {
			return err
		}
	}
	return nil
}

func takeKnown(t *Tally, k stage.Known, files []*pb.KnownFile) {
	t.Items(len(files))
	for _, f := range files {
		k[string(f.GetPath())] = f.GetFingerprint()
	}
}

// SendRead sends what a Read begins with.
func SendRead(instance uint64, u stage.Unit, k stage.Known, send func(*pb.ReadRequest) error) error {
	unit, err := UnitMessage(u)
	if err != nil {
		return err
	}
	b := newBatch(send)
	b.next.Head = &pb.ReadHead{Instance: instance, Unit: unit, Knows: k != nil}
	if err := knownFiles(b, k, func(m *pb.ReadRequest, f *pb.KnownFile) { m.Known = append(m.Known, f) }); err != nil {
		return err
	}
	return b.end(func(m *pb.ReadRequest, e *pb.End) { m.End = e })
}

// ReceiveRead is the inverse of SendRead.
func ReceiveRead(recv func() (*pb.ReadRequest, error)) (instance uint64, u stage.Unit, k stage.Known, err error) {
	var head *pb.ReadHead
	err = Receive(recv, func(m *pb.ReadRequest, t *Tally) (err error) {
		if m.Head != nil {
			head = m.Head
			if head.Knows {
				k = stage.Known{}
			}
			u, err = Unit(head.Unit)
		}
		if k == nil && len(m.Known) > 0 {
			return fmt.Errorf("%w: it knows files, and its head says that it knows nothing", ErrStream)
		}
		takeKnown(t, k, m.Known)
		return err
	})
	return head.GetInstance(), u, k, err
}

// SendKnown sends what a sink knows of a unit.
func SendKnown(k stage.Known, send func(*pb.KnownResponse) error) error {
	b := newBatch(send)
	b.next.Knows = k != nil
	if err := knownFiles(b, k, func(m *pb.KnownResponse, f *pb.KnownFile) { m.Known = append(m.Known, f) }); err != nil {
		return err
	}
	return b.end(func(m *pb.KnownResponse, e *pb.End) { m.End = e })
}

// ReceiveKnown is the inverse of SendKnown.
func ReceiveKnown(recv func() (*pb.KnownResponse, error)) (k stage.Known, err error) {
	err = Receive(recv, func(m *pb.KnownResponse, t *Tally) error {
		if k == nil && (m.Knows || len(m.Known) > 0) {
			k = stage.Known{}
		}
		takeKnown(t, k, m.Known)
		return nil
	})
	return k, err
}
