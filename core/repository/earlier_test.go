package repository

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"reflect"
	"runtime"
	"testing"
	"time"

	"github.com/lmsvault/vault/core/repository/manifest"
	"github.com/lmsvault/vault/core/repository/object"
	"github.com/lmsvault/vault/core/stage"
)

// The sink needs little memory for each file of the previous snapshot, and still returns the
// complete entry.
func TestEarlierIsCompactAndComplete(t *testing.T) {
	const files = 20_000
	var lists [][]byte
	var l manifest.ListEncoder
	l.Reset()
	want := map[string]manifest.Item{}
	for i := range files {
		sum := sha256.Sum256(fmt.Append(nil, i))
		it := manifest.Item{
			Entry: stage.Entry{Path: fmt.Sprintf("dataroot/models/a folder/file number %06d.bin", i), Kind: stage.File, Size: 1234,
				Mode: 0o660, ModTime: time.Unix(1700000000+int64(i), 5), Fingerprint: fmt.Sprintf("1234:1700000000.%09d:%d", i, i)},
			Digest: stage.Digest{SHA256: hex.EncodeToString(sum[:]), Bytes: 1234},
			Refs:   []object.Ref{{Chunk: object.ID{byte(i / 800), 1}, Offset: uint32(i % 800 * 1234), Length: 1234}},
		}
		if err := l.Append(&it); err != nil {
			t.Fatal(err)
		}
		if i%1000 < 3 {
			want[it.Path] = it
		}
		if l.Items == 7000 || i == files-1 {
			lists = append(lists, append([]byte(nil), l.Buf...))
			l.Reset()
		}
	}
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	e := &earlier{baseline: stage.Baseline{}, at: map[string]listed{}}
	for _, data := range lists {
		e.add(data, func(object.ID) bool { return true })
	}
	if each := (heap() - before) / files; each > 350 {
		t.Errorf("%d bytes per file", each)
	} else {
		t.Logf("%d bytes per file", each)
	}
	runtime.KeepAlive(lists)
	if len(e.baseline) != files {
		t.Errorf("%d files, want %d", len(e.baseline), files)
	}
	for path, it := range want {
		got, err := e.item(it.Entry)
		if err != nil || !reflect.DeepEqual(got.Digest, it.Digest) || !reflect.DeepEqual(got.Refs, it.Refs) {
			t.Errorf("%s: %+v, %v", path, got, err)
		}
	}
	if _, err := e.item(stage.Entry{Path: "dataroot/other", Fingerprint: "x"}); err == nil {
		t.Error("a file that does not exist was accepted as unchanged")
	}
}
