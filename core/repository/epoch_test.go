package repository

import (
	"strings"
	"testing"
	"time"
)

// What no reader would take is not stored in the first place.
func TestTooLargeManifestIsNotSealed(t *testing.T) {
	e, _, _, err := createEpoch(t.Context(), root{ID: "x", hash: "y"}, time.Now(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.sealObject(t.Context(), make([]byte, maxObject+1), "blob"); err == nil || !strings.Contains(err.Error(), "512") {
		t.Errorf("sealed: %v", err)
	}
}
