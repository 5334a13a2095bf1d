package sdk

import "sync"

// names has one change of an object of a storage follow the other: a Put that
// was cancelled may still run when the Delete comes that its caller sent after
// it, and must not bring the object back. It is safe for concurrent use; the zero
// value is ready.
type names struct {
	mu   sync.Mutex
	busy map[objectName]*turn
}

type objectName struct {
	instance uint64
	name     string
}

// turn is the lock of a name, while somebody has it or waits for it.
type turn struct {
	sync.Mutex
	users int
}

// lock waits until nobody changes the object; the function it returns ends it.
func (n *names) lock(instance uint64, name string) (unlock func()) {
	key := objectName{instance, name}
	n.mu.Lock()
	if n.busy == nil {
		n.busy = map[objectName]*turn{}
	}
	t := n.busy[key]
	if t == nil {
		t = &turn{}
		n.busy[key] = t
	}
	t.users++
	n.mu.Unlock()
	t.Lock()
	return func() {
		t.Unlock()
		n.mu.Lock()
		defer n.mu.Unlock()
		if t.users--; t.users == 0 {
			delete(n.busy, key)
		}
	}
}
