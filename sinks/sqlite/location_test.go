package sqlite_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/stage"
	sink "github.com/lmsvault/vault/sinks/sqlite"
	source "github.com/lmsvault/vault/sources/sqlite"
)

// A run cannot overwrite what it reads, however the path is spelled. A snapshot can
// replace the file it was made from.
func TestFileBeingReadIsNotWritten(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "site")
	carry(t, newSample(t, "0.05"), sink.New(sink.Config{Path: path}))
	for name, link := range map[string]func(old, new string) error{"symlink": os.Symlink, "hardlink": os.Link, "other.vault-partial": os.Link} {
		if err := link(path, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(dir, filepath.Join(dir, "folder")); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	from := source.New(source.Config{Path: path})
	inv, err := from.Plan(t.Context(), stage.PlanRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if err := from.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	check := func(name string, p *stage.Plan) error {
		p.Replace = stage.ReplaceSwap
		_, err := sink.New(sink.Config{Path: dir + "/" + name}).Check(t.Context(), p)
		return err
	}
	live := &stage.Plan{Facts: inv.Facts, Locations: []string{inv.Location}, Snapshots: []string{"abc"}} // the snapshot holds the files
	for _, name := range []string{"site", "./site", "folder/site", "symlink", "hardlink", "other"} {
		if err := check(name, live); failure.Of(err) != failure.Refused || !strings.Contains(err.Error(), "is the file being read") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := check("new", live); err != nil {
		t.Error(err)
	}
	if err := check("site", &stage.Plan{Facts: inv.Facts, Snapshots: []string{"abc"}}); err != nil {
		t.Error(err)
	}
	if after, err := os.ReadFile(path); err != nil || !bytes.Equal(before, after) {
		t.Errorf("the file being read was changed, %v", err)
	}
}
