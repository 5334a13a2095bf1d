package postgres

import "testing"

func TestMatches(t *testing.T) {
	for _, c := range []struct {
		pattern, name string
		want          bool
	}{{"a", "a", true}, {"a", "ab", false}, {"a*", "ab", true}, {"*", "", true}, {"*b", "ab", true}, {"a*a", "a", false}, {"a*b*c", "a_b_c", true}, {"a*b*c", "acb", false}, {"a**", "a", true}, {"_", "a", false}} {
		if got := Matches(c.pattern, c.name); got != c.want {
			t.Errorf("%q and %q: %v", c.pattern, c.name, got)
		}
	}
}
