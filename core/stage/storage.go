package stage

import (
	"context"
	"errors"
)

// Storage keeps named objects for a repository: a directory, a bucket. It is all
// that the author of a storage writes. All methods but Close are called by many
// goroutines at once, for one object too; Close is called last and once.
//
// Names are slash-separated, relative and clean, of the characters a–z 0–9 . - _,
// 200 at most. An object is written once, whole; there is no appending.
//
// # Errors
//
// Every error is one of three kinds, and the caller acts on it:
//
//   - ErrNotExist, wrapped: the object is certainly not there. Vault takes a place
//     without objects for a new repository, so never return it for a server that
//     can't be reached.
//   - temporary, made by Temporary: the same call may succeed later. A lost
//     connection, a timeout, a server that is busy or asks to slow down.
//   - every other error is permanent, and ends the run: no right, no room, wrong
//     settings, a damaged object (wrap ErrCorrupt).
//
// # Retries
//
// A storage does not retry: Vault does, in package core/retry, for all storages
// alike. It repeats a call that returned a temporary error, with back-off, until
// it succeeds or minutes have passed. So every call must be repeatable: after an
// error a Put may have stored its object or not, and the next Put replaces it.
//
// A context that has ended ends the call, promptly and with the context's error.
//
// What else a storage can do is in the optional interfaces Creator, Limiter and
// Capacity.
type Storage interface {
	// Put stores data under name: durable when it returns nil, and never seen in
	// part, not even after a crash. An object that is there is replaced. data
	// belongs to the caller again when Put returns.
	Put(ctx context.Context, name string, data []byte) error
	// Get appends to dst length bytes from offset; length -1 means to the end.
	// Fewer bytes than asked for are an error. ErrNotExist if there is no such object.
	Get(ctx context.Context, dst []byte, name string, offset, length int64) ([]byte, error)
	// List calls fn for every object whose name begins with prefix, in no order,
	// from one goroutine at a time; an error from fn ends it and is returned. What a
	// crashed Put left is not listed. With prefix "" it is also called for what else
	// stands at the place, by whatever name: what holds other people's files must
	// not pass for empty.
	List(ctx context.Context, prefix string, fn func(Object) error) error
	// Delete removes an object; one that is not there is no error.
	Delete(ctx context.Context, name string) error
	// Stat describes an object, ErrNotExist if there is none.
	Stat(ctx context.Context, name string) (Object, error)
	// Close frees what the storage holds: connections, files. Nothing that was put
	// may depend on it.
	Close(ctx context.Context) error
}

// Object describes an object.
type Object struct {
	Name string
	Size int64 // in bytes
}

// Errors that stages return wrapped; test with errors.Is.
var (
	ErrNotExist = errors.New("does not exist")
	ErrExist    = errors.New("exists already")
	ErrKey      = errors.New("wrong passphrase or key")
	ErrCorrupt  = errors.New("damaged")
	ErrOtherKey = errors.New("a key that is not this pipeline's")
)

// Creator is a Storage that can store an object only where none is: with it
// several processes agree on who was first. It is optional.
type Creator interface {
	// Create is Put, but where there is an object of this name it changes nothing and
	// returns ErrExist, wrapped. Of calls for one name at once, also of other
	// processes and machines, exactly one stores its object. To look first and then
	// to put is not enough. errors.ErrUnsupported, wrapped, where this place can't
	// do it; then nothing is stored.
	//
	// As Put, it may have stored the object when it returns another error. Who calls
	// it again recognizes an object of its own by its content.
	Create(ctx context.Context, name string, data []byte) error
}

// Limiter is a Storage that says how it is best used. It is optional.
type Limiter interface {
	// Limits is asked once, when the storage is opened, and opens nothing.
	Limits() Limits
}

// Limits says how a storage is best used. The zero value has no wishes.
type Limits struct {
	// Connections is how many calls the storage likes to have at once; 0 for no
	// preference. It is a wish: a few short calls may come beside these.
	Connections int
}

// Capacity is a Storage that can tell before anything is written whether it
// can be. It is optional.
type Capacity interface {
	// Free returns how many more bytes can be stored, -1 for unknown, and an
	// error if nothing can be (no right to write, read-only). It changes nothing.
	Free(ctx context.Context) (int64, error)
}
