package sample_test

import (
	"testing"

	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/internal/isolated"
	"github.com/lmsvault/vault/plugins/conformance"
	"github.com/lmsvault/vault/sources/sample"
)

func TestContract(t *testing.T) {
	config := sample.Defaults()
	config.Factor = "0.2"
	st := isolated.Stage(t, sample.Stage())
	conformance.Source(t, conformance.SourceFixture{
		Open: func(t testing.TB) stage.Source {
			s, err := st.NewSource(t.Context(), &config, stage.Env{Workers: 2})
			if err != nil {
				t.Fatal(err)
			}
			return s
		},
		Parts:        []string{stage.DB, stage.Filedir, stage.Dataroot},
		Fingerprints: true,
	})
}
