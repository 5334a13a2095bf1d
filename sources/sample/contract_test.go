package sample_test

import (
	"testing"

	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/plugins/conformance"
	"github.com/lmsvault/vault/sources/sample"
)

func TestContract(t *testing.T) {
	config := sample.Defaults()
	config.Factor = "0.2"
	conformance.Source(t, conformance.SourceFixture{
		Open: func(t testing.TB) stage.Source {
			s, err := sample.New(config, 2)
			if err != nil {
				t.Fatal(err)
			}
			return s
		},
		Parts:        []string{stage.DB, stage.Filedir, stage.Dataroot},
		Fingerprints: true,
	})
}
