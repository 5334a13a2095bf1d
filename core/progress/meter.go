package progress

import (
	"fmt"
	"math"
	"strings"
	"time"
	"unicode"

	"github.com/dustin/go-humanize"
)

// meter measures the current speed of a phase.
type meter struct {
	first Event // the event that began the phase
	at    time.Time
	bytes int64
	rate  float64 // bytes per second, smoothed
}

// begin starts measuring at the event that begins a phase.
func (m *meter) begin(e Event) { *m = meter{first: e, at: e.Time, bytes: e.Bytes} }

// moved reports whether anything was counted in this phase.
func (m *meter) moved(e Event) bool { return e.Bytes != m.first.Bytes || e.Units != m.first.Units }

// window is roughly how much of the past the rate covers. Before that time has passed, the
// rate is the mean since the phase began.
const window = 15 * time.Second

// add records the total number of bytes at a point in time.
func (m *meter) add(at time.Time, bytes int64) {
	if bytes < m.bytes { // an entry was dropped
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

// left estimates the remaining time; ok is false if that is not possible.
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

// printable replaces characters that could control a terminal: names come from sites and
// snapshots.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '?'
	}, text)
}

// line describes the progress of a phase without its name. If nothing moves, it names the
// current step and the time since the phase began.
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

// percent returns 100 only at the very end, because the total is an estimate.
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
