package stage

import "time"

// Kind says what an entry is.
type Kind string

// The kinds of entries.
const (
	Table    Kind = "table"
	File     Kind = "file"
	Dir      Kind = "dir"
	Symlink  Kind = "symlink"
	Document Kind = "document" // a piece of metadata made by Vault, such as site/metadata.json
)

// The first element of an entry's path: which part of a site it belongs to.
const (
	DB       = "db"       // db/TABLE without the prefix
	Filedir  = "filedir"  // filedir/ab/cd/SHA1
	Dataroot = "dataroot" // dataroot/PATH below the data root
	Site     = "site"     // site/metadata.json …
)

// IsPart tells whether name is that of a part.
func IsPart(name string) bool {
	return name == DB || name == Filedir || name == Dataroot || name == Site
}

// Entry is one thing of a site.
type Entry struct {
	// Path is unique in a snapshot: slash-separated, relative, clean, without
	// "." and ".." elements. Its bytes are those of the file's name and need not be UTF-8.
	Path    string
	Kind    Kind
	Size    int64     // bytes of a file, as seen before reading it
	Mode    uint32    // permission bits with setuid, setgid and sticky as in stat(2), 0o7777
	Owner   Owner     // of a file, directory or symlink
	ModTime time.Time // zero where it has none
	Target  string    // of a symlink, bytes as read
	// Fingerprint is what a source can tell a file's content by without reading
	// it: equal means unchanged since the snapshot that recorded it. "" for unknown.
	Fingerprint string
}

// Digest says what was read of an entry, computed by who read it.
type Digest struct {
	Bytes  int64  // of a file's content
	SHA1   string // lower-case hex; files of filedir
	SHA256 string // lower-case hex; every other file
}

// Unit is what a source can read on its own: a range of a table's keys, a slice
// of files. It is made by Plan and given to reads and sinks, perhaps in another
// process. It may be read again, and has the same content then.
type Unit struct {
	// ID is unique in a plan and the same in the next plan as far as the site allows:
	// db/log#0000000000000000, filedir/ab, dataroot/lang.
	ID   string
	Part string // DB, Filedir, Dataroot or Site
	// Table is the name of the table whose rows it holds (Part DB), without prefix.
	Table string
	Spec  string // what to read, in its source's own words
	Rows  int64  // estimate
	Bytes int64  // estimate of what will be emitted
}
