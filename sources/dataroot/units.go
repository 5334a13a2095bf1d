package dataroot

import (
	"fmt"
	"hash/fnv"
	"net/url"
	"strconv"
	"strings"

	"github.com/lmsvault/vault/core/stage"
)

// scope is what a unit covers of one directory.
type scope struct {
	path   string // of the directory below the data root, "" for the root
	what   string // whole, flat or folders
	bucket uint32 // of folders

	// after and last bound the names of flat: those greater than after, up to
	// last; "" is no bound.
	after, last string
}

// What a unit can cover.
const (
	whole   = "whole"   // the directory and all below it
	flat    = "flat"    // the directory and what is in it by names, without the directories in it
	folders = "folders" // those directories in it, whole, whose names fall in the bucket
)

// buckets is among how many units the directories in one are divided.
const buckets = 64

func bucketOf(name string) uint32 { return hashOf(name) % buckets }

func hashOf(name string) uint32 {
	h := fnv.New32a()
	h.Write([]byte(name)) // never fails
	return h.Sum32()
}

// flatLimit is how many files of one directory a unit has at most: a target
// keeps in memory what it knows of a unit's files.
const flatLimit = 20_000

// ends tells whether a flat unit of n files ends with the file of this name.
// Names decide where they can, so that a new file moves no more than one end.
func ends(name string, n int64, limit int) bool {
	return n >= int64(limit) || n >= int64(limit/2) && hashOf(name)%uint32(limit/8) == 0
}

// unit gives a scope its unit. Names may hold any bytes, ids and specs are ASCII.
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
		return s, fmt.Errorf("unit spec %q is not one of this source: %w", spec, err)
	}
	return s, nil
}
