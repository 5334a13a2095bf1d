package rows

import (
	"encoding/hex"
	"fmt"
	"math/bits"

	"github.com/zeebo/xxh3"
)

// Sum is a checksum of a multiset of rows: their number and the sum modulo 2^128 of
// the XXH3-128 hashes (seed 0) of the rows' bytes without newlines. The order of rows
// does not matter, duplicates count, and the sums of parts add up. The zero value is
// the sum of no rows.
//
// Sum detects mistakes, not forgery: the repository authenticates stored data. It is
// not safe for concurrent use.
type Sum struct {
	Rows   int64
	Hi, Lo uint64
}

// Add counts one row, given without its newline.
func (s *Sum) Add(row []byte) {
	h := xxh3.Hash128(row)
	s.add(1, h.Hi, h.Lo)
}

// AddChunk counts the rows of a chunk.
func (s *Sum) AddChunk(data []byte) error {
	for {
		row, rest, ok, err := Next(data)
		if !ok {
			return err
		}
		s.Add(row)
		data = rest
	}
}

// Merge adds the sum of other rows.
func (s *Sum) Merge(o Sum) { s.add(o.Rows, o.Hi, o.Lo) }

// Remove removes one row that was counted before.
func (s *Sum) Remove(row []byte) {
	h := xxh3.Hash128(row)
	var borrow uint64
	s.Lo, borrow = bits.Sub64(s.Lo, h.Lo, 0)
	s.Hi, _ = bits.Sub64(s.Hi, h.Hi, borrow)
	s.Rows--
}

func (s *Sum) add(rows int64, hi, lo uint64) {
	var carry uint64
	s.Lo, carry = bits.Add64(s.Lo, lo, 0)
	s.Hi, _ = bits.Add64(s.Hi, hi, carry)
	s.Rows += rows
}

// String returns "ROWS:HEX" with 32 hex digits, high half first.
func (s Sum) String() string { return fmt.Sprintf("%d:%016x%016x", s.Rows, s.Hi, s.Lo) }

// MarshalText returns the text of String.
func (s Sum) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText parses the output of String.
func (s *Sum) UnmarshalText(text []byte) error {
	var r int64
	var digits string
	if _, err := fmt.Sscanf(string(text), "%d:%s", &r, &digits); err != nil || r < 0 || len(digits) != 32 {
		return fmt.Errorf("proof %q is not ROWS:HEX with 32 digits", text)
	}
	var raw [16]byte
	if _, err := hex.Decode(raw[:], []byte(digits)); err != nil {
		return fmt.Errorf("proof %q: %w", text, err)
	}
	*s = Sum{Rows: r}
	for i := range 8 {
		s.Hi = s.Hi<<8 | uint64(raw[i])
		s.Lo = s.Lo<<8 | uint64(raw[8+i])
	}
	return nil
}
