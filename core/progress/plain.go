package progress

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// interval is the time between two progress lines of Plain.
const interval = 10 * time.Second

// Plain writes lines for logs and pipes: each phase as it begins, and progress every ten
// seconds.
type Plain struct {
	mu    sync.Mutex
	w     io.Writer
	err   error
	phase string
	last  time.Time
	meter meter
}

// NewPlain returns a Plain reporter that writes to w.
func NewPlain(w io.Writer) *Plain { return &Plain{w: w} }

// Report writes a line if the event deserves one.
func (p *Plain) Report(e Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch e.Kind {
	case Phase:
		p.phase, p.last = e.Phase, e.Time
		p.meter.begin(e)
		p.print(e.Phase)
	case Moving:
		p.meter.add(e.Time, e.Bytes)
		if e.Time.Sub(p.last) < interval {
			return
		}
		p.last = e.Time
		p.print(p.phase + ": " + p.meter.line(e))
	}
}

func (p *Plain) print(line string) {
	if p.err == nil {
		_, p.err = fmt.Fprintln(p.w, line)
	}
}

// Close returns the first write error.
func (p *Plain) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.err
}
