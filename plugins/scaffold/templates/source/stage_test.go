package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/plugins/conformance"
	"github.com/lmsvault/vault/plugins/sdk"
)

// The conformance kit tests everything that Vault relies on. vault plugin test runs the
// same checks with the finished program, and kills it too.
func TestContract(t *testing.T) {
	for name, file := range map[string]struct {
		text   string
		losses map[stage.LossKind]int64
	}{
		"empty":     {"", nil},
		"lines":     {"one\n\ntwo\ttabs\\\r\n\\N\nlast", nil},
		"large":     {strings.Repeat("Žluťoučký kůň\n", 100_000), nil},
		"not UTF-8": {"one\n\xff\nthree\n", map[stage.LossKind]int64{stage.LossRow: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "lines.txt")
			if err := os.WriteFile(path, []byte(file.text), 0o600); err != nil {
				t.Fatal(err)
			}
			conformance.Source(t, conformance.SourceFixture{Parts: []string{stage.DB}, Losses: file.losses, Open: func(t testing.TB) sdk.Source {
				s, err := open(t.Context(), &Config{File: path, Table: "lines"}, sdk.Env{})
				if err != nil {
					t.Fatal(err)
				}
				return s
			}})
		})
	}
}
