package filetree_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/filetree"
	sinkdataroot "github.com/lmsvault/vault/sinks/dataroot"
	sinkfiles "github.com/lmsvault/vault/sinks/files"
)

// A marker lets a restore empty a directory only if it names the part to restore.
func TestMarkersCountOnlyForTheirPart(t *testing.T) {
	sinks := map[string]func(dir string) stage.Sink{
		"filedir":  func(dir string) stage.Sink { return filesSink(t, sinkfiles.Config{Dir: dir}) },
		"dataroot": func(dir string) stage.Sink { return datarootSink(t, sinkdataroot.Config{Dir: dir}) },
	}
	contents := map[string][]string{
		"photos":            {"photos/x"},
		"a restored plugin": {"customdir/x", "precious"},
	}
	for part, sink := range sinks {
		other := map[string]string{"filedir": "dataroot", "dataroot": "filedir"}[part]
		for _, mark := range []string{filetree.MarkerName, filetree.RestoredName} {
			for text, refusal := range map[string]string{
				"part: " + part + "\n":              "",
				"part: " + part + "\nand more text": "",
				"part: " + part + "\r\n":            "",
				"part: " + other + "\n":             `holds a restore of the part "` + other + `"`,
				"":                                  mark + " does not say which part was restored",
				"Vault restored into this directory. A restore with replace: true may remove what is in it.\n": mark + " does not say which part was restored",
				"see also\npart: " + part + "\n": mark + " does not say which part was restored",
			} {
				for name, holds := range contents {
					t.Run(fmt.Sprintf("%s/%s/%q/%s", part, mark, text, name), func(t *testing.T) {
						replacesOrRefuses(t, sink, append([]string{mark + "=" + text}, holds...), refusal)
					})
				}
			}
		}
	}
}

// replacesOrRefuses checks that a sink replaces a directory with these files, or that
// it returns this error and changes nothing.
func replacesOrRefuses(t *testing.T, sink func(dir string) stage.Sink, holds []string, refusal string) {
	dir := holding(t, holds...)
	before := below(t, dir)
	s := sink(dir)
	_, checked := s.Check(t.Context(), inPlace)
	begun := s.Begin(t.Context(), inPlace)
	must(t, s.Close(t.Context()))
	after := below(t, dir)
	if refusal == "" {
		must(t, checked)
		must(t, begun)
		for name := range after {
			if !strings.HasPrefix(name, ".vault-") {
				t.Errorf("%s was not removed", name)
			}
		}
		return
	}
	for _, err := range []error{checked, begun} {
		if failure.Of(err) != failure.Refused || !strings.Contains(err.Error(), refusal) || !strings.Contains(err.Error(), "empty the directory yourself") {
			t.Errorf("not refused as expected: %v", err)
		}
	}
	if fmt.Sprint(after) != fmt.Sprint(before) {
		t.Errorf("contents changed from %v to %v", before, after)
	}
}

// A restore of one part, finished or not, is never emptied by the sink of the other
// part, and is replaced by its own.
func TestRestoreOfAnotherPartIsNotReplaced(t *testing.T) {
	root := t.TempDir()
	must(t, restore(t, datarootSink(t, sinkdataroot.Config{Dir: root}), fileItem("dataroot/customdir/f", "x")))
	unfinished := t.TempDir()
	s := filesSink(t, sinkfiles.Config{Dir: unfinished})
	must(t, s.Begin(t.Context(), &stage.Plan{}))
	must(t, s.Close(t.Context()))
	for name, c := range map[string]struct{ other, own stage.Sink }{
		"a data root":        {filesSink(t, sinkfiles.Config{Dir: root}), datarootSink(t, sinkdataroot.Config{Dir: root})},
		"an unfinished pool": {datarootSink(t, sinkdataroot.Config{Dir: unfinished}), filesSink(t, sinkfiles.Config{Dir: unfinished})},
	} {
		if _, err := c.other.Check(t.Context(), swap); failure.Of(err) != failure.Refused || !strings.Contains(err.Error(), "holds a restore of the part") {
			t.Errorf("%s: the sink of the other part returned %v", name, err)
		}
		_, err := c.own.Check(t.Context(), swap)
		must(t, err)
		must(t, c.other.Close(t.Context()))
		must(t, c.own.Close(t.Context()))
	}
}

// The remedy in the refusal of a foreign directory works.
func TestProposedMarkerIsAccepted(t *testing.T) {
	dir := holding(t, "photos/x", filetree.RestoredName+"=part: dataroot")
	must(t, restoreAs(t, datarootSink(t, sinkdataroot.Config{Dir: dir}), swap, fileItem("dataroot/f", "new")))
	_, err := datarootSink(t, sinkdataroot.Config{Dir: holding(t, "photos/x")}).Check(t.Context(), swap)
	if want := `create a file .vault-restored in it with the line "part: dataroot"`; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("the refusal is %v, want %s", err, want)
	}
	// No marker lets a pool sink replace a data root, so none is proposed.
	_, err = filesSink(t, sinkfiles.Config{Dir: holding(t, "filedir/"+poolFile, filetree.MarkerName+"=part: filedir")}).Check(t.Context(), swap)
	if err == nil || !strings.Contains(err.Error(), "it is a data root, not a file pool") || strings.Contains(err.Error(), "create a file") {
		t.Errorf("the refusal is %v", err)
	}
}
