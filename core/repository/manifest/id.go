package manifest

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"strings"
	"time"
)

// IdTime is how the id of a snapshot begins.
const IdTime = "20060102-150405"

// idRandom is how many digits follow it, after a hyphen.
const idRandom = 8

// NewSnapshotID makes an id of a moment that is later than that of last, an id
// or "": ids sort as the snapshots were made, also when several fall into a
// second or a clock was put back.
func NewSnapshotID(now time.Time, last string) (string, error) {
	var raw [idRandom / 2]byte
	if _, err := rand.Read(raw[:]); err != nil {
		return "", fmt.Errorf("making a snapshot's name: %w", err)
	}
	now = now.UTC().Truncate(time.Second)
	if t, ok := IdMoment(last); ok && !now.After(t) {
		now = t.Add(time.Second)
	}
	return now.Format(IdTime) + "-" + hex.EncodeToString(raw[:]), nil
}

// IdMoment returns the moment that an id names, and whether it is an id at all.
func IdMoment(id string) (time.Time, bool) {
	moment, random, ok := strings.Cut(id[min(len(id), len("20060102-")):], "-")
	if !ok || len(random) != idRandom || strings.Trim(random, "0123456789abcdef") != "" {
		return time.Time{}, false
	}
	moment = id[:len("20060102-")] + moment
	t, err := time.Parse(IdTime, moment)
	return t, err == nil && t.Format(IdTime) == moment
}

// maxAhead is how far a name may be ahead of the clock that reads it. What is
// further was not named by a clock that anybody set right, and is believed only
// with the manifest that goes with it.
const maxAhead = 24 * time.Hour

// snapshotRef is where a snapshot is, known from its name alone: whether there
// is one shows only its manifest.
type Ref struct{ KID, ID string }

// Early reports whether the ID is in the future.
func (r Ref) Early(now time.Time) bool {
	t, _ := IdMoment(r.ID)
	return t.After(now.Add(maxAhead))
}

func (r Ref) String() string { return r.KID + "/" + r.ID }
