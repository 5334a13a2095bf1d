package filetree

import (
	"fmt"
	"testing"

	"github.com/lmsvault/vault/core/stage"
)

// However many directories a unit has, few are open at once.
func TestFewDirectoriesAreOpenAtOnce(t *testing.T) {
	s, err := NewSink(t.TempDir(), t.TempDir(), Layout{
		Part:       "dataroot",
		Holds:      func(string) (bool, error) { return true, nil },
		Keeping:    func(string) Keeping { return Remove },
		Overwrites: func(string) bool { return false },
		Links:      true,
	})
	must(t, err)
	must(t, s.Begin(t.Context(), &stage.Plan{}))
	u, err := s.WriteFiles(t.Context(), stage.Unit{})
	must(t, err)
	w := u.(*unitWriter)
	for i := range 500 {
		for _, e := range []stage.Entry{
			{Path: fmt.Sprintf("dataroot/d%d", i), Kind: stage.Dir, Mode: 0o700},
			{Path: fmt.Sprintf("dataroot/d%d/in", i), Kind: stage.Dir, Mode: 0o700},
			{Path: fmt.Sprintf("dataroot/d%d/in/link", i), Kind: stage.Symlink, Target: "x"},
		} {
			must(t, w.Open(t.Context(), e))
			must(t, w.Close(t.Context(), stage.Digest{}))
			if n := len(w.folders.open); n > maxOpen+3 {
				t.Fatalf("%d directories are open", n)
			}
		}
	}
	committed(t, w)
	must(t, s.Finish(t.Context(), nil))
	must(t, s.Publish(t.Context()))
	must(t, s.Close(t.Context()))
}
