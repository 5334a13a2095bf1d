package conformance

import (
	"cmp"
	"time"
)

// effort limits the sizes and times of checks. The zero value is for real stages; the tests
// of this package, whose stages break at once, use less.
type effort struct {
	largest, longest int
	leaks            time.Duration
}

// large is the size of content that must never be rejected for its size.
func (e effort) large() int { return cmp.Or(e.largest, 64<<20) }

// disturbed is the size of the content in a call that is cancelled or killed: many frames
// of a stream.
func (e effort) disturbed() int { return cmp.Or(e.longest, 8<<20) }

// leakTimeout is how long a goroutine may take to end.
func (e effort) leakTimeout() time.Duration { return cmp.Or(e.leaks, grace) }
