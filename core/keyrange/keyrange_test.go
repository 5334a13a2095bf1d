package keyrange

import (
	"context"
	"math/big"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
)

func split(t *testing.T, keys []int64, per int64) []Range {
	t.Helper()
	next := func(_ context.Context, from string) (string, bool, error) {
		f, ok := new(big.Int).SetString(from, 10)
		if !ok {
			t.Fatalf("bound %q", from)
		}
		for _, k := range keys {
			if big.NewInt(k).Cmp(f) >= 0 {
				return strconv.FormatInt(k, 10), true, nil
			}
		}
		return "", false, nil
	}
	r, err := Split(t.Context(), strconv.FormatInt(keys[0], 10), strconv.FormatInt(keys[len(keys)-1], 10), int64(len(keys)), per, next)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// Every key is in exactly one range, no range is empty, and the number of ranges is
// bounded.
func TestRangesCoverEveryKeyOnce(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	sets := map[string][]int64{"dense": nil, "sparse": nil, "ends": {-1 << 63, -5, 0, 1, 1<<63 - 1}, "one": {7}}
	for i := range int64(5000) {
		sets["dense"] = append(sets["dense"], i+1)
		sets["sparse"] = append(sets["sparse"], i*i*i)
	}
	for range 3000 {
		sets["random"] = append(sets["random"], rng.Int64()-rng.Int64())
	}
	slices.Sort(sets["random"])
	for name, keys := range sets {
		keys = slices.Compact(keys)
		ranges := split(t, keys, 100)
		if len(ranges) > len(keys) {
			t.Errorf("%s: %d ranges for %d keys", name, len(ranges), len(keys))
		}
		held := make([]int, len(ranges))
		for _, k := range keys {
			in := 0
			for i, r := range ranges {
				if (r.From == "" || big.NewInt(k).Cmp(number(t, r.From)) >= 0) && (r.To == "" || big.NewInt(k).Cmp(number(t, r.To)) < 0) {
					in++
					held[i]++
				}
			}
			if in != 1 {
				t.Fatalf("%s: key %d is in %d ranges", name, k, in)
			}
		}
		if i := slices.Index(held, 0); i >= 0 && len(keys) > 1 {
			t.Errorf("%s: range %s is empty", name, ranges[i])
		}
	}
}

// A table that grows at its end keeps its existing borders.
func TestBordersStayWhileTableGrows(t *testing.T) {
	var keys []int64
	for i := range int64(10_000) {
		keys = append(keys, i+1)
	}
	before := split(t, keys[:9_900], 500)
	after := split(t, keys, 500)
	for i, r := range before[:len(before)-1] {
		if after[i] != r {
			t.Errorf("range %d was %s and is %s", i, r, after[i])
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("..")
	f.Add("-5..18446744073709551615")
	f.Fuzz(func(t *testing.T, s string) {
		if r, err := Parse(s); err == nil && r.String() != s {
			t.Errorf("%q reads as %q", s, r)
		}
	})
}

func number(t *testing.T, s string) *big.Int {
	n, ok := new(big.Int).SetString(s, 10)
	if !ok {
		t.Fatalf("bound %q", s)
	}
	return n
}
