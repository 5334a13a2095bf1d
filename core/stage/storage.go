package stage

import (
	"context"
	"errors"
	"fmt"
)

// Storage stores named objects for a repository: in a directory, a bucket. It is all that
// the author of a storage implements. All methods except Close are called from many
// goroutines at once, also for the same object; Close is called once, last.
//
// Names are slash-separated, relative and clean, consist of the characters a–z 0–9 . - _
// and have at most 200 bytes. An object is written once and whole; there is no append.
//
// # Errors
//
// Every error is of one of three kinds, and the caller acts on the kind:
//
//   - ErrNotExist, wrapped: the object certainly does not exist. Vault takes a
//     location without objects for a new repository, so never return it if the
//     server can't be reached.
//   - temporary, made by Temporary: the same call may succeed later. Examples are a
//     lost connection, a timeout, a server that is busy or asks to slow down.
//   - every other error is permanent and ends the run: no permission, no space, wrong
//     settings, a damaged object (wrap ErrCorrupt).
//
// # Retries
//
// A storage does not retry. Vault does, in package core/retry, for all storages alike. It
// repeats a call that returned a temporary error, with back-off, until it succeeds or a few
// minutes have passed. So every call must be repeatable: after an error Put may or may not
// have stored its object, and the next Put replaces it.
//
// When its context ends, a call returns promptly with the context's error.
//
// Creator, Limiter and Capacity are optional interfaces of a Storage.
type Storage interface {
	// Put stores data under name, replacing an existing object. When it returns nil the
	// object is durable. Readers never see a partial object, even after a crash. The caller
	// may reuse data after Put returns.
	Put(ctx context.Context, name string, data []byte) error
	// Get appends length bytes from offset to dst; length -1 means to the end. Fewer bytes
	// than requested are an error. It returns ErrNotExist if there is no such object.
	Get(ctx context.Context, dst []byte, name string, offset, length int64) ([]byte, error)
	// List calls fn for every object whose name begins with prefix, in any order, one call
	// at a time. An error from fn stops it and is returned. Remains of an interrupted Put
	// are not listed. With prefix "" List also calls fn for anything else at the location,
	// whatever its name, so that a directory with other people's files does not look empty.
	List(ctx context.Context, prefix string, fn func(Object) error) error
	// Delete removes an object. It is not an error if the object does not exist.
	Delete(ctx context.Context, name string) error
	// Stat describes an object. It returns ErrNotExist if there is none.
	Stat(ctx context.Context, name string) (Object, error)
	// Close frees connections, files and other resources. Stored objects must not depend on
	// it.
	Close(ctx context.Context) error
}

// Object describes a stored object.
type Object struct {
	Name string
	Size int64 // in bytes
}

// Errors that stages return wrapped; test for them with errors.Is.
var (
	ErrNotExist = errors.New("does not exist")
	ErrExist    = errors.New("already exists")
	ErrKey      = errors.New("wrong passphrase or key")
	ErrCorrupt  = errors.New("damaged")
	ErrOtherKey = errors.New("the key is not that of this pipeline")
	// ErrOtherReaders is an ErrOtherKey for a key that could be opened but admits other
	// readers than the pipeline names.
	ErrOtherReaders = fmt.Errorf("%w: it admits other readers", ErrOtherKey)
)

// Creator is an optional interface of a Storage that can store an object only if it does
// not exist. Processes use it to agree on which was first.
type Creator interface {
	// Create is like Put, but if the object exists it changes nothing and returns ErrExist,
	// wrapped. If Create is called several times at once for one name, also from other
	// processes and machines, exactly one call succeeds; a Stat followed by a Put is not
	// enough. If this location does not support it, Create stores nothing and returns
	// errors.ErrUnsupported, wrapped.
	//
	// Like Put, it may have stored the object when it returns another error. A caller that
	// repeats the call recognizes its own object by the content.
	Create(ctx context.Context, name string, data []byte) error
}

// Limiter is an optional interface of a Storage that has preferences about its use.
type Limiter interface {
	// Limits returns the preferences. It is called once, when the storage is opened, and
	// must not connect.
	Limits() Limits
}

// Limits says how a storage is best used. The zero value has no preferences.
type Limits struct {
	// Connections is the preferred number of concurrent calls; 0 for no preference. A few
	// short calls may exceed it.
	Connections int
}

// Capacity is an optional interface of a Storage that knows in advance whether it can be
// written.
type Capacity interface {
	// Free returns how many more bytes can be stored, or -1 if unknown. It returns an error
	// if nothing can be stored (no permission, read-only). It changes nothing.
	Free(ctx context.Context) (int64, error)
}
