package repository

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/lmsvault/vault/core/stage"
)

// earlier is what the snapshot before has of one unit: a copy of its lists, and
// where in them each file that is whole stands.
type earlier struct {
	known stage.Known
	items map[string]Item
}

// earlier reads the unit of the snapshot before; nil if there is none. Files of
// which a chunk is missing are left out, and so read again.
func (s *Sink) earlier(ctx context.Context, unit string) (*earlier, error) {
	if s.previous == nil {
		return nil, nil
	}
	i, ok := slices.BinarySearchFunc(s.previous.Units, unit, func(u Unit, id string) int { return strings.Compare(u.ID, id) })
	if !ok || s.previous.Units[i].Part == stage.DB {
		return nil, nil
	}
	chunks := newChunkReader(s.storage, s.chunks.epoch, s.packs)
	e := &earlier{known: stage.Known{}, items: map[string]Item{}}
	err := readList(ctx, chunks, &s.previous.Units[i], func(it *Item) error {
		if it.Kind != stage.File || it.Fingerprint == "" || slices.ContainsFunc(it.Refs, func(r Ref) bool { return !s.packs.has(r.Chunk) }) {
			return nil
		}
		e.known[it.Path] = it.Fingerprint
		e.items[it.Path] = Item{Digest: it.Digest, Refs: slices.Clone(it.Refs)}
		return nil
	}, func(*Damage) error { return nil }) // those files are read again
	if err != nil {
		return nil, fmt.Errorf("reading unit %s of snapshot %s: %w", unit, s.previous.ID, err)
	}
	return e, nil
}

func (e *earlier) item(now stage.Entry) (Item, error) {
	if e == nil || e.known[now.Path] == "" || e.known[now.Path] != now.Fingerprint {
		return Item{}, fmt.Errorf("%s is said to be unchanged, and the snapshot before does not have it with fingerprint %q", now.Path, now.Fingerprint)
	}
	return e.items[now.Path], nil
}
