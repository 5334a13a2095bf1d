package manifest

import (
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"

	"github.com/lmsvault/vault/core/stage"
)

// digester recomputes the digest of an item.
type digester struct {
	sha1, sha256 hash.Hash
	bytes        int64
}

// NewDigester returns a writer that digests the content of it.
func NewDigester(it *Item) *digester {
	d := &digester{}
	if it.Digest.SHA1 != "" {
		d.sha1 = sha1.New()
	}
	if it.Digest.SHA256 != "" {
		d.sha256 = sha256.New()
	}
	return d
}

func (d *digester) Write(data []byte) {
	d.bytes += int64(len(data))
	if d.sha1 != nil {
		d.sha1.Write(data)
	}
	if d.sha256 != nil {
		d.sha256.Write(data)
	}
}

// Compare returns an error unless the digest matches what the source read.
func (d *digester) Compare(it *Item) error {
	if it.Kind == stage.Table {
		return nil
	}
	if it.Digest != (stage.Digest{}) && d.bytes != it.Digest.Bytes {
		return fmt.Errorf("%s: %w: %d of %d bytes are stored", it.Path, stage.ErrCorrupt, d.bytes, it.Digest.Bytes)
	}
	if d.sha1 != nil && hex.EncodeToString(d.sha1.Sum(nil)) != it.Digest.SHA1 {
		return fmt.Errorf("%s: %w: the content does not match SHA-1 %s", it.Path, stage.ErrCorrupt, it.Digest.SHA1)
	}
	if d.sha256 != nil && hex.EncodeToString(d.sha256.Sum(nil)) != it.Digest.SHA256 {
		return fmt.Errorf("%s: %w: the content does not match SHA-256 %s", it.Path, stage.ErrCorrupt, it.Digest.SHA256)
	}
	return nil
}
