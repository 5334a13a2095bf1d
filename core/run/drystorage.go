package run

import (
	"context"
	"slices"
	"strings"
	"sync"

	"github.com/lmsvault/vault/core/stage"
)

// DryStorage lets a whole backup be rehearsed: it reads the storage below it,
// writes nothing there, keeps the small objects that a repository reads back in
// memory, and only counts the packs. Safe for concurrent use.
type DryStorage struct {
	stage.Storage

	mu      sync.Mutex
	kept    map[string][]byte
	objects int64
	bytes   int64
}

// NewDryStorage makes a DryStorage over below.
func NewDryStorage(below stage.Storage) *DryStorage {
	return &DryStorage{Storage: below, kept: map[string][]byte{}}
}

// Counted returns the objects and bytes that would have been put.
func (d *DryStorage) Counted() (objects, bytes int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.objects, d.bytes
}

// Put counts the object, and keeps it unless it is a pack.
func (d *DryStorage) Put(_ context.Context, name string, data []byte) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.objects++
	d.bytes += int64(len(data))
	if !strings.HasPrefix(name, "packs/") {
		d.kept[name] = slices.Clone(data)
	}
	return nil
}

// Get reads what was kept, else the storage below.
func (d *DryStorage) Get(ctx context.Context, dst []byte, name string, offset, length int64) ([]byte, error) {
	d.mu.Lock()
	data, ok := d.kept[name]
	d.mu.Unlock()
	if !ok {
		return d.Storage.Get(ctx, dst, name, offset, length)
	}
	if length < 0 {
		length = int64(len(data)) - offset
	}
	if offset < 0 || length < 0 || offset+length > int64(len(data)) {
		return dst, stage.ErrNotExist
	}
	return append(dst, data[offset:offset+length]...), nil
}

// List lists what was kept and what is below.
func (d *DryStorage) List(ctx context.Context, prefix string, fn func(stage.Object) error) error {
	d.mu.Lock()
	var own []stage.Object
	for name, data := range d.kept {
		if strings.HasPrefix(name, prefix) {
			own = append(own, stage.Object{Name: name, Size: int64(len(data))})
		}
	}
	d.mu.Unlock()
	for _, o := range own {
		if err := fn(o); err != nil {
			return err
		}
	}
	return d.Storage.List(ctx, prefix, fn)
}

// Delete forgets what was kept; below nothing is deleted.
func (d *DryStorage) Delete(_ context.Context, name string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.kept, name)
	return nil
}

// Stat describes what was kept, else what is below.
func (d *DryStorage) Stat(ctx context.Context, name string) (stage.Object, error) {
	d.mu.Lock()
	data, ok := d.kept[name]
	d.mu.Unlock()
	if ok {
		return stage.Object{Name: name, Size: int64(len(data))}, nil
	}
	return d.Storage.Stat(ctx, name)
}
