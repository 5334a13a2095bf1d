package object

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
)

// ID identifies a chunk: the HMAC-SHA-256 of its plaintext under the ID key of its generation.
type ID [sha256.Size]byte

// String returns 64 lower-case hex digits.
func (id ID) String() string { return hex.EncodeToString(id[:]) }

// MarshalText returns the same text as String.
func (id ID) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, id[:]), nil }

// UnmarshalText parses the output of String.
func (id *ID) UnmarshalText(text []byte) error {
	if hex.DecodedLen(len(text)) != len(id) {
		return fmt.Errorf("chunk ID %q: not %d digits", text, 2*len(id))
	}
	if _, err := hex.Decode(id[:], text); err != nil {
		return fmt.Errorf("chunk ID %q: %w", text, err)
	}
	return nil
}

// NameBytes is the size of the random names of packs, indexes and locks.
const NameBytes = 16

// RandomName returns a new random name of 32 hex digits.
func RandomName() (string, error) {
	var raw [NameBytes]byte
	if _, err := rand.Read(raw[:]); err != nil {
		return "", fmt.Errorf("generating a random name: %w", err)
	}
	return hex.EncodeToString(raw[:]), nil
}

// IsName reports whether text has the form of a random name, or of a key's ID, which
// has the same length.
func IsName(text string) bool {
	return len(text) == 2*NameBytes && strings.Trim(text, "0123456789abcdef") == ""
}

// Ref references a piece of an entry's content: a range of bytes in a chunk.
type Ref struct {
	Chunk          ID
	Offset, Length uint32
	Rows           uint32 // only for a table
}
