package files

import (
	"io"
	"io/fs"
)

// Server is a connection to a file server. Its methods are called from many goroutines at
// once. Paths are slash-separated. If a file or directory does not exist, the error must
// wrap fs.ErrNotExist.
type Server interface {
	// Write creates a file with the content of r, readable only by its owner, and returns
	// when it is on disk. An error of r is returned unchanged.
	Write(file string, r io.Reader) error
	// Rename renames a file, atomically and durably. An existing file with the new name is
	// replaced.
	Rename(from, to string) error
	// RenameNew is like Rename, but fails without changing anything if the new name exists.
	// Of several concurrent calls with the same new name exactly one succeeds; checking
	// first is not enough. If the server does not support this, it returns
	// errors.ErrUnsupported.
	RenameNew(from, to string) error
	Open(file string) (File, error)
	Stat(file string) (fs.FileInfo, error)
	// ReadDir lists a directory without following symbolic links.
	ReadDir(dir string) ([]fs.FileInfo, error)
	// MkdirAll creates a directory and its missing parents.
	MkdirAll(dir string) error
	Remove(file string) error
	// Free returns how many more bytes fit into a directory, or -1 if unknown.
	Free(dir string) (int64, error)
	// Lost reports whether an error returned by another method means that the connection is
	// lost.
	Lost(err error) bool
	Close() error
}

// File is an open file.
type File interface {
	io.ReaderAt
	io.Closer
	Stat() (fs.FileInfo, error)
}
