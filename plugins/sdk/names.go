package sdk

import (
	"context"
	"sync"
)

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
	users  int
	holder context.Context // of the call that has it; guarded by names.mu
}

// lock waits until nobody changes the object; the function it returns ends it.
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

// settle waits for the changes whose callers have given them up already: who
// lists then sees what they did. Another instance may be of the same place.
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
