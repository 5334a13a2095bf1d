package stage

import (
	"context"
	"errors"
)

// Storage keeps named objects for a repository: a directory, a bucket. It is
// all that the author of a storage writes, and safe for concurrent use.
//
// Names are slash-separated, relative and clean, of the characters a–z 0–9 . - _,
// 200 at most. An object is written once, whole; there is no appending.
type Storage interface {
	// Put stores data under name: durable when it returns nil, and never seen in
	// part, not even after a crash. An object that is there is replaced. data
	// belongs to the caller again when Put returns.
	Put(ctx context.Context, name string, data []byte) error
	// Get appends to dst length bytes from offset; length -1 means to the end.
	// Fewer bytes than asked for are an error. ErrNotExist if there is no such object.
	Get(ctx context.Context, dst []byte, name string, offset, length int64) ([]byte, error)
	// List calls fn for every object whose name begins with prefix, in no
	// order; an error from fn ends it. What a crashed Put left is not listed. With
	// prefix "" it is also called for what else stands at the place, by whatever
	// name: what holds other people's files must not pass for empty.
	List(ctx context.Context, prefix string, fn func(Object) error) error
	// Delete removes an object; one that is not there is no error.
	Delete(ctx context.Context, name string) error
	// Stat describes an object, ErrNotExist if there is none.
	Stat(ctx context.Context, name string) (Object, error)
	Close(ctx context.Context) error
}

// Object is what List and Stat tell.
type Object struct {
	Name string
	Size int64
}

// Errors that stages return wrapped; test with errors.Is.
var (
	ErrNotExist = errors.New("does not exist")
	ErrKey      = errors.New("wrong passphrase or key")
	ErrCorrupt  = errors.New("damaged")
	ErrOtherKey = errors.New("a key that is not this pipeline's")
)

// Capacity is a Storage that can tell before anything is written whether it
// can be. It is optional.
type Capacity interface {
	// Free returns how many more bytes can be stored, -1 for unknown, and an
	// error if nothing can be (no right to write, read-only). It changes nothing.
	Free(ctx context.Context) (int64, error)
}
