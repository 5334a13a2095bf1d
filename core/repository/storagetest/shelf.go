package storagetest

import (
	"context"
	"strings"
	"sync"

	"github.com/lmsvault/vault/core/stage"
)

// Shelf is an in-memory storage that reports each Put on a channel.
type Shelf struct {
	Mu      sync.Mutex
	Objects map[string][]byte
	Puts    chan string
	Broken  error
}

// NewShelf returns an empty Shelf.
func NewShelf() *Shelf { return &Shelf{Objects: map[string][]byte{}, Puts: make(chan string, 100)} }

// Put implements stage.Storage.
func (s *Shelf) Put(_ context.Context, name string, data []byte) error {
	s.Mu.Lock()
	defer s.Mu.Unlock()
	if s.Broken != nil {
		return s.Broken
	}
	s.Objects[name] = append([]byte(nil), data...)
	select {
	case s.Puts <- name:
	default:
	}
	return nil
}

// Get implements stage.Storage.
func (s *Shelf) Get(_ context.Context, dst []byte, name string, _, _ int64) ([]byte, error) {
	s.Mu.Lock()
	defer s.Mu.Unlock()
	data, ok := s.Objects[name]
	if !ok {
		return dst, stage.ErrNotExist
	}
	return append(dst, data...), nil
}

// List implements stage.Storage.
func (s *Shelf) List(_ context.Context, prefix string, fn func(stage.Object) error) error {
	s.Mu.Lock()
	var names []string
	for name := range s.Objects {
		if strings.HasPrefix(name, prefix) {
			names = append(names, name)
		}
	}
	s.Mu.Unlock()
	for _, name := range names {
		if err := fn(stage.Object{Name: name}); err != nil {
			return err
		}
	}
	return nil
}

// Delete implements stage.Storage.
func (s *Shelf) Delete(_ context.Context, name string) error {
	s.Mu.Lock()
	defer s.Mu.Unlock()
	delete(s.Objects, name)
	return nil
}

// Stat implements stage.Storage.
func (s *Shelf) Stat(_ context.Context, name string) (stage.Object, error) {
	s.Mu.Lock()
	defer s.Mu.Unlock()
	if _, ok := s.Objects[name]; !ok {
		return stage.Object{}, stage.ErrNotExist
	}
	return stage.Object{Name: name}, nil
}

// Close implements stage.Storage.
func (s *Shelf) Close(context.Context) error { return nil }
