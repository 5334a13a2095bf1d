package object

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
)

// ID names a chunk: the HMAC-SHA-256 of its plain bytes under the key of its generation.
type ID [sha256.Size]byte

// String gives 64 lower-case hex digits.
func (id ID) String() string { return hex.EncodeToString(id[:]) }

// MarshalText gives String.
func (id ID) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, id[:]), nil }

// UnmarshalText reads what String gives.
func (id *ID) UnmarshalText(text []byte) error {
	if hex.DecodedLen(len(text)) != len(id) {
		return fmt.Errorf("chunk id %q does not have %d digits", text, 2*len(id))
	}
	if _, err := hex.Decode(id[:], text); err != nil {
		return fmt.Errorf("chunk id %q: %w", text, err)
	}
	return nil
}

// NameBytes is the size of the random names of packs, indexes and locks.
const NameBytes = 16

func RandomName() (string, error) {
	var raw [NameBytes]byte
	if _, err := rand.Read(raw[:]); err != nil {
		return "", fmt.Errorf("making a random name: %w", err)
	}
	return hex.EncodeToString(raw[:]), nil
}

// IsName tells whether somebody's text has the form of a random name, or of a
// key's id, which is as long.
func IsName(text string) bool {
	return len(text) == 2*NameBytes && strings.Trim(text, "0123456789abcdef") == ""
}

// Ref is a piece of an entry's content: bytes of a chunk.
type Ref struct {
	Chunk          ID
	Offset, Length uint32
	Rows           uint32 // of a table
}
