package files

import (
	"io"
	"io/fs"
)

// Server is a connection to a file server, used by many goroutines at once.
// Paths are slash-separated. A file or directory that is not there is told by an
// error that is fs.ErrNotExist.
type Server interface {
	// Write makes a file of what r gives, for its owner's eyes only, and returns
	// when it is on disk. An error of r comes back as it is.
	Write(file string, r io.Reader) error
	// Rename gives a file another name, in one step and durably. Another file of
	// that name is replaced.
	Rename(from, to string) error
	// RenameNew is Rename where nothing has the new name; any error where something
	// has, and then it changes nothing. Of calls for one name at once exactly one
	// succeeds: to look first is not enough. errors.ErrUnsupported where the server
	// has no such call.
	RenameNew(from, to string) error
	Open(file string) (File, error)
	Stat(file string) (fs.FileInfo, error)
	// ReadDir lists a directory, not following links.
	ReadDir(dir string) ([]fs.FileInfo, error)
	// MkdirAll makes a directory and those above it, where they are missing.
	MkdirAll(dir string) error
	Remove(file string) error
	// Free tells how many more bytes fit into a directory, -1 for unknown.
	Free(dir string) (int64, error)
	// Lost tells whether an error that another method returned means that the connection is lost.
	Lost(err error) bool
	Close() error
}

// File is an open file.
type File interface {
	io.ReaderAt
	io.Closer
	Stat() (fs.FileInfo, error)
}
