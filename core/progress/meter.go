package progress

import (
	"fmt"
	"math"
	"strings"
	"time"
	"unicode"

	"github.com/dustin/go-humanize"
)

// meter measures how fast a phase is of late.
type meter struct {
	first Event // that began the phase
	at    time.Time
	bytes int64
	rate  float64 // bytes per second, smoothed
}

// begin takes the event that begins a phase.
func (m *meter) begin(e Event) { *m = meter{first: e, at: e.Time, bytes: e.Bytes} }

// moved tells whether anything is counted in this phase.
func (m *meter) moved(e Event) bool { return e.Bytes != m.first.Bytes || e.Units != m.first.Units }

// window is about how much of the past the rate looks at. Until it is full, the
// rate is the mean since the phase began.
const window = 15 * time.Second

// add takes the count of bytes at a moment.
func (m *meter) add(at time.Time, bytes int64) {
	if bytes < m.bytes { // an entry was taken back
		m.at, m.bytes = at, bytes
		return
	}
	span := at.Sub(m.at)
	if span < 500*time.Millisecond {
		return
	}
	rate := float64(bytes-m.bytes) / span.Seconds()
	weight := max(1-math.Exp(-span.Seconds()/window.Seconds()), span.Seconds()/at.Sub(m.first.Time).Seconds())
	m.rate += weight * (rate - m.rate)
	m.at, m.bytes = at, bytes
}

// left estimates the time to go; ok is false where that can't be told.
func (m *meter) left(e Event) (time.Duration, bool) {
	if e.TotalBytes <= e.Bytes || m.rate < 1 {
		return 0, false
	}
	left := float64(e.TotalBytes-e.Bytes) / m.rate
	if left > 1e7 {
		return 0, false
	}
	return time.Duration(left * float64(time.Second)).Round(time.Second), true
}

// printable replaces what could steer a terminal: names come from sites and snapshots.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '?'
	}, text)
}

// line says in words how far a phase is, without its name: of one that moves
// nothing which step runs, and how long the phase takes so far.
func (m *meter) line(e Event) string {
	var parts []string
	if !m.moved(e) {
		took := e.Time.Sub(m.first.Time).Round(time.Second).String()
		if e.Step == "" {
			return took
		}
		return printable(e.Target+": "+e.Step) + ", " + took
	}
	if e.TotalBytes > 0 {
		parts = append(parts, fmt.Sprintf("%3d %%", percent(e)))
		parts = append(parts, fmt.Sprintf("%s of about %s", size(e.Bytes), size(e.TotalBytes)))
	} else if e.Bytes > 0 {
		parts = append(parts, size(e.Bytes))
	}
	if m.rate >= 1 {
		parts = append(parts, size(int64(math.Round(m.rate)))+"/s")
	}
	if left, ok := m.left(e); ok {
		parts = append(parts, left.String()+" left")
	}
	if e.TotalUnits > 0 {
		parts = append(parts, fmt.Sprintf("unit %d of %d", e.Units, e.TotalUnits))
	}
	return strings.Join(parts, ", ")
}

// percent is 100 only at the very end: the total is an estimate.
func percent(e Event) int64 {
	switch {
	case e.TotalUnits > 0 && e.Units >= e.TotalUnits:
		return 100
	case e.TotalBytes <= 0:
		return 0
	}
	return min(99, max(0, int64(float64(e.Bytes)/float64(e.TotalBytes)*100)))
}

func size(n int64) string { return humanize.IBytes(uint64(max(0, n))) }
