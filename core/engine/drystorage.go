package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/stage"
)

// DryStorage lets a whole backup be rehearsed: it reads the storage below it,
// writes nothing there, keeps the small objects that a repository reads back in
// memory, and of the packs only how large they are. Safe for concurrent use.
type DryStorage struct {
	stage.Storage

	mu    sync.Mutex
	kept  map[string][]byte // content of all but packs
	sizes map[string]int64
}

// NewDryStorage makes a DryStorage over below.
func NewDryStorage(below stage.Storage) *DryStorage {
	return &DryStorage{Storage: below, kept: map[string][]byte{}, sizes: map[string]int64{}}
}

// Put keeps the object in memory, of a pack only its size.
func (d *DryStorage) Put(_ context.Context, name string, data []byte) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.putLocked(name, data)
	return nil
}

func (d *DryStorage) putLocked(name string, data []byte) {
	d.sizes[name] = int64(len(data))
	if !strings.HasPrefix(name, "packs/") {
		d.kept[name] = slices.Clone(data)
	}
}

// Create is Put where neither here nor below is an object of this name.
func (d *DryStorage) Create(ctx context.Context, name string, data []byte) error {
	_, err := d.Storage.Stat(ctx, name)
	if err != nil && !errors.Is(err, stage.ErrNotExist) {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, there := d.sizes[name]; there || err == nil {
		return fmt.Errorf("%s %w", name, stage.ErrExist)
	}
	d.putLocked(name, data)
	return nil
}

// Limits are those of the storage below.
func (d *DryStorage) Limits() stage.Limits {
	if l, ok := d.Storage.(stage.Limiter); ok {
		return l.Limits()
	}
	return stage.Limits{}
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

// List lists what was put and what is below.
func (d *DryStorage) List(ctx context.Context, prefix string, fn func(stage.Object) error) error {
	d.mu.Lock()
	var own []stage.Object
	for name, size := range d.sizes {
		if strings.HasPrefix(name, prefix) {
			own = append(own, stage.Object{Name: name, Size: size})
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

// Delete forgets what was put; below nothing is deleted.
func (d *DryStorage) Delete(_ context.Context, name string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.kept, name)
	delete(d.sizes, name)
	return nil
}

// Stat describes what was put, else what is below.
func (d *DryStorage) Stat(ctx context.Context, name string) (stage.Object, error) {
	d.mu.Lock()
	size, ok := d.sizes[name]
	d.mu.Unlock()
	if ok {
		return stage.Object{Name: name, Size: size}, nil
	}
	return d.Storage.Stat(ctx, name)
}

// Free tells what is free below, less what would have been put: a storage that
// can't be written, or is too small, fails a dry run too.
func (d *DryStorage) Free(ctx context.Context) (int64, error) {
	below, ok := d.Storage.(stage.Capacity)
	if !ok {
		return -1, nil
	}
	free, err := below.Free(ctx)
	if err != nil || free < 0 {
		return free, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, size := range d.sizes {
		free -= size
	}
	if free < 0 {
		return 0, failure.New(failure.Refused, "what would be stored is %d MiB more than is free", -free>>20)
	}
	return free, nil
}

// room is an error where what was kept would not have room.
func (d *DryStorage) room(ctx context.Context) error {
	_, err := d.Free(ctx)
	return err
}
