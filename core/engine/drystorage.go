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

// DryStorage allows a dry run of a whole backup. It reads the storage below and writes
// nothing to it. It keeps small objects, which a repository reads back, in memory, and only
// the size of packs. It is safe for concurrent use.
type DryStorage struct {
	stage.Storage

	mu    sync.Mutex
	kept  map[string][]byte // content of all objects except packs
	sizes map[string]int64
}

// NewDryStorage returns a DryStorage over below.
func NewDryStorage(below stage.Storage) *DryStorage {
	return &DryStorage{Storage: below, kept: map[string][]byte{}, sizes: map[string]int64{}}
}

// Put keeps the object in memory; of a pack it keeps only the size.
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

// Create is like Put, but fails if the object exists here or below.
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

// Limits returns the limits of the storage below.
func (d *DryStorage) Limits() stage.Limits {
	if l, ok := d.Storage.(stage.Limiter); ok {
		return l.Limits()
	}
	return stage.Limits{}
}

// Get reads an object from memory, or else from the storage below.
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

// List lists the objects in memory and those below.
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

// Delete removes an object from memory; nothing is deleted below.
func (d *DryStorage) Delete(_ context.Context, name string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.kept, name)
	delete(d.sizes, name)
	return nil
}

// Stat describes an object in memory, or else the one below.
func (d *DryStorage) Stat(ctx context.Context, name string) (stage.Object, error) {
	d.mu.Lock()
	size, ok := d.sizes[name]
	d.mu.Unlock()
	if ok {
		return stage.Object{Name: name, Size: size}, nil
	}
	return d.Storage.Stat(ctx, name)
}

// Free returns the free space below less the size of the objects put so far, so that a dry
// run also fails on a storage that is not writable or too small.
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
		return 0, failure.New(failure.Refused, "not enough space: the backup needs %d MiB more than is free", -free>>20)
	}
	return free, nil
}

// room returns an error if the objects put so far would not fit.
func (d *DryStorage) room(ctx context.Context) error {
	_, err := d.Free(ctx)
	return err
}
