package repository

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/lmsvault/vault/core/stage"
)

func sampleBlobs() []blob {
	return []blob{{contentBlob, ID{1}, 100, 200}, {listBlob, ID{2}, 7, 3}}
}

func sampleItems() []Item {
	return []Item{
		{Entry: stage.Entry{Path: "db/log", Kind: stage.Table}, Refs: []Ref{{ID{1}, 0, 1000, 10}, {ID{2}, 0, 500, 5}}},
		{Entry: stage.Entry{Path: "dataroot/a\xff", Kind: stage.File, Size: 5, Mode: 0o644, ModTime: time.Unix(-5, 7).UTC(), Fingerprint: "f"},
			Digest: stage.Digest{Bytes: 5, SHA1: "00112233445566778899aabbccddeeff00112233", SHA256: "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"},
			Refs:   []Ref{{ID{2}, 3, 5, 0}}},
		{Entry: stage.Entry{Path: "dataroot/l", Kind: stage.Symlink, Target: "../x", Owner: stage.Owner{Known: true, UID: 33, GID: stage.MaxID}}},
		{Entry: stage.Entry{Path: "dataroot/d", Kind: stage.Dir, Mode: 0o2770, ModTime: time.Unix(1, 0).UTC(), Owner: stage.Owner{Known: true}}},
	}
}

func encodeItems(t testing.TB, items []Item) []byte {
	t.Helper()
	var l listEncoder
	l.reset()
	for i := range items {
		if err := l.append(&items[i]); err != nil {
			t.Fatal(err)
		}
	}
	return l.buf
}

func decodeItems(data []byte) ([]Item, error) {
	var items []Item
	d := newListDecoder(data)
	for {
		var it Item
		ok, err := d.next(&it)
		if !ok {
			return items, err
		}
		items = append(items, it)
	}
}

func TestEntryListComesBack(t *testing.T) {
	got, err := decodeItems(encodeItems(t, sampleItems()))
	if err != nil || !reflect.DeepEqual(got, sampleItems()) {
		t.Errorf("got %+v, %v", got, err)
	}
}

// A list as it was written before entries had owners.
func TestEntryListWithoutOwners(t *testing.T) {
	old := "\x01\x13\x0adataroot/d\x00\xf8\x0b\x02\x00\x00\x00\x00\x00"
	want := stage.Entry{Path: "dataroot/d", Kind: stage.Dir, Mode: 0o2770, ModTime: time.Unix(1, 0).UTC()}
	got, err := decodeItems([]byte(old))
	if err != nil || len(got) != 1 || got[0].Entry != want {
		t.Errorf("got %+v, %v", got, err)
	}
}

// chown(2) takes the largest number for "as it is": for root, in a restore.
func TestHostileOwners(t *testing.T) {
	good := encodeItems(t, []Item{{Entry: stage.Entry{Path: "dataroot/d", Kind: stage.Dir, Owner: stage.Owner{Known: true, UID: stage.MaxID, GID: stage.MaxID}}}})
	if _, err := decodeItems(good); err != nil {
		t.Errorf("%x is not read: %v", good, err)
	}
	id := []byte("\xfe\xff\xff\xff\x0f")
	for _, bad := range [][]byte{bytes.Replace(good, id, []byte("\xff\xff\xff\xff\x0f"), 1), bytes.Replace(good, id, []byte("\x80\x80\x80\x80\x10"), 1)} {
		if items, err := decodeItems(bad); bytes.Equal(bad, good) || !errors.Is(err, stage.ErrCorrupt) {
			t.Errorf("%x is taken: %+v, %v", bad, items, err)
		}
	}
	var l listEncoder
	l.reset()
	if err := l.append(&Item{Entry: stage.Entry{Path: "dataroot/d", Kind: stage.Dir, Owner: stage.Owner{Known: true, GID: stage.MaxID + 1}}}); err == nil {
		t.Error("an owner is stored that can't be read")
	}
}

func TestHostilePaths(t *testing.T) {
	for _, path := range []string{"", "/etc/passwd", "../x", "a/../../x", "a//b", "a/", "a\x00b", "."} {
		if items, err := decodeItems(encodeItems(t, []Item{{Entry: stage.Entry{Path: path, Kind: stage.File}}})); err == nil {
			t.Errorf("%q is taken: %v", path, items)
		}
	}
}

// What decodes is what would be encoded again, and comes back the same.
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
			t.Errorf("%+v came back as %+v, %v", items, again, err)
		}
	})
}

func FuzzTrailer(f *testing.F) {
	f.Add(appendDirectory([]byte{directoryVersion}, sampleBlobs()), int64(107))
	f.Add([]byte("\x10\x00\x00\x00VPK1"), int64(24))
	f.Fuzz(func(t *testing.T, data []byte, size int64) {
		if n, err := parseFooter(data, size); err == nil && (n < 0 || n > size) {
			t.Errorf("a footer in %d bytes tells of %d", size, n)
		}
		blobs, err := parseTrailer(data, size)
		if err != nil {
			return
		}
		again, err := parseTrailer(appendDirectory([]byte{directoryVersion}, blobs), size)
		if err != nil || !reflect.DeepEqual(blobs, again) {
			t.Errorf("%v came back as %v, %v", blobs, again, err)
		}
	})
}

func FuzzIndex(f *testing.F) {
	seed, err := appendIndex(nil, []pack{{"00112233445566778899aabbccddeeff", 300, sampleBlobs()}, {"ff112233445566778899aabbccddeeff", 1, nil}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(seed)
	f.Fuzz(func(t *testing.T, data []byte) {
		packs, err := parseIndex(data)
		if err != nil {
			return
		}
		encoded, err := appendIndex(nil, packs)
		if err != nil {
			t.Fatal(err)
		}
		again, err := parseIndex(encoded)
		if err != nil || !reflect.DeepEqual(packs, again) {
			t.Errorf("%v came back as %v, %v", packs, again, err)
		}
	})
}

func FuzzSnapshot(f *testing.F) {
	seed, err := json.Marshal(&Snapshot{Format: 1, ID: "id", Tables: []Table{{}}, Units: []Unit{{ID: "u", List: []ID{{1}}}}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(seed)
	f.Add([]byte(`{"format":2}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		snap, err := parseSnapshot(data, "snapshots/k/id", "k", "id")
		if err == nil && (snap.ID != "id" || snap.Format != Format) {
			t.Errorf("another snapshot passes: %+v", snap)
		}
		var d *Damage
		if errors.As(err, &d) && d.Object != "snapshots/k/id" {
			t.Errorf("the damage is named %q", d.Object)
		}
	})
}

func FuzzKey(f *testing.F) {
	f.Add([]byte(`{"format":1,"repository":"","created":"2026-01-01T00:00:00Z","transforms":[{"name":"compress"}],"secret":""}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		s := newShelf()
		kid := hashOf(data)[:kidDigits]
		s.objects[keysDir+kid] = data
		if k, err := readKey(t.Context(), s, root{}, kid); err == nil && (k.Format != Format || k.Repository != "") {
			t.Errorf("another key passes: %+v", k)
		}
	})
}
