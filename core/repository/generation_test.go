package repository

import (
	"strings"
	"testing"
	"time"

	"github.com/lmsvault/vault/core/repository/keyring"
	"github.com/lmsvault/vault/core/repository/object"
)

// A manifest that exceeds the limit of readers is not stored.
func TestTooLargeManifestIsNotSealed(t *testing.T) {
	e, _, _, err := keyring.CreateGeneration(t.Context(), object.Root{ID: "x", Hash: "y"}, time.Now(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.SealObject(t.Context(), make([]byte, keyring.MaxObject+1), "blob"); err == nil || !strings.Contains(err.Error(), "512") {
		t.Errorf("sealed: %v", err)
	}
}
