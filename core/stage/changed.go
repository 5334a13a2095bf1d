package stage

import "context"

type changedKey struct{}

// WithChanged returns a context in which CountChanged calls f. The run calls
// RecordTransform.Rows with such a context.
func WithChanged(ctx context.Context, f func(rows int64)) context.Context {
	return context.WithValue(ctx, changedKey{}, f)
}

// CountChanged reports that a RecordTransform has changed the values of rows on purpose.
// The run counts them by table and says so at the end, without those of an attempt that
// failed. It is for edits, not for a transform that writes all values differently. It does
// nothing in a plugin.
func CountChanged(ctx context.Context, rows int64) {
	if f, ok := ctx.Value(changedKey{}).(func(rows int64)); ok && rows > 0 {
		f(rows)
	}
}
