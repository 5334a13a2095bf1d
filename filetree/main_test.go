package filetree_test

import (
	"os"
	"testing"

	"github.com/lmsvault/vault/internal/machine"
)

func TestMain(m *testing.M) {
	machine.Ordinary()
	os.Exit(m.Run())
}
