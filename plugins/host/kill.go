package host

import (
	"errors"
	"maps"
	"slices"
)

// Kill ends every process that is running, as kill -9 does, and returns when they
// are gone; none is no error. It is for tests of what comes of calls then. What is
// called next has another process, as after any other end.
func (h *Host) Kill() error {
	h.mu.Lock()
	all := slices.Collect(maps.Values(h.processes))
	h.mu.Unlock()
	var errs []error
	for _, p := range all {
		<-p.ready
		if p.failed == nil {
			errs = append(errs, p.kill())
			<-p.child.done
		}
	}
	return errors.Join(errs...)
}
