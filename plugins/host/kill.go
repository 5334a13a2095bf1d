package host

import (
	"errors"
	"maps"
	"slices"
)

// Kill kills every running process, as kill -9 does, and returns when they have exited; it
// returns nil if there is none. It is for tests of interrupted calls. Later calls use a new
// process, as after any other exit.
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
