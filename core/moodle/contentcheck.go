package moodle

import (
	"bytes"
	"cmp"
	"context"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/lmsvault/vault/core/rows"
	"github.com/lmsvault/vault/core/schema"
)

// ContentCheck finds the contents that the table files refers to and no source delivered.
// It keeps hashes in 256 files, so that memory holds one 256th of them at a time. It
// is safe for concurrent use until Missing is called.
type ContentCheck struct {
	dir     string
	buckets [256]bucket // by the first byte of the hash
	odd     bucket      // values that are not content hashes, one per line
	wanted  atomic.Bool // a non-empty content was referred to
}

// A record in a bucket is the hash without its first byte, followed by where it was
// seen.
const (
	recordSize = 20
	delivered  = 'd'
	lost       = 'l'
	named      = 'n' // sorts last
)

// NewContentCheck returns a ContentCheck that keeps its files in a new directory below dir.
func NewContentCheck(dir string) (*ContentCheck, error) {
	own, err := os.MkdirTemp(dir, "contents-")
	if err != nil {
		return nil, fmt.Errorf("creating a directory for the check of content hashes: %w", err)
	}
	c := &ContentCheck{dir: own}
	for i := range c.buckets {
		c.buckets[i].file = filepath.Join(own, fmt.Sprintf("%02x", i))
	}
	c.odd.file = filepath.Join(own, "odd")
	return c, nil
}

// Named records the contents that a chunk of rows of table files refers to. It
// ignores chunks of other tables.
func (c *ContentCheck) Named(ctx context.Context, t schema.Table, data []byte) error {
	if t.Name != FilesTable {
		return nil
	}
	column := slices.IndexFunc(t.Columns, func(col schema.Column) bool { return col.Name == ContentHashColumn })
	if column < 0 {
		return fmt.Errorf("table %s has no column %s; it is not a Moodle table", t.Name, ContentHashColumn)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	for {
		row, rest, ok, err := rows.Next(data)
		if !ok {
			return err
		}
		data = rest
		cell, ok := nth(row, column)
		if !ok {
			return fmt.Errorf("a row of table %s has fewer than %d columns", t.Name, column+1)
		}
		if rows.IsNull(cell) {
			continue
		}
		if err := c.name(cell); err != nil {
			return err
		}
	}
}

// Wanted reports whether the table refers to any content that must be in the file
// pool.
func (c *ContentCheck) Wanted() bool { return c.wanted.Load() }

func (c *ContentCheck) name(cell []byte) error {
	if string(cell) != EmptyContent {
		c.wanted.Store(true)
	}
	var hash [20]byte
	if !decode(&hash, cell) {
		return c.odd.add(cell, []byte{'\n'})
	}
	return c.buckets[hash[0]].add(hash[1:], []byte{named})
}

// Delivered records that a content was read into the backup.
func (c *ContentCheck) Delivered(hash string) error { return c.record(hash, delivered) }

// Lost records that a content exists but could not be read. It is already counted as
// a loss, so Missing does not report it.
func (c *ContentCheck) Lost(hash string) error { return c.record(hash, lost) }

func (c *ContentCheck) record(hash string, what byte) error {
	var raw [20]byte
	if !decode(&raw, []byte(hash)) {
		return fmt.Errorf("%q is not a content hash", hash)
	}
	return c.buckets[raw[0]].add(raw[1:], []byte{what})
}

// Missing calls fn once for every hash that was referred to but neither delivered nor
// lost, in order; values that are not hashes come last. It returns the number of
// delivered contents that no row refers to. It stops at the first error of fn.
func (c *ContentCheck) Missing(ctx context.Context, fn func(hash string) error) (orphans int64, err error) {
	for bucket := range c.buckets {
		if err := ctx.Err(); err != nil {
			return orphans, err
		}
		data, err := c.buckets[bucket].take()
		if err != nil {
			return orphans, err
		}
		records := make([][recordSize]byte, len(data)/recordSize)
		for i := range records {
			copy(records[i][:], data[i*recordSize:])
		}
		slices.SortFunc(records, func(a, b [recordSize]byte) int { return bytes.Compare(a[:], b[:]) })
		for len(records) > 0 {
			group := 1
			for group < len(records) && bytes.Equal(records[group][:recordSize-1], records[0][:recordSize-1]) {
				group++
			}
			first, last := records[0][recordSize-1], records[group-1][recordSize-1]
			hash := fmt.Sprintf("%02x%x", bucket, records[0][:recordSize-1])
			records = records[group:]
			switch {
			case last != named && first == delivered:
				orphans++
			case first == named && hash != EmptyContent:
				if err := fn(hash); err != nil {
					return orphans, err
				}
			}
		}
	}
	return orphans, c.missingOdd(fn)
}

// missingOdd holds all odd values in memory: a site has a handful at most.
func (c *ContentCheck) missingOdd(fn func(hash string) error) error {
	data, err := c.odd.take()
	if err != nil || len(data) == 0 {
		return err
	}
	values := strings.Split(strings.TrimSuffix(string(data), "\n"), "\n")
	slices.SortFunc(values, cmp.Compare[string])
	for _, v := range slices.Compact(values) {
		if err := fn(v); err != nil {
			return err
		}
	}
	return nil
}

// Close removes the files.
func (c *ContentCheck) Close() error { return os.RemoveAll(c.dir) }

func decode(hash *[20]byte, text []byte) bool {
	for _, b := range text {
		if 'A' <= b && b <= 'F' { // another spelling is another name to Moodle
			return false
		}
	}
	n, err := hex.Decode(hash[:], text[:min(len(text), 40)])
	return err == nil && n == 20 && len(text) == 40
}

// nth returns a cell of a row, still escaped.
func nth(row []byte, n int) ([]byte, bool) {
	for ; ; n-- {
		cell, rest, more := bytes.Cut(row, []byte{'\t'})
		if n == 0 {
			return cell, true
		}
		if !more {
			return nil, false
		}
		row = rest
	}
}
