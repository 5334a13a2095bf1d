package stage_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/lmsvault/vault/core/stage"
)

// A receipt survives encoding: with a refused row, an empty row and bytes that are not
// text.
func TestReceiptRoundTrip(t *testing.T) {
	want := stage.Receipt{Rows: 7, Files: 2, Bytes: 99, State: []byte{0, 0xff}, Losses: []stage.Loss{
		{Kind: stage.LossRow, Path: "db/user", Where: "id=1 column name", Reason: "too long", Count: 1, Row: []byte("1\t\xff\\N")},
		{Kind: stage.LossRow, Path: "db/empty", Reason: "no column", Count: 1, Row: []byte{}},
		{Kind: stage.LossTime, Path: "dataroot/x", Reason: "too far", Count: 1},
	}}
	text, err := json.Marshal(&want)
	if err != nil {
		t.Fatal(err)
	}
	var got stage.Receipt
	if err := json.Unmarshal(text, &got); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%s\nbecomes %+v (%v)", text, got, err)
	}
}

// A temporary error is recognized when wrapped, and keeps its message.
func TestIsTemporaryFindsWrapped(t *testing.T) {
	cause := errors.New("the connection was lost")
	err := fmt.Errorf("unit x: %w", stage.Temporary(cause, time.Minute))
	if after, ok := stage.IsTemporary(err); !ok || after != time.Minute || !errors.Is(err, cause) || err.Error() != "unit x: the connection was lost" {
		t.Errorf("%v: %v, %v", err, after, ok)
	}
	if _, ok := stage.IsTemporary(cause); ok || stage.Temporary(nil, 0) != nil {
		t.Error("an unmarked error is temporary")
	}
}
