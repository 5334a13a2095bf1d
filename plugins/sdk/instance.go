package sdk

import (
	"sync"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// opened is an instance made by Open.
type opened struct {
	made any // implements an interface of package stage
	// calls is read-locked by calls, and locked by calls that must wait for earlier ones: a
	// cancelled call may still be running when the next one arrives.
	calls    sync.RWMutex
	receipts receipts // for a sink
}

// receipts returns the receipts of the sink with the given ID.
func (s *server) receipts(id uint64) *receipts {
	s.mu.Lock()
	defer s.mu.Unlock()
	return &s.instances[id].receipts
}

// instance returns the instance with the given ID.
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

// enter is like instance, for a call that Close must wait for. The caller must call leave
// at the end.
func enter[S any](s *server, id uint64) (made S, leave func(), err error) {
	return locked[S](s, id, (*sync.RWMutex).RLock, (*sync.RWMutex).RUnlock)
}

// alone is like enter, for a call that waits until running calls have ended.
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
	return status.Errorf(codes.Internal, "no instance %d supports this call", id)
}
