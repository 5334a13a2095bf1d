package sdk_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/lmsvault/vault/plugins/sdk"
)

// shelf keeps objects in memory: an example, and useful for tests.
type shelf struct {
	sdk.UnimplementedStorage
	mu      sync.Mutex // methods are called from many goroutines
	objects map[string][]byte
}

// Put stores a copy, because the caller may reuse data afterwards.
func (s *shelf) Put(ctx context.Context, name string, data []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	s.objects[name] = slices.Clone(data)
	return nil
}

func (s *shelf) Get(ctx context.Context, dst []byte, name string, offset, length int64) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	data, ok := s.objects[name]
	switch {
	case ctx.Err() != nil:
		return dst, ctx.Err()
	case !ok:
		return dst, fmt.Errorf("object %s: %w", name, sdk.ErrNotExist)
	case length < 0:
		length = int64(len(data)) - offset
	}
	if offset < 0 || length < 0 || offset+length > int64(len(data)) {
		return dst, fmt.Errorf("object %s does not have %d bytes from offset %d", name, length, offset)
	}
	return append(dst, data[offset:offset+length]...), nil
}

func (s *shelf) List(ctx context.Context, prefix string, fn func(sdk.Object) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, data := range s.objects {
		if !strings.HasPrefix(name, prefix) {
			continue
		}
		if err := errors.Join(ctx.Err(), fn(sdk.Object{Name: name, Size: int64(len(data))})); err != nil {
			return err
		}
	}
	return ctx.Err()
}

func (s *shelf) Delete(ctx context.Context, name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.objects, name)
	return ctx.Err()
}

func (s *shelf) Stat(ctx context.Context, name string) (sdk.Object, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	data, ok := s.objects[name]
	if !ok {
		return sdk.Object{}, fmt.Errorf("object %s: %w", name, sdk.ErrNotExist)
	}
	return sdk.Object{Name: name, Size: int64(len(data))}, ctx.Err()
}

func (s *shelf) Close(context.Context) error { return nil }

// A storage with all required methods.
func ExampleStorageStage() {
	type none struct{} // it has no settings
	declared := sdk.StorageStage("shelf", "Keeps objects in memory.", "They are lost when the process exits.",
		func(context.Context, *none, sdk.Env) (sdk.Storage, error) {
			return &shelf{objects: map[string][]byte{}}, nil
		})
	// main calls sdk.Main(sdk.Plugin{Name: "shelf", Version: "1.0.0", Stages:
	// []sdk.Stage{declared}})

	ctx := context.Background()
	s, err := declared.NewStorage(ctx, &none{}, sdk.Env{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(s.Put(ctx, "packs/ab12", []byte("hello world")))
	part, err := s.Get(ctx, nil, "packs/ab12", 6, 5)
	fmt.Printf("%s, %v\n", part, err)
	_, err = s.Stat(ctx, "packs/cd34")
	fmt.Println(errors.Is(err, sdk.ErrNotExist))
	// Output:
	// <nil>
	// world, <nil>
	// true
}
