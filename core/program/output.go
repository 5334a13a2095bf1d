package program

import (
	"fmt"
	"strings"
	"sync"
)

// kept is the number of bytes kept of the beginning of an output, and of its end.
const kept = 8 << 10

// output keeps the beginning and the end of a program's output. It is safe for concurrent
// use.
type output struct {
	mu      sync.Mutex
	head    []byte
	tail    []byte
	skipped int64
}

// Write stores p, or parts of it.
func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	n := min(len(p), kept-len(o.head))
	o.head = append(o.head, p[:n]...)
	o.tail = append(o.tail, p[n:]...)
	if over := len(o.tail) - kept; over > 0 {
		o.skipped += int64(over)
		o.tail = append(o.tail[:0:0], o.tail[over:]...)
	}
	return len(p), nil
}

// text returns the whole output, or whole lines of its beginning and end, as UTF-8.
func (o *output) text() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	head, tail := string(o.head), string(o.tail)
	if o.skipped > 0 { // whole lines: part of a secret would not be redacted
		whole, end := strings.LastIndexByte(head, '\n')+1, strings.IndexByte(tail, '\n')+1
		skipped := o.skipped + int64(len(head)-whole+end)
		if end == 0 {
			end, skipped = len(tail), skipped+int64(len(tail))
		}
		head, tail = head[:whole]+fmt.Sprintf("… %d bytes are left out …\n", skipped), tail[end:]
	}
	return strings.ToValidUTF8(head+tail, "\uFFFD")
}
