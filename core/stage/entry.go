package stage

import "time"

// Kind is the type of an entry.
type Kind string

// The kinds of entries.
const (
	Table    Kind = "table"
	File     Kind = "file"
	Dir      Kind = "dir"
	Symlink  Kind = "symlink"
	Document Kind = "document" // metadata written by Vault, such as site/metadata.json
)

// The parts of a site. The first element of an entry's path is its part.
const (
	DB       = "db"       // db/TABLE without the prefix
	Filedir  = "filedir"  // filedir/ab/cd/SHA1
	Dataroot = "dataroot" // dataroot/PATH below the data root
	Site     = "site"     // site/metadata.json …
)

// IsPart reports whether name is a part.
func IsPart(name string) bool {
	return name == DB || name == Filedir || name == Dataroot || name == Site
}

// Entry is a table, file, directory, symlink or document of a site.
type Entry struct {
	// Path identifies the entry in a snapshot: slash-separated, relative and clean, without
	// "." and ".." elements. It has the bytes of the file name, which need not be UTF-8.
	Path    string
	Kind    Kind
	Size    int64     // size of a file in bytes, as seen before reading it
	Mode    uint32    // permission bits including setuid, setgid and sticky as in stat(2), 0o7777
	Owner   Owner     // owner of a file, directory or symlink
	ModTime time.Time // zero if it has none
	Target  string    // target of a symlink, bytes as read
	// Fingerprint identifies a file's content without reading it: if it equals the one in
	// an earlier snapshot, the file is unchanged. "" means unknown.
	Fingerprint string
}

// Digest is the size and checksum of an entry, computed by the source as it reads.
type Digest struct {
	Bytes  int64  // size of a file's content
	SHA1   string // lower-case hex; for files of filedir
	SHA256 string // lower-case hex; for all other files
}

// Unit is a piece of work that a source can read independently: a key range of a table, a
// slice of files. Plan creates units; reads and sinks get them, possibly in another
// process. A unit may be read more than once, and has the same content each time.
type Unit struct {
	// ID is unique in a plan and, as far as the site allows, stable between plans:
	// db/log#0000000000000000, filedir/ab, dataroot/lang.
	ID   string
	Part string // DB, Filedir, Dataroot or Site
	// Table is the name of the unit's table without prefix, for Part DB.
	Table string
	Spec  string // what to read; opaque to all but its source
	Rows  int64  // estimate
	Bytes int64  // estimate of the bytes to be emitted
}
