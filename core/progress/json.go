package progress

import (
	"encoding/json"
	"io"
	"sync"
	"time"
)

// JSON writes one event per line as JSON, and at most one Moving event per second.
type JSON struct {
	mu   sync.Mutex
	out  *json.Encoder
	err  error
	last time.Time
}

// NewJSON returns a JSON reporter that writes to w.
func NewJSON(w io.Writer) *JSON {
	out := json.NewEncoder(w)
	out.SetEscapeHTML(false)
	return &JSON{out: out}
}

// Report writes an event.
func (j *JSON) Report(e Event) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if e.Kind == Moving {
		if e.Time.Sub(j.last) < time.Second {
			return
		}
		j.last = e.Time
	}
	if j.err == nil {
		j.err = j.out.Encode(e)
	}
}

// Close returns the first write error.
func (j *JSON) Close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.err
}
