package keyring

import (
	"context"
	"sync"
	"testing"

	"github.com/lmsvault/vault/core/stage"
)

// measured is a byte transform that notes the limits it is given.
type measured struct {
	stage.ByteTransform
	limits []int
}

func (m *measured) Invert(_ context.Context, dst, src []byte, _ string, limit int) ([]byte, error) {
	m.limits = append(m.limits, limit)
	return append(dst, src...), nil
}

// A blob that grows without end between two transforms is stopped there, not
// when it has filled the memory.
func TestUnsealLimitsEveryTransform(t *testing.T) {
	first, last := &measured{}, &measured{}
	e := &Generation{Chain: []stage.ByteTransform{first, last}, Scratch: sync.Pool{New: func() any { return new([]byte) }}}
	if _, err := e.unseal(t.Context(), nil, make([]byte, 100), "blob", 8000); err != nil {
		t.Fatal(err)
	}
	if len(first.limits) != 1 || first.limits[0] != 8000 {
		t.Errorf("the first transform may make %v bytes, want the 8000 of the content", first.limits)
	}
	if len(last.limits) != 1 || last.limits[0] < 8000 || last.limits[0] > 8000+8000/8+1024 {
		t.Errorf("the last transform may make %v bytes, want hardly more than the 8000 of the content", last.limits)
	}
}
