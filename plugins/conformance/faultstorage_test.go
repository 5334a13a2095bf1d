package conformance

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lmsvault/vault/core/stage"
)

// plugged counts how often the process of a stage was killed. An instance opened before the
// last kill only returns errors.
type plugged struct {
	mu    sync.Mutex
	lives int
}

var errGone = errors.New("gone")

func (p *plugged) Kill() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lives++
	return nil
}

func (p *plugged) life() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.lives
}

// memory is a correct storage, except for the named fault.
type memory struct {
	*plugged
	born    int
	disk    *disk
	pending map[string][]byte // stored on Close
	buffer  []byte
}

// disk is what survives a crash.
type disk struct {
	mu      sync.Mutex
	objects map[string][]byte
	fault   string
}

func (m *memory) alive(ctx context.Context) error {
	if m.life() != m.born {
		return errGone
	}
	if m.disk.fault == "ignores the context" {
		return nil
	}
	return ctx.Err()
}

func (m *memory) set(name string, data []byte) {
	m.disk.mu.Lock()
	defer m.disk.mu.Unlock()
	m.disk.objects[name] = data
}

func (m *memory) get(name string) ([]byte, bool) {
	m.disk.mu.Lock()
	defer m.disk.mu.Unlock()
	data, ok := m.disk.objects[name]
	return data, ok
}

func (m *memory) name(name string) string {
	if m.disk.fault == "cuts names" {
		return name[:min(len(name), 100)]
	}
	return name
}

func (m *memory) Put(ctx context.Context, name string, data []byte) error {
	if err := m.alive(ctx); err != nil {
		return err
	}
	name = m.name(name)
	fault := m.disk.fault
	_, there := m.get(name)
	switch {
	case fault == "keeps the caller's bytes":
		m.set(name, data)
		return nil
	case fault == "panics":
		panic("out of luck")
	case fault == "does not replace" && there:
		return nil
	case fault == "loses the tail" && len(data) > 1:
		data = data[:len(data)-1]
	case fault == "loses large content":
		data = data[:min(len(data), 1<<20)]
	case fault == "stores when closed":
		m.pending[name] = bytes.Clone(data)
		return nil
	case fault == "puts in parts":
		m.set(name, bytes.Clone(data[:len(data)/2]))
		<-time.After(time.Millisecond) // let others see it
	}
	const frame = 4 << 10
	stored := make([]byte, 0, len(data))
	for at := 0; at < len(data); at += frame {
		if err := m.alive(ctx); err != nil {
			return err
		}
		if fault == "stores partial data" {
			m.set(name, stored)
			if at%(256<<10) == 0 {
				<-time.After(time.Millisecond) // like a slow line
			}
		}
		stored = append(stored, data[at:min(at+frame, len(data))]...)
	}
	m.set(name, stored)
	return nil
}

func (m *memory) Create(ctx context.Context, name string, data []byte) error {
	if err := m.alive(ctx); err != nil {
		return err
	}
	_, there := m.get(name)
	switch {
	case m.disk.fault == "overwrites on create":
		m.set(name, bytes.Clone(data))
		return nil
	case m.disk.fault == "wrong error for an existing object" && there:
		return errors.New("failure")
	case m.disk.fault == "temporary error for an existing object" && there:
		return stage.Temporary(stage.ErrExist, 0)
	case m.disk.fault == "checks before it creates" && !there:
		<-time.After(time.Millisecond) // let others look too
		m.set(name, bytes.Clone(data))
		return nil
	}
	m.disk.mu.Lock()
	defer m.disk.mu.Unlock()
	if _, there := m.disk.objects[name]; there {
		return stage.ErrExist
	}
	m.disk.objects[name] = bytes.Clone(data)
	return nil
}

func (m *memory) Limits() stage.Limits {
	if m.disk.fault == "prefers a negative number of calls" {
		return stage.Limits{Connections: -1}
	}
	return stage.Limits{Connections: 4}
}

func (m *memory) Get(ctx context.Context, dst []byte, name string, offset, length int64) ([]byte, error) {
	if err := m.alive(ctx); err != nil {
		return dst, err
	}
	data, ok := m.get(m.name(name))
	if !ok {
		data, ok = m.pending[name]
	}
	if !ok && m.disk.fault == "wrong error for a missing object" {
		return dst, errors.New("no such object")
	}
	if !ok {
		return dst, stage.ErrNotExist
	}
	end := offset + length
	if length < 0 {
		end = int64(len(data))
	}
	if m.disk.fault == "reads less silently" {
		end = min(end, int64(len(data)))
		offset = min(offset, end)
	}
	if offset > end || end > int64(len(data)) {
		return dst, errors.New("out of range")
	}
	switch {
	case m.disk.fault == "ignores the offset":
		offset, end = 0, end-offset
	case m.disk.fault == "returns its own buffer" && dst == nil:
		m.buffer = append(m.buffer[:0], data[offset:end]...)
		return m.buffer, nil
	}
	return append(dst, data[offset:end]...), nil
}

func (m *memory) List(ctx context.Context, prefix string, fn func(stage.Object) error) error {
	if err := m.alive(ctx); err != nil {
		return err
	}
	m.disk.mu.Lock()
	all := maps.Clone(m.disk.objects)
	m.disk.mu.Unlock()
	var errs []error
	for i, name := range slices.Sorted(maps.Keys(all)) {
		folder := prefix == "" || strings.HasSuffix(prefix, "/") || name == prefix || strings.HasPrefix(name, prefix+"/")
		switch {
		case !strings.HasPrefix(name, prefix) && m.disk.fault != "ignores the prefix",
			!folder && m.disk.fault == "treats a prefix as a directory":
			continue
		case i == 1000 && m.disk.fault == "lists one page":
			return nil
		}
		if err := fn(stage.Object{Name: name, Size: int64(len(all[name]))}); err != nil {
			if errs = append(errs, err); m.disk.fault != "goes on after an error" {
				return err
			}
		}
	}
	return errors.Join(errs...)
}

func (m *memory) Delete(ctx context.Context, name string) error {
	if err := m.alive(ctx); err != nil {
		return err
	}
	m.disk.mu.Lock()
	defer m.disk.mu.Unlock()
	maps.DeleteFunc(m.disk.objects, func(other string, _ []byte) bool {
		return other == name || m.disk.fault == "deletes a prefix" && strings.HasPrefix(other, name)
	})
	return nil
}

func (m *memory) Stat(ctx context.Context, name string) (stage.Object, error) {
	if err := m.alive(ctx); err != nil {
		return stage.Object{}, err
	}
	data, ok := m.get(m.name(name))
	if !ok && m.disk.fault == "wrong error for a missing object" {
		return stage.Object{}, errors.New("no such object")
	}
	if !ok && m.disk.fault == "temporary error for a missing object" {
		return stage.Object{}, stage.Temporary(stage.ErrNotExist, 0)
	}
	if !ok {
		return stage.Object{}, stage.ErrNotExist
	}
	return stage.Object{Name: name, Size: int64(len(data))}, nil
}

func (m *memory) Close(context.Context) error {
	if m.life() != m.born {
		return errGone
	}
	if m.disk.fault == "leaves a goroutine" {
		go func() { select {} }()
	}
	for name, data := range m.pending {
		m.set(name, data)
	}
	return nil
}

func storageSuite(fault string) []Check {
	process := &plugged{}
	var last *disk
	reopen := func(testing.TB) stage.Storage {
		return &memory{plugged: process, born: process.life(), disk: last, pending: map[string][]byte{}}
	}
	return StorageChecks(StorageFixture{
		Open: func(t testing.TB) stage.Storage {
			last = &disk{objects: map[string][]byte{}, fault: fault}
			return reopen(t)
		},
		Reopen:  reopen,
		Process: process,
		effort:  little,
	})
}

// A shared location with other objects is left unchanged, whatever a check finds.
func TestSharedLocationIsLeftUnchanged(t *testing.T) {
	for _, fault := range []string{"", "reads less silently", "ignores the context"} {
		shared := &disk{objects: map[string][]byte{"data/mine": []byte("mine")}, fault: fault}
		process := &plugged{}
		failed := Run(t.Context(), StorageChecks(StorageFixture{
			Open: func(testing.TB) stage.Storage {
				return &memory{plugged: process, born: process.life(), disk: shared, pending: map[string][]byte{}}
			},
			Shared: true, Process: process, effort: little,
		}), func(r Result) {
			if len(r.Failures) > 0 && fault == "" {
				t.Errorf("%s: %q", r.Check.ID, r.Failures)
			}
		})
		if (failed == 0) != (fault == "") {
			t.Errorf("fault %q: %d checks fail", fault, failed)
		}
		if len(shared.objects) != 1 || string(shared.objects["data/mine"]) != "mine" {
			t.Errorf("fault %q: %d objects remain", fault, len(shared.objects))
		}
	}
}
