package protocol

import (
	"fmt"

	"github.com/lmsvault/vault/core/stage"
	pb "github.com/lmsvault/vault/plugins/protocol/v1"
)

// SendReceipt sends the result of committing a unit.
func SendReceipt(r *stage.Receipt, send func(*pb.UnitResponse) error) error {
	var t Tally
	if r == nil {
		return fmt.Errorf("the sink returned no receipt")
	}
	if err := send(&pb.UnitResponse{Receipt: &pb.Receipt{Rows: r.Rows, Files: r.Files, Bytes: r.Bytes, State: r.State}}); err != nil {
		return err
	}
	for _, l := range r.Losses {
		m, err := LossMessage(l)
		if err != nil {
			return err
		}
		t.Items(1)
		first := &pb.UnitResponse{Loss: m, Row: l.Row != nil}
		err = Split(l.Row, func(piece []byte, _ bool) error {
			t.Data(piece)
			r := first
			if r == nil {
				r = &pb.UnitResponse{}
			}
			first = nil
			r.Data = piece
			return send(r)
		})
		if err != nil {
			return err
		}
	}
	return send(&pb.UnitResponse{End: t.End()})
}

// ReceiveReceipt is the inverse of SendReceipt.
func ReceiveReceipt(recv func() (*pb.UnitResponse, error)) (r *stage.Receipt, err error) {
	size := 0
	err = Receive(recv, func(m *pb.UnitResponse, t *Tally) error {
		if m.Receipt != nil {
			r = &stage.Receipt{Rows: m.Receipt.Rows, Files: m.Receipt.Files, Bytes: m.Receipt.Bytes, State: m.Receipt.State}
			if err := natural("a receipt", r.Rows, r.Files, r.Bytes); err != nil {
				return err
			}
		}
		if r == nil {
			return broken("the reply to a unit does not begin with its receipt")
		}
		if m.Loss != nil {
			t.Items(1)
			l, err := Loss(m.Loss)
			if err != nil {
				return err
			}
			if m.Row {
				l.Row = []byte{}
			}
			r.Losses = append(r.Losses, l)
		}
		if len(m.Data) == 0 {
			return nil
		}
		if size += len(m.Data); size > MaxBlob {
			return fmt.Errorf("%w: more than %d bytes of refused rows", ErrStream, MaxBlob)
		}
		if len(r.Losses) == 0 || r.Losses[len(r.Losses)-1].Row == nil {
			return broken("bytes of a row without a loss")
		}
		t.Data(m.Data)
		last := &r.Losses[len(r.Losses)-1]
		last.Row = append(last.Row, m.Data...)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return r, nil
}
