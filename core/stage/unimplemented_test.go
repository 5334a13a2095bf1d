package stage

import (
	"errors"
	"testing"

	"github.com/lmsvault/vault/core/schema"
)

// An incomplete stage names its missing method, and has no optional ones.
func TestUnimplementedNamesMissingMethod(t *testing.T) {
	ctx := t.Context()
	for method, call := range map[string]func() error{
		"Plan":  func() error { _, err := UnimplementedSource{}.Plan(ctx, PlanRequest{}); return err },
		"Check": func() error { _, err := UnimplementedSink{}.Check(ctx, &Plan{}); return err },
		"Prove": func() error { _, err := UnimplementedSink{}.Prove(ctx); return err },
		"Put":   func() error { return UnimplementedStorage{}.Put(ctx, "a", nil) },
		"Rows": func() error {
			_, _, err := UnimplementedRecordTransform{}.Rows(ctx, Mapped{}, nil, Chunk{})
			return err
		},
		"Table":  func() error { _, err := UnimplementedRecordTransform{}.Table(ctx, schema.Table{}, ""); return err },
		"Invert": func() error { _, err := UnimplementedByteTransform{}.Invert(ctx, nil, nil, "", 0); return err },
	} {
		if err := call(); !errors.Is(err, errors.ErrUnsupported) || err.Error() != "the stage has no "+method+": unsupported operation" {
			t.Errorf("%s: %v", method, err)
		}
	}
	for _, s := range []any{UnimplementedSource{}, UnimplementedSink{}, UnimplementedStorage{}} {
		switch s.(type) {
		case Counter, Joiner, Noter, BaselineSink, SnapshotSink, Creator, Limiter, Capacity:
			t.Errorf("%T has optional methods", s)
		}
	}
}
