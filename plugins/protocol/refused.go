package protocol

import (
	"fmt"

	"github.com/lmsvault/vault/core/stage"
	pb "github.com/lmsvault/vault/plugins/protocol/v1"
)

// SendRefused sends the rows that a target refused: that the unit is committed.
func SendRefused(refused []stage.Loss, send func(*pb.UnitResponse) error) error {
	var t Tally
	for _, l := range refused {
		m, err := LossMessage(l)
		if err != nil {
			return err
		}
		t.Items(1)
		first := &pb.UnitResponse{Refused: m, Row: l.Row != nil}
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

// ReceiveRefused is the inverse of SendRefused.
func ReceiveRefused(recv func() (*pb.UnitResponse, error)) (refused []stage.Loss, err error) {
	size := 0
	err = Receive(recv, func(m *pb.UnitResponse, t *Tally) error {
		if m.Refused != nil {
			t.Items(1)
			l, err := Loss(m.Refused)
			if err != nil {
				return err
			}
			if m.Row {
				l.Row = []byte{}
			}
			refused = append(refused, l)
		}
		if len(m.Data) == 0 {
			return nil
		}
		if size += len(m.Data); size > MaxBlob {
			return fmt.Errorf("%w: more than %d bytes of refused rows", ErrStream, MaxBlob)
		}
		if len(refused) == 0 || refused[len(refused)-1].Row == nil {
			return broken("bytes of a row come without the row")
		}
		t.Data(m.Data)
		last := &refused[len(refused)-1]
		last.Row = append(last.Row, m.Data...)
		return nil
	})
	return refused, err
}
