package sdk

import (
	"sync"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// opened is what Open made.
type opened struct {
	made any // a stage's interface
	// calls is read-locked by calls, and locked by those that come after them: a
	// call that was cancelled may still run here when the next one comes.
	calls    sync.RWMutex
	receipts receipts // of a sink
}

// receipts finds those of a sink that a call has entered.
func (s *server) receipts(id uint64) *receipts {
	s.mu.Lock()
	defer s.mu.Unlock()
	return &s.instances[id].receipts
}

// instance finds what Open made.
func instance[S any](s *server, id uint64) (S, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var none S
	o := s.instances[id]
	if o == nil {
		return none, unknown(id)
	}
	made, ok := o.made.(S)
	if !ok {
		return none, unknown(id)
	}
	return made, nil
}

// enter is instance for a call that Close waits for; the call ends with leave.
func enter[S any](s *server, id uint64) (made S, leave func(), err error) {
	return locked[S](s, id, (*sync.RWMutex).RLock, (*sync.RWMutex).RUnlock)
}

// alone is enter for a call that waits until those under way have ended.
func alone[S any](s *server, id uint64) (made S, leave func(), err error) {
	return locked[S](s, id, (*sync.RWMutex).Lock, (*sync.RWMutex).Unlock)
}

func locked[S any](s *server, id uint64, lock, unlock func(*sync.RWMutex)) (made S, leave func(), err error) {
	s.mu.Lock()
	o := s.instances[id]
	s.mu.Unlock()
	if o == nil {
		return made, nil, unknown(id)
	}
	lock(&o.calls)
	if made, err = instance[S](s, id); err != nil { // closed meanwhile, or of another role
		unlock(&o.calls)
		return made, nil, err
	}
	return made, func() { unlock(&o.calls) }, nil
}

func unknown(id uint64) error {
	return status.Errorf(codes.Internal, "there is no instance %d that has this call", id)
}
