package sdk

import (
	"context"
	"sync"
)

// names serializes changes of the same object of a storage: a cancelled Put may still be
// running when its caller sends a Delete, and must not bring the object back. It is safe
// for concurrent use; the zero value is ready.
type names struct {
	mu   sync.Mutex
	busy map[objectName]*turn
}

type objectName struct {
	instance uint64
	name     string
}

// turn is the lock of a name, while it is held or waited for.
type turn struct {
	sync.Mutex
	users  int
	holder context.Context // context of the holding call; guarded by names.mu
}

// lock waits until no other call changes the object. The returned function releases the
// lock.
func (n *names) lock(ctx context.Context, instance uint64, name string) (unlock func()) {
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
	n.mu.Lock()
	t.holder = ctx
	n.mu.Unlock()
	return func() {
		n.mu.Lock()
		t.holder = nil
		n.mu.Unlock()
		t.Unlock()
		n.mu.Lock()
		defer n.mu.Unlock()
		if t.users--; t.users == 0 {
			delete(n.busy, key)
		}
	}
}

// settle waits for changes whose callers have abandoned them, so that a following List sees
// their effect. Another instance may use the same location.
func (n *names) settle(ctx context.Context) {
	n.mu.Lock()
	var given []objectName
	for key, t := range n.busy {
		if t.holder != nil && t.holder.Err() != nil {
			given = append(given, key)
		}
	}
	n.mu.Unlock()
	for _, key := range given {
		n.lock(ctx, key.instance, key.name)()
	}
}
