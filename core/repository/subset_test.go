package repository_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/lmsvault/vault/core/repository"
)

// Verifying all parts of a repository reports each damage once, as a complete verification
// does. Every part reports a missing pack.
func TestSubsetsCoverAllPacks(t *testing.T) {
	m, _ := aged(t, 3, "secret")
	subset := func(text string) []repository.Finding {
		t.Helper()
		s, err := repository.ParseSubset(text)
		if err != nil {
			t.Fatal(err)
		}
		found, err := open(t, m, "secret").VerifySubset(t.Context(), s, nil)
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	for i := range 3 {
		if found := subset(fmt.Sprintf("%d/3", i+1)); len(found) > 0 {
			t.Errorf("undamaged: %+v", found)
		}
	}
	pack := m.names("packs/")[0]
	m.objects[pack][1000] ^= 1
	hits := 0
	for i := range 3 {
		for _, f := range subset(fmt.Sprintf("%d/3", i+1)) {
			hits++
			if f.Object != pack || !strings.Contains(f.Problem, "damaged") {
				t.Errorf("found %+v", f)
			}
		}
	}
	if hits != 1 {
		t.Errorf("the damage was found %d times", hits)
	}
	if found := subset("100%"); len(found) != 1 {
		t.Errorf("complete verification: %+v", found)
	}
	delete(m.objects, pack)
	for i := range 3 {
		if found := subset(fmt.Sprintf("%d/3", i+1)); len(found) == 0 {
			t.Errorf("part %d does not report that %s is missing", i+1, pack)
		}
	}
}

func TestInvalidSubsetsAreRefused(t *testing.T) {
	for _, text := range []string{"", "0/3", "4/3", "1", "1/", "/2", "0%", "101%", "x%", "NaN%", "-1/2"} {
		if _, err := repository.ParseSubset(text); err == nil {
			t.Errorf("%q was accepted", text)
		}
	}
}
