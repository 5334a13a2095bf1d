package repository

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/lmsvault/vault/core/repository/manifest"
	"github.com/lmsvault/vault/core/repository/object"
	"github.com/lmsvault/vault/core/repository/pack"
	"github.com/lmsvault/vault/core/stage"
)

// earlier holds the entry lists of a unit in the previous snapshot, as they are stored,
// and the position in them of each complete file. It uses about 260 bytes of memory for
// each file.
type earlier struct {
	baseline stage.Baseline // its strings are substrings of the lists
	lists    []earlierList
	at       map[string]listed
}

// earlierList is a chunk of an entry list, and the chunk IDs in it by number.
type earlierList struct {
	text string
	ids  []object.ID
}

// listed is the position of a file in one of the lists, in bytes.
type listed struct{ list, start, end uint32 }

// readEarlier reads a unit of the previous snapshot. It returns nil if there is none. Files
// with a missing chunk are omitted, so the source reads them again.
func (s *Sink) readEarlier(ctx context.Context, unit string) (*earlier, error) {
	if s.previous == nil {
		return nil, nil
	}
	i, ok := slices.BinarySearchFunc(s.previous.Units, unit, func(u manifest.Unit, id string) int { return strings.Compare(u.ID, id) })
	if !ok || s.previous.Units[i].Part == stage.DB {
		return nil, nil
	}
	chunks := pack.NewChunkReader(s.storage, s.chunks.Generation, s.packs)
	e := &earlier{baseline: stage.Baseline{}, at: map[string]listed{}}
	var buf []byte
	for _, id := range s.previous.Units[i].List {
		data, err := chunks.Read(ctx, buf[:0], id)
		if _, lost := object.AsDamage(err); lost {
			continue // the source reads these files again
		}
		if err != nil {
			return nil, fmt.Errorf("reading unit %s of snapshot %s: %w", unit, s.previous.ID, err)
		}
		buf = data
		e.add(data, s.packs.Has)
	}
	return e, nil
}

// add adds the files of a list whose chunks all exist. It stops at the first damaged entry.
func (e *earlier) add(data []byte, there func(object.ID) bool) {
	n, text := uint32(len(e.lists)), string(data)
	d := manifest.NewListDecoder(data)
	var it manifest.Item
	for {
		start := len(data) - len(d.Fields.Rest)
		ok, err := d.Next(&it)
		if !ok || err != nil {
			break
		}
		if it.Kind != stage.File || it.Fingerprint == "" || slices.ContainsFunc(it.Refs, func(r object.Ref) bool { return !there(r.Chunk) }) {
			continue
		}
		end := len(data) - len(d.Fields.Rest)
		path := within(text[start:end], it.Path)
		e.baseline[path] = within(text[start:end], it.Fingerprint)
		e.at[path] = listed{n, uint32(start), uint32(end)}
	}
	e.lists = append(e.lists, earlierList{text, slices.Clip(d.Known)})
}

// within returns the substring of text that equals s, so that s itself can be freed.
func within(text, s string) string {
	i := strings.Index(text, s)
	if i < 0 {
		return s
	}
	return text[i : i+len(s)]
}

func (e *earlier) item(now stage.Entry) (it manifest.Item, err error) {
	if e == nil || e.baseline[now.Path] == "" || e.baseline[now.Path] != now.Fingerprint {
		return it, fmt.Errorf("%s is said to be unchanged, and the snapshot before does not have it with fingerprint %q", now.Path, now.Fingerprint)
	}
	at := e.at[now.Path]
	list := e.lists[at.list]
	d := manifest.ListDecoder{Fields: object.FieldReader{Rest: []byte(list.text[at.start:at.end])}, Known: list.ids}
	_, err = d.Next(&it)
	return it, err
}
