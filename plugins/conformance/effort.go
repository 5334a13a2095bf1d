package conformance

import (
	"cmp"
	"time"
)

// effort is how much a check does to find what is broken. The zero value is what
// every stage is given; the kit's own tests, whose stages break at once, take less.
type effort struct {
	largest, longest int
	leaks            time.Duration
}

// large is the size of what must pass whole however large it is.
func (e effort) large() int { return cmp.Or(e.largest, 64<<20) }

// disturbed is the size of what a call passes that is cancelled or killed: many
// frames of a stream.
func (e effort) disturbed() int { return cmp.Or(e.longest, 8<<20) }

// leakTimeout is how long a goroutine may take to end.
func (e effort) leakTimeout() time.Duration { return cmp.Or(e.leaks, grace) }
