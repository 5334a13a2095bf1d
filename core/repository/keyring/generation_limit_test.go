package keyring

import (
	"context"
	"sync"
	"testing"

	"github.com/lmsvault/vault/core/stage"
)

// measured is a byte transform that records the limits it is given.
type measured struct {
	stage.ByteTransform
	limits []int
}

func (m *measured) Invert(_ context.Context, dst, src []byte, _ string, limit int) ([]byte, error) {
	m.limits = append(m.limits, limit)
	return append(dst, src...), nil
}

// The limit applies to each transform, so a blob that one of them expands endlessly can't
// fill the memory.
func TestUnsealLimitsEveryTransform(t *testing.T) {
	first, last := &measured{}, &measured{}
	e := &Generation{Chain: []stage.ByteTransform{first, last}, Scratch: sync.Pool{New: func() any { return new([]byte) }}}
	if _, err := e.unseal(t.Context(), nil, make([]byte, 100), "blob", 8000); err != nil {
		t.Fatal(err)
	}
	if len(first.limits) != 1 || first.limits[0] != 8000 {
		t.Errorf("limits of the first transform are %v, want 8000", first.limits)
	}
	if len(last.limits) != 1 || last.limits[0] < 8000 || last.limits[0] > 8000+8000/8+1024 {
		t.Errorf("limits of the last transform are %v, want slightly more than 8000", last.limits)
	}
}
