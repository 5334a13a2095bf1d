package repository

import (
	"slices"
	"testing"
	"time"
)

// A policy keeps the newest snapshot of each period. Periods without a snapshot don't count.
func TestPolicyKeeps(t *testing.T) {
	all := []string{ // newest first
		"20260302-020000-00000000", "20260301-230000-00000000", "20260301-020000-00000000", "20260228-020000-00000000",
		"20260215-020000-00000000", "20260110-020000-00000000", "20251229-020000-00000000", "20241231-020000-00000000",
	}
	now := time.Date(2026, 3, 2, 3, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		policy Policy
		keeps  []int
	}{
		{Policy{Last: 3}, []int{0, 1, 2}},
		{Policy{Daily: 3}, []int{0, 1, 3}},
		{Policy{Weekly: 3}, []int{0, 1, 4}},
		{Policy{Monthly: 4}, []int{0, 3, 5, 6}},
		{Policy{Yearly: 9}, []int{0, 6, 7}},
		{Policy{Within: 36 * time.Hour}, []int{0, 1, 2}},
		{Policy{Last: 1, Yearly: 2}, []int{0, 6}},
		{Policy{Last: 100}, []int{0, 1, 2, 3, 4, 5, 6, 7}},
	} {
		var keeps []int
		for i, why := range c.policy.Keep(all, now) {
			if why != nil {
				keeps = append(keeps, i)
			}
		}
		if !slices.Equal(keeps, c.keeps) {
			t.Errorf("%v kept %v, want %v", c.policy, keeps, c.keeps)
		}
	}
}

// A snapshot from a wrong clock is kept, and does not count as the newest.
func TestPolicyKeepsFutureSnapshots(t *testing.T) {
	why := Policy{Last: 1}.Keep([]string{"20400101-000000-00000000", "20260302-020000-00000000", "20260301-020000-00000000"}, time.Date(2026, 3, 2, 3, 0, 0, 0, time.UTC))
	if why[0] == nil || !slices.Equal(why[1], []string{"last"}) || why[2] != nil {
		t.Errorf("reasons to keep: %q", why)
	}
}

func TestParseAge(t *testing.T) {
	for text, want := range map[string]time.Duration{"36h": 36 * time.Hour, "30d": 30 * day, "8w": 56 * day, "1y6w": 407 * day, "1d12h": 36 * time.Hour, "90m": 90 * time.Minute} {
		got, err := ParseAge(text)
		if back, _ := ParseAge(FormatAge(got)); err != nil || got != want || back != got {
			t.Errorf("%s: got %v, %v, formatted as %s", text, got, err, FormatAge(got))
		}
	}
	for _, text := range []string{"", "0d", "-3d", "3", "d", "3x", "1w1y", "1d1d", "999999y", "30000y"} {
		if got, err := ParseAge(text); err == nil {
			t.Errorf("%q was parsed as %v", text, got)
		}
	}
}
