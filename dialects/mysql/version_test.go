package mysql

import (
	"fmt"
	"testing"

	"github.com/lmsvault/vault/core/failure"
)

// Versions whose catalog is incomplete are refused by name.
func TestOldVersionsAreRefused(t *testing.T) {
	for _, c := range []struct {
		maria               bool
		major, minor, patch int
		refused             bool
	}{
		{true, 10, 5, 29, true}, {true, 10, 6, 0, false}, {true, 11, 4, 2, false},
		{false, 5, 7, 44, true}, {false, 8, 0, 15, true}, {false, 8, 0, 16, false}, {false, 8, 4, 0, false}, {false, 9, 7, 4, false},
	} {
		s := &Server{MariaDB: c.maria, major: c.major, minor: c.minor, Version: fmt.Sprintf("%d.%d.%d", c.major, c.minor, c.patch)}
		if err := s.refuseOld(c.patch); (failure.Of(err) == failure.Refused) != c.refused {
			t.Errorf("%s: %v", s.Engine(), err)
		}
	}
}
