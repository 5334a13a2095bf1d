package filetree

import (
	"fmt"
	"testing"

	"github.com/lmsvault/vault/core/stage"
)

// Small files of many units need few syncs, and all are durable when Finish returns.
func TestManyUnitsShareSyncs(t *testing.T) {
	s, err := NewSink(t.TempDir(), t.TempDir(), Layout{
		Part:       "dataroot",
		Holds:      func(string) (bool, error) { return true, nil },
		Keeping:    func(string) Keeping { return Remove },
		Overwrites: func(string) bool { return false },
	})
	must(t, err)
	disk := &s.(*Sink).disk
	must(t, s.Begin(t.Context(), &stage.Plan{}))
	marked := disk.begun
	if marked == 0 {
		t.Error("the marker is not durable")
	}
	for i := range 300 {
		w, err := s.WriteFiles(t.Context(), stage.Unit{})
		must(t, err)
		must(t, w.Open(t.Context(), stage.Entry{Path: fmt.Sprintf("dataroot/d%d", i), Kind: stage.Dir, Mode: 0o700}))
		must(t, w.Close(t.Context(), stage.Digest{}))
		committed(t, w)
	}
	if disk.begun != marked {
		t.Errorf("300 small units cost %d syncs", disk.begun-marked)
	}
	must(t, s.Finish(t.Context(), nil))
	if disk.begun != marked+1 {
		t.Errorf("Finish synced %d times", disk.begun-marked)
	}
	must(t, s.Publish(t.Context()))
	if disk.begun != marked+2 {
		t.Error("the removal of the marker is not durable")
	}
	must(t, s.Close(t.Context()))
}

func TestLargeUnitsAreSynced(t *testing.T) {
	for name, w := range map[string]written{"files": {files: syncFiles/2 + 1}, "bytes": {bytes: syncBytes/2 + 1}} {
		var d disk
		for i := range 4 {
			must(t, d.commit(w))
			if want := (i + 1) / 2; d.begun != want {
				t.Errorf("%s: %d syncs after %d units, want %d", name, d.begun, i+1, want)
			}
		}
	}
}
