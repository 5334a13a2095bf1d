package dataroot

import (
	"fmt"
	"hash/fnv"
	"net/url"
	"strconv"
	"strings"

	"github.com/lmsvault/vault/core/stage"
)

// scope is the part of a directory that a unit covers.
type scope struct {
	path   string // path of the directory below the data root, "" for the root
	what   string // whole, flat or folders
	bucket uint32 // of folders

	// after and last bound the names of a flat unit: those greater than after, up to
	// last; "" is unbounded.
	after, last string
}

// Kinds of scopes.
const (
	whole   = "whole"   // the directory and everything below it
	flat    = "flat"    // the directory and a range of its entries by name, without subdirectories
	folders = "folders" // the complete subdirectories whose names fall into the bucket
)

// buckets is the number of units into which the subdirectories of one directory are
// divided.
const buckets = 64

func bucketOf(name string) uint32 { return hashOf(name) % buckets }

func hashOf(name string) uint32 {
	h := fnv.New32a()
	h.Write([]byte(name)) // never fails
	return h.Sum32()
}

// flatLimit is the maximum number of files of one directory in a unit, because
// targets keep per-file data of a unit in memory.
const flatLimit = 20_000

// ends reports whether a flat unit of n files ends with the file name. The decision
// depends on names where possible, so that a new file moves at most one border.
func ends(name string, n int64, limit int) bool {
	return n >= int64(limit) || n >= int64(limit/2) && hashOf(name)%uint32(limit/8) == 0
}

// unit returns the unit of a scope. Names may contain any bytes; IDs and specs are
// ASCII.
func (s scope) unit(n, bytes int64) stage.Unit {
	id := []string{stage.Dataroot}
	if s.path != "" {
		for name := range strings.SplitSeq(s.path, "/") {
			id = append(id, url.PathEscape(name))
		}
	}
	switch s.what {
	case flat:
		if s.after == "" {
			id = append(id, ".")
		} else {
			id = append(id, "#."+url.PathEscape(s.after))
		}
	case folders:
		id = append(id, fmt.Sprintf("#%02x", s.bucket))
	}
	return stage.Unit{
		ID:    strings.Join(id, "/"),
		Part:  stage.Dataroot,
		Spec:  fmt.Sprintf("%s %d %s %s %s", s.what, s.bucket, strconv.QuoteToASCII(s.path), strconv.QuoteToASCII(s.after), strconv.QuoteToASCII(s.last)),
		Rows:  n,
		Bytes: bytes,
	}
}

func parseScope(spec string) (s scope, err error) {
	if _, err = fmt.Sscanf(spec, "%s %d %q %q %q", &s.what, &s.bucket, &s.path, &s.after, &s.last); err != nil {
		return s, fmt.Errorf("unit spec %q does not belong to this source: %w", spec, err)
	}
	return s, nil
}
