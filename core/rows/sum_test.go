package rows

import (
	"math/rand/v2"
	"strconv"
	"testing"
)

// The sum of a table does not depend on the order in which its parts are read, counts
// duplicate rows, and differs for any other content.
func TestSumIgnoresOrderAndCountsDuplicates(t *testing.T) {
	var all [][]byte
	for i := range 1000 {
		all = append(all, []byte(strconv.Itoa(i%700)+"\tx"))
	}
	var whole Sum
	for _, r := range all {
		whole.Add(r)
	}
	rand.New(rand.NewPCG(1, 2)).Shuffle(len(all), func(i, k int) { all[i], all[k] = all[k], all[i] })
	var left, right Sum
	for i, r := range all {
		if i < 300 {
			left.Add(r)
		} else {
			right.Add(r)
		}
	}
	left.Merge(right)
	if left != whole {
		t.Errorf("the parts add up to %s, the whole is %s", left, whole)
	}
	left.Remove(all[0])
	left.Add(all[1])
	if left == whole && string(all[0]) != string(all[1]) {
		t.Error("replacing a row does not change the sum")
	}
}

func TestSumTextReadsBack(t *testing.T) {
	var s, got Sum
	if err := s.AddChunk([]byte("a\nb\n\n")); err != nil {
		t.Fatal(err)
	}
	text, err := s.MarshalText()
	if err != nil {
		t.Fatal(err)
	}
	if err := got.UnmarshalText(text); err != nil || got != s || got.Rows != 3 {
		t.Errorf("%s reads as %s, %v", text, got, err)
	}
	for _, bad := range []string{"", "1:", "1:zz", "-1:00000000000000000000000000000000", "1:0000"} {
		if got.UnmarshalText([]byte(bad)) == nil {
			t.Errorf("%q is accepted as a sum", bad)
		}
	}
}
