package stage

import (
	"encoding/json"
	"fmt"
)

// receiptText is a Receipt as JSON. Unlike Loss, it includes refused rows.
type receiptText struct {
	Rows   int64      `json:"rows,omitempty"`
	Files  int64      `json:"files,omitempty"`
	Bytes  int64      `json:"bytes,omitempty"`
	Losses []lossText `json:"losses,omitempty"`
	State  []byte     `json:"state,omitempty"`
}

type lossText struct {
	Loss
	Row []byte `json:"row"` // null if there is none
}

// MarshalJSON encodes the whole receipt, including refused rows, so that a target can store
// it and return the same receipt again.
func (r *Receipt) MarshalJSON() ([]byte, error) {
	t := receiptText{Rows: r.Rows, Files: r.Files, Bytes: r.Bytes, State: r.State}
	for _, l := range r.Losses {
		t.Losses = append(t.Losses, lossText{l, l.Row})
	}
	return json.Marshal(t)
}

// UnmarshalJSON is the inverse of MarshalJSON.
func (r *Receipt) UnmarshalJSON(data []byte) error {
	var t receiptText
	if err := json.Unmarshal(data, &t); err != nil {
		return fmt.Errorf("decoding receipt: %w", err)
	}
	*r = Receipt{Rows: t.Rows, Files: t.Files, Bytes: t.Bytes, State: t.State}
	for _, l := range t.Losses {
		l.Loss.Row = l.Row
		r.Losses = append(r.Losses, l.Loss)
	}
	return nil
}
