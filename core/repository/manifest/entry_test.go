package manifest

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/lmsvault/vault/core/repository/object"
	"github.com/lmsvault/vault/core/stage"
)

func sampleItems() []Item {
	return []Item{
		{Entry: stage.Entry{Path: "db/log", Kind: stage.Table}, Refs: []object.Ref{{Chunk: object.ID{1}, Offset: 0, Length: 1000, Rows: 10}, {Chunk: object.ID{2}, Offset: 0, Length: 500, Rows: 5}}},
		{Entry: stage.Entry{Path: "dataroot/a\xff", Kind: stage.File, Size: 5, Mode: 0o644, ModTime: time.Unix(-5, 7).UTC(), Fingerprint: "f"},
			Digest: stage.Digest{Bytes: 5, SHA1: "00112233445566778899aabbccddeeff00112233", SHA256: "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"},
			Refs:   []object.Ref{{Chunk: object.ID{2}, Offset: 3, Length: 5, Rows: 0}}},
		{Entry: stage.Entry{Path: "dataroot/l", Kind: stage.Symlink, Target: "../x", Owner: stage.Owner{Known: true, UID: 33, GID: stage.MaxID}}},
		{Entry: stage.Entry{Path: "dataroot/d", Kind: stage.Dir, Mode: 0o2770, ModTime: time.Unix(1, 0).UTC(), Owner: stage.Owner{Known: true}}},
	}
}

func encodeItems(t testing.TB, items []Item) []byte {
	t.Helper()
	var l ListEncoder
	l.Reset()
	for i := range items {
		if err := l.Append(&items[i]); err != nil {
			t.Fatal(err)
		}
	}
	return l.Buf
}

func decodeItems(data []byte) ([]Item, error) {
	var items []Item
	d := NewListDecoder(data)
	for {
		var it Item
		ok, err := d.Next(&it)
		if !ok {
			return items, err
		}
		items = append(items, it)
	}
}

func TestEntryListRoundTrip(t *testing.T) {
	got, err := decodeItems(encodeItems(t, sampleItems()))
	if err != nil || !reflect.DeepEqual(got, sampleItems()) {
		t.Errorf("got %+v, %v", got, err)
	}
}

// Lists that were written before entries had owners can still be read.
func TestEntryListWithoutOwners(t *testing.T) {
	old := "\x01\x13\x0adataroot/d\x00\xf8\x0b\x02\x00\x00\x00\x00\x00"
	want := stage.Entry{Path: "dataroot/d", Kind: stage.Dir, Mode: 0o2770, ModTime: time.Unix(1, 0).UTC()}
	got, err := decodeItems([]byte(old))
	if err != nil || len(got) != 1 || got[0].Entry != want {
		t.Errorf("got %+v, %v", got, err)
	}
}

// The largest ID is invalid, because chown(2) takes it for "no change". A restored file would
// then belong to root.
func TestHostileOwners(t *testing.T) {
	good := encodeItems(t, []Item{{Entry: stage.Entry{Path: "dataroot/d", Kind: stage.Dir, Owner: stage.Owner{Known: true, UID: stage.MaxID, GID: stage.MaxID}}}})
	if _, err := decodeItems(good); err != nil {
		t.Errorf("%x was not decoded: %v", good, err)
	}
	id := []byte("\xfe\xff\xff\xff\x0f")
	for _, bad := range [][]byte{bytes.Replace(good, id, []byte("\xff\xff\xff\xff\x0f"), 1), bytes.Replace(good, id, []byte("\x80\x80\x80\x80\x10"), 1)} {
		if items, err := decodeItems(bad); bytes.Equal(bad, good) || !errors.Is(err, stage.ErrCorrupt) {
			t.Errorf("%x was accepted: %+v, %v", bad, items, err)
		}
	}
	var l ListEncoder
	l.Reset()
	if err := l.Append(&Item{Entry: stage.Entry{Path: "dataroot/d", Kind: stage.Dir, Owner: stage.Owner{Known: true, GID: stage.MaxID + 1}}}); err == nil {
		t.Error("an owner was encoded that can't be decoded")
	}
}

func TestHostilePaths(t *testing.T) {
	for _, path := range []string{"", "/etc/passwd", "../x", "a/../../x", "a//b", "a/", "a\x00b", "."} {
		if items, err := decodeItems(encodeItems(t, []Item{{Entry: stage.Entry{Path: path, Kind: stage.File}}})); err == nil {
			t.Errorf("%q was accepted: %v", path, items)
		}
	}
}

// Items that can be decoded are equal after encoding and decoding them again.
func FuzzEntryList(f *testing.F) {
	f.Add(encodeItems(f, sampleItems()))
	f.Add([]byte{listVersion})
	f.Fuzz(func(t *testing.T, data []byte) {
		items, err := decodeItems(data)
		if err != nil {
			return
		}
		again, err := decodeItems(encodeItems(t, items))
		if err != nil || !reflect.DeepEqual(items, again) {
			t.Errorf("%+v was decoded as %+v, %v", items, again, err)
		}
	})
}

func FuzzSnapshot(f *testing.F) {
	seed, err := json.Marshal(&Snapshot{Format: 1, ID: "id", Tables: []Table{{}}, Units: []Unit{{ID: "u", List: []object.ID{{1}}}}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(seed)
	f.Add([]byte(`{"format":2}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		snap, err := parseSnapshot(data, "snapshots/k/id", "k", "id")
		if err == nil && (snap.ID != "id" || snap.Format != object.Format) {
			t.Errorf("a snapshot with another ID or format was accepted: %+v", snap)
		}
		var d *object.Damage
		if errors.As(err, &d) && d.Object != "snapshots/k/id" {
			t.Errorf("the damaged object is named %q", d.Object)
		}
	})
}
