package filetree_test

import (
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/filetree"
	"github.com/lmsvault/vault/internal/machine"
	"github.com/lmsvault/vault/plugins/conformance"
	sinkfiles "github.com/lmsvault/vault/sinks/files"
)

// A full disk ends the run with a clear error, and leaves the marker and nothing of
// the unit.
func TestFullDisk(t *testing.T) {
	root := machine.Tmpfs(t, "1m")
	var items []conformance.Item
	for i := range 30 {
		items = append(items, fileItem(fmt.Sprintf("filedir/f%d", i), strings.Repeat("x", 50_000)))
	}
	err := restore(t, filesSink(t, sinkfiles.Config{Dir: root}), items...)
	if !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), "no space left") || !strings.Contains(err.Error(), "filedir/f") {
		t.Errorf("a full disk: %v", err)
	}
	got := below(t, root)
	if got[filetree.MarkerName] == "" || len(got) != 1 {
		t.Errorf("%d entries are left, the marker is %q", len(got), got[filetree.MarkerName])
	}
	_, err = filesSink(t, sinkfiles.Config{Dir: root}).Check(t.Context(), &stage.Plan{Bytes: 1_500_000, Replace: stage.ReplaceInPlace})
	if failure.Of(err) != failure.Refused || !strings.Contains(err.Error(), "free some space") {
		t.Errorf("a plan that is too large: %v", err)
	}
}
