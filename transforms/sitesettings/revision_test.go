package sitesettings

import "testing"

func TestNextRevision(t *testing.T) {
	for old, want := range map[string]string{
		"": "1000000", "text": "1000000", "-1": "1000000", "999999": "1000000", // unknown or lower: the time
		"1000000": "1000001", "1000001": "1000002", "1003600": "1003601", // up to an hour ahead: one more
		"1003601": "1000000", "99999999999999999999": "1000000", // more than an hour ahead: the time
	} {
		if got := next(old, 1_000_000); got != want {
			t.Errorf("after %q: %s, want %s", old, got, want)
		}
	}
}
