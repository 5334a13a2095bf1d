package main

import (
	"log/slog"
	"path/filepath"
	"testing"

	"github.com/lmsvault/vault/plugins/conformance"
	"github.com/lmsvault/vault/plugins/sdk"
)

// The conformance kit tests everything that Vault relies on. vault plugin test runs the
// same checks with the finished program, and kills it too.
func TestContract(t *testing.T) {
	var dir string
	reopen := func(t testing.TB) sdk.Storage {
		s, err := open(t.Context(), &Config{Dir: dir, KeepFree: 1}, sdk.Env{Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	conformance.Storage(t, func(t testing.TB) sdk.Storage {
		dir = filepath.Join(t.TempDir(), "objects")
		return reopen(t)
	}, reopen)
}
