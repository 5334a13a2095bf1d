package local

import (
	"path/filepath"
	"testing"

	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/internal/isolated"
	"github.com/lmsvault/vault/plugins/conformance"
)

func TestContract(t *testing.T) {
	st := isolated.Stage(t, Stage())
	var dir string
	at := func(t testing.TB) stage.Storage {
		s, err := st.NewStorage(t.Context(), &Config{Dir: dir}, stage.Env{})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	conformance.Storage(t, func(t testing.TB) stage.Storage {
		dir = filepath.Join(t.TempDir(), "repository")
		return at(t)
	}, at)
}
