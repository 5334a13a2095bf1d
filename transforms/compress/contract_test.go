package compress

import (
	"testing"

	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/plugins/conformance"
)

func TestContract(t *testing.T) {
	for _, codec := range []string{"zstd", "lz4"} {
		t.Run(codec, func(t *testing.T) {
			conformance.Bytes(t, conformance.BytesFixture{Open: func(t testing.TB) stage.ByteTransform { return compressor(t, Config{Codec: codec}) }})
		})
	}
}
