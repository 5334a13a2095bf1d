package manifest

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"strings"
	"time"
)

// IdTime is the layout of the time at the beginning of a snapshot ID.
const IdTime = "20060102-150405"

// idRandom is the number of random digits after it and a hyphen.
const idRandom = 8

// NewSnapshotID returns a new ID whose time is later than that of the ID last, which may
// be "". IDs thus sort in the order in which snapshots were made, even if several are
// made within a second or a clock was set back.
func NewSnapshotID(now time.Time, last string) (string, error) {
	var raw [idRandom / 2]byte
	if _, err := rand.Read(raw[:]); err != nil {
		return "", fmt.Errorf("generating a snapshot ID: %w", err)
	}
	now = now.UTC().Truncate(time.Second)
	if t, ok := IdMoment(last); ok && !now.After(t) {
		now = t.Add(time.Second)
	}
	return now.Format(IdTime) + "-" + hex.EncodeToString(raw[:]), nil
}

// IdMoment returns the time of a snapshot ID, and whether id is valid.
func IdMoment(id string) (time.Time, bool) {
	moment, random, ok := strings.Cut(id[min(len(id), len("20060102-")):], "-")
	if !ok || len(random) != idRandom || strings.Trim(random, "0123456789abcdef") != "" {
		return time.Time{}, false
	}
	moment = id[:len("20060102-")] + moment
	t, err := time.Parse(IdTime, moment)
	return t, err == nil && t.Format(IdTime) == moment
}

// maxAhead is how far an ID may be ahead of the reader's clock. An ID further ahead was
// not made by a correct clock, and counts only if its manifest can be read.
const maxAhead = 24 * time.Hour

// Ref identifies a snapshot by the name of its object. Only the manifest proves that
// the snapshot exists.
type Ref struct{ KID, ID string }

// Early reports whether the ID is more than maxAhead in the future.
func (r Ref) Early(now time.Time) bool {
	t, _ := IdMoment(r.ID)
	return t.After(now.Add(maxAhead))
}

// String returns KID/ID.
func (r Ref) String() string { return r.KID + "/" + r.ID }
