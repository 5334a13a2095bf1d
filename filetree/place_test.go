package filetree_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/filetree"
	sinkdataroot "github.com/lmsvault/vault/sinks/dataroot"
)

// A restore never replaces what the run reads, by whatever path it is called.
func TestWhatIsReadIsNoTarget(t *testing.T) {
	base := t.TempDir()
	site := filepath.Join(base, "site")
	must(t, os.MkdirAll(filepath.Join(site, "lang"), 0o777))
	file(t, filepath.Join(site, "lang", "en"), 3)
	link := filepath.Join(base, "link")
	must(t, os.Symlink(site, link))
	name, place, err := filetree.Place(stage.Dataroot, site)
	must(t, err)
	p := &stage.Plan{Parts: []string{stage.Dataroot}, Facts: map[string]string{name: place}}
	for target, refused := range map[string]bool{
		site:                           true,
		link:                           true,
		filepath.Join(link, "lang"):    true,
		filepath.Join(link, "not/yet"): true,
		base:                           true, // it holds the site, and would be replaced
		filepath.Join(base, "site2"):   false,
	} {
		_, _, err := datarootSink(t, sinkdataroot.Config{Dir: target, Replace: true}).Check(t.Context(), p)
		if (failure.Of(err) == failure.Refused) != refused {
			t.Errorf("%s: %v", target, err)
		}
	}
}
