package repository_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/lmsvault/vault/core/stage"
)

var errFault = errors.New("the storage has failed")

// memory is an in-memory storage with objects that tests can inspect and change. Its Puts can
// be made to fail.
type memory struct {
	mu      sync.Mutex
	objects map[string][]byte
	puts    int
	fail    int  // the number of the Put that fails; 0 for none
	crash   bool // all later Puts fail too, as if the process had crashed
	free    int64
	denied  error
	flaky   int // every flaky-th call fails temporarily, alternately with and without effect; 0 for none
	calls   int
}

// stumble counts a call, and returns its error and whether it takes effect.
func (m *memory) stumble() (err error, done bool) {
	m.calls++
	if m.flaky == 0 || m.calls%m.flaky > 0 {
		return nil, true
	}
	return stage.Temporary(errFault, 0), m.calls/m.flaky%2 == 0
}

func newMemory() *memory { return &memory{objects: map[string][]byte{}, free: -1} }

func (m *memory) clone() *memory { return &memory{objects: maps.Clone(m.objects), free: -1} }

func (m *memory) Put(ctx context.Context, name string, data []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	m.puts++
	if m.fail > 0 && (m.puts == m.fail || m.crash && m.puts > m.fail) {
		return errFault
	}
	err, done := m.stumble()
	if done {
		m.objects[name] = bytes.Clone(data)
	}
	return err
}

func (m *memory) Get(_ context.Context, dst []byte, name string, offset, length int64) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err, _ := m.stumble(); err != nil {
		return append(dst, "half"...), err
	}
	data, ok := m.objects[name]
	if !ok {
		return dst, fmt.Errorf("%s %w", name, stage.ErrNotExist)
	}
	if length < 0 {
		length = int64(len(data)) - offset
	}
	if offset < 0 || length < 0 || offset+length > int64(len(data)) {
		return dst, fmt.Errorf("%s %w: it has %d bytes", name, stage.ErrCorrupt, len(data))
	}
	return append(dst, data[offset:offset+length]...), nil
}

func (m *memory) List(_ context.Context, prefix string, fn func(stage.Object) error) error {
	m.mu.Lock()
	var found []stage.Object
	for name, data := range m.objects {
		if strings.HasPrefix(name, prefix) {
			found = append(found, stage.Object{Name: name, Size: int64(len(data))})
		}
	}
	failed, _ := m.stumble()
	m.mu.Unlock()
	if failed != nil {
		found = found[:len(found)/2]
	}
	for _, o := range found {
		if err := fn(o); err != nil {
			return err
		}
	}
	return failed
}

func (m *memory) Delete(_ context.Context, name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.crash && m.fail > 0 && m.puts >= m.fail {
		return errFault
	}
	err, done := m.stumble()
	if done {
		delete(m.objects, name)
	}
	return err
}

func (m *memory) Stat(_ context.Context, name string) (stage.Object, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err, _ := m.stumble(); err != nil {
		return stage.Object{}, err
	}
	data, ok := m.objects[name]
	if !ok {
		return stage.Object{}, fmt.Errorf("%s %w", name, stage.ErrNotExist)
	}
	return stage.Object{Name: name, Size: int64(len(data))}, nil
}

func (m *memory) Free(context.Context) (int64, error) { return m.free, m.denied }

func (m *memory) Close(context.Context) error { return nil }

func (m *memory) names(prefix string) []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	var names []string
	for name := range m.objects {
		if strings.HasPrefix(name, prefix) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func (m *memory) bytes() (n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, data := range m.objects {
		n += len(data)
	}
	return n
}
