package dataroot

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/plugins/conformance"
)

// linked creates a data root whose repository was moved to another disk.
func linked(t *testing.T) (dir, disk string) {
	dir, disk = t.TempDir(), t.TempDir()
	write(t, dir, "lang/en/f", "in")
	write(t, disk, "repository/course/f", "behind")
	write(t, disk, "deep/f", "deeper")
	link := func(target, path string) { must(t, os.Symlink(target, filepath.Join(dir, path))) }
	link(filepath.Join(disk, "repository"), "repository")
	link(filepath.Join(disk, "deep"), "lang/deep")
	link("lang", "inside")
	link("nowhere", "dangling")
	link(disk, "cache") // is excluded
	must(t, os.Symlink(disk, filepath.Join(disk, "repository/loop")))
	must(t, os.Symlink("course", filepath.Join(disk, "repository/near")))
	return dir, disk
}

func TestLinkOutOfDataRootIsLoss(t *testing.T) {
	dir, disk := linked(t)
	items, losses := conformance.ReadAll(t, opened(t, &Config{Dir: dir}))
	lost := map[string]string{}
	for _, l := range losses {
		if l.Kind != stage.LossOutside {
			t.Errorf("loss %+v", l)
		}
		lost[l.Path] = l.Reason
	}
	if len(lost) != 2 || !strings.Contains(lost["dataroot/repository"], filepath.Join(disk, "repository")) || lost["dataroot/lang/deep"] == "" {
		t.Errorf("losses %q", lost)
	}
	for _, path := range []string{"repository", "lang/deep", "inside", "dangling"} {
		if items["dataroot/"+path].Entry.Kind != stage.Symlink {
			t.Errorf("%s is %+v", path, items["dataroot/"+path].Entry)
		}
	}
}

// A disk that is no longer mounted is reported if a link leads out to it.
func TestLinkToMissingTargetIsLoss(t *testing.T) {
	dir, disk := linked(t)
	must(t, os.RemoveAll(filepath.Join(disk, "repository")))
	_, losses := conformance.ReadSelected(t, opened(t, &Config{Dir: dir}), excluding("dataroot/lang"))
	if len(losses) != 1 || losses[0].Kind != stage.LossOutside || losses[0].Path != "dataroot/repository" || !strings.Contains(losses[0].Reason, "is it mounted?") {
		t.Errorf("losses %+v", losses)
	}
}

// repository leads into the data root, and from there to a missing disk.
func TestChainOfLinksToMissingTargetIsLoss(t *testing.T) {
	dir, gone := t.TempDir(), filepath.Join(t.TempDir(), "gone")
	write(t, dir, "lang/en/f", "in")
	for path, target := range map[string]string{"ext": gone, "repository": "ext/real", "more": "repository/x", "a": "b", "b": "a", "near": "lang/none"} {
		must(t, os.Symlink(target, filepath.Join(dir, path)))
	}
	_, losses := conformance.ReadAll(t, opened(t, &Config{Dir: dir}))
	lost := map[string]string{}
	for _, l := range losses {
		lost[l.Path] = l.Reason
	}
	for path, to := range map[string]string{"ext": gone, "repository": gone + "/real", "more": gone + "/real/x"} {
		if reason := lost["dataroot/"+path]; !strings.Contains(reason, to+", which") || !strings.Contains(reason, "is it mounted?") {
			t.Errorf("%s: %q", path, reason)
		}
	}
	if len(losses) != 3 {
		t.Errorf("losses %+v", losses)
	}
}

func TestFollowedLinkIsReadAsDirectory(t *testing.T) {
	dir, _ := linked(t)
	items, losses := conformance.ReadSelected(t, opened(t, &Config{Dir: dir, Follow: []string{"repository", "lang/deep"}}), excluding("dataroot/repository/none"))
	if len(losses) != 1 || losses[0].Path != "dataroot/repository/loop" || losses[0].Kind != stage.LossOutside {
		t.Errorf("losses %+v", losses)
	}
	for path, content := range map[string]string{"repository/course/f": "behind", "lang/deep/f": "deeper", "lang/en/f": "in"} {
		if got := items["dataroot/"+path]; string(got.Content()) != content {
			t.Errorf("%s holds %q", path, got.Content())
		}
	}
	for _, path := range []string{"repository", "repository/course", "lang/deep"} {
		if items["dataroot/"+path].Entry.Kind != stage.Dir {
			t.Errorf("%s is %+v", path, items["dataroot/"+path].Entry)
		}
	}
	if items["dataroot/repository/near"].Entry.Kind != stage.Symlink {
		t.Error("a link in a followed directory is not read as a link")
	}
}

func TestInvalidFollowIsRefused(t *testing.T) {
	dir, _ := linked(t)
	above := filepath.Join(dir, "above")
	must(t, os.Symlink(filepath.Dir(dir), above))
	for _, path := range []string{"above", "inside"} {
		if _, err := opened(t, &Config{Dir: dir, Follow: []string{path}}).Plan(t.Context(), stage.PlanRequest{}); failure.Of(err) != failure.Refused || !strings.Contains(err.Error(), "the data root itself") {
			t.Errorf("follow %s: %v", path, err)
		}
	}
	must(t, os.Remove(above))
	inv, err := opened(t, &Config{Dir: dir, Follow: []string{"dangling", "lang"}}).Plan(t.Context(), stage.PlanRequest{})
	must(t, err)
	found := false
	for _, l := range inv.Losses {
		found = found || l.Path == "dataroot/dangling" && strings.Contains(l.Reason, "is it mounted?")
	}
	if !found || (&Config{Follow: []string{"../x"}}).Validate() == nil {
		t.Errorf("losses %+v", inv.Losses)
	}
}
