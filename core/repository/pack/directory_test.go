package pack

import (
	"reflect"
	"testing"

	"github.com/lmsvault/vault/core/repository/object"
)

func sampleBlobs() []Blob {
	return []Blob{{ContentBlob, object.ID{1}, 100, 200}, {ListBlob, object.ID{2}, 7, 3}}
}

func FuzzTrailer(f *testing.F) {
	f.Add(appendDirectory([]byte{directoryVersion}, sampleBlobs()), int64(107))
	f.Add([]byte("\x10\x00\x00\x00VPK1"), int64(24))
	f.Fuzz(func(t *testing.T, data []byte, size int64) {
		if n, err := parseFooter(data, size); err == nil && (n < 0 || n > size) {
			t.Errorf("a footer in %d bytes has length %d", size, n)
		}
		blobs, err := parseTrailer(data, size)
		if err != nil {
			return
		}
		again, err := parseTrailer(appendDirectory([]byte{directoryVersion}, blobs), size)
		if err != nil || !reflect.DeepEqual(blobs, again) {
			t.Errorf("%v was decoded as %v, %v", blobs, again, err)
		}
	})
}

func FuzzIndex(f *testing.F) {
	seed, err := appendIndex(nil, []Pack{{"00112233445566778899aabbccddeeff", 300, sampleBlobs()}, {"ff112233445566778899aabbccddeeff", 1, nil}})
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
			t.Errorf("%v was decoded as %v, %v", packs, again, err)
		}
	})
}
