package filetree_test

import (
	"os"
	"testing"

	"github.com/lmsvault/vault/internal/machine"
)

func TestMain(m *testing.M) {
	machine.Ordinary()
	if part := os.Getenv(killPart); part != "" {
		os.Exit(restoreToBeKilled(part))
	}
	os.Exit(m.Run())
}
