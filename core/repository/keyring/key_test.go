package keyring

import (
	"testing"

	"github.com/lmsvault/vault/core/repository/object"
	"github.com/lmsvault/vault/core/repository/storagetest"
)

func FuzzKey(f *testing.F) {
	f.Add([]byte(`{"format":1,"repository":"","created":"2026-01-01T00:00:00Z","transforms":[{"name":"compress"}],"secret":""}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		s := storagetest.NewShelf()
		kid := object.HashOf(data)[:kidDigits]
		s.Objects[object.KeysDir+kid] = data
		if k, err := ReadKey(t.Context(), s, object.Root{}, kid); err == nil && (k.Format != object.Format || k.Repository != "") {
			t.Errorf("a key of another format or repository was accepted: %+v", k)
		}
	})
}
