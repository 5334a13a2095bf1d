package filetree

import (
	"os"
	"reflect"
	"testing"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/selection"
	"github.com/lmsvault/vault/core/stage"
)

// A session leads to the same directory and selection, by whatever path, and to no
// other directory.
func TestSessionOfADirectory(t *testing.T) {
	open := func(dir string) *os.Root {
		root, err := os.OpenRoot(dir)
		must(t, err)
		t.Cleanup(func() { _ = root.Close() })
		return root
	}
	dir := t.TempDir()
	link := t.TempDir() + "/link"
	must(t, os.Symlink(dir, link))
	want := selection.Selection{ExcludeFiles: []string{"dataroot/repository"}}
	s, err := NewSession(open(dir), want)
	must(t, err)
	if got, err := JoinSession(open(link), s); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v", got, err)
	}
	if _, err := JoinSession(open(t.TempDir()), s); failure.Of(err) != failure.Refused {
		t.Errorf("another directory is joined: %v", err)
	}
	for _, bad := range []string{"", "{}", `{"format":"vault directory 2"}`, "no such session"} {
		if _, err := JoinSession(open(dir), stage.Session(bad)); failure.Of(err) != failure.Refused {
			t.Errorf("%q is joined: %v", bad, err)
		}
	}
}
