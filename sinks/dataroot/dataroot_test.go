package dataroot

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lmsvault/vault/core/rows"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/filetree"
	"github.com/lmsvault/vault/internal/isolated"
	"github.com/lmsvault/vault/internal/machine"
	"github.com/lmsvault/vault/plugins/conformance"
)

var at = time.Date(2001, 2, 3, 4, 5, 6, 123456789, time.UTC)

func file(path string, mode uint32, content []byte) conformance.Item {
	i := conformance.Item{Entry: stage.Entry{Path: "dataroot/" + path, Kind: stage.File, Size: int64(len(content)), Mode: mode, ModTime: at}}
	i.Digest = stage.Digest{Bytes: int64(len(content)), SHA256: fmt.Sprintf("%x", sha256.Sum256(content))}
	for len(content) > 0 {
		n := min(len(content), rows.MaxChunk)
		i.Chunks = append(i.Chunks, stage.Chunk{Data: content[:n]})
		content = content[n:]
	}
	return i
}

func dir(path string, mode uint32) conformance.Item {
	return conformance.Item{Entry: stage.Entry{Path: "dataroot/" + path, Kind: stage.Dir, Mode: mode, ModTime: at.Add(time.Hour)}}
}

func link(path, target string) conformance.Item {
	return conformance.Item{Entry: stage.Entry{Path: "dataroot/" + path, Kind: stage.Symlink, Mode: 0o777, ModTime: at, Target: target}}
}

func unit(id string, items ...conformance.Item) conformance.UnitItems {
	return conformance.UnitItems{Unit: stage.Unit{ID: "dataroot/" + id, Part: stage.Dataroot}, Items: items}
}

func TestConformance(t *testing.T) {
	t.Run("owner user", func(t *testing.T) { conforms(t, "user") })
	t.Run("owner keep", func(t *testing.T) {
		machine.Root(t, "give files to other users")
		conforms(t, "keep")
	})
}

func conforms(t *testing.T, owner string) {
	odd := []conformance.Item{dir("odd", 0o2775)}
	for _, name := range []string{"0", "-rf", "a\nb", "\xff\xfe", `a\b`, " ", "…", strings.Repeat("x", 255), "cache", "CASE", "case"} {
		odd = append(odd, file("odd/"+name, 0o604, []byte(name)))
	}
	deep := []conformance.Item{dir("deep", 0o755)}
	for path, n := "deep", 0; n < 60; n++ {
		path += "/d"
		deep = append(deep, dir(path, 0o2500), file(path+"/f", 0, []byte(path)))
	}
	units := []conformance.UnitItems{
		unit(".", file("0", 0o4755, []byte("zero")), file("toplevel.txt", 0o666, nil), link("dangling", "nowhere"), link("out", "/etc/passwd"), link("bytes", "\xff\n")),
		unit("odd", odd...),
		unit("lang/.", dir("lang", 0o500), file("lang/top", 0o444, []byte("top"))),
		unit("lang/de", dir("lang/de", 0o1777), dir("lang/de/empty", 0o700), file("lang/de/large", 0o640, bytes.Repeat([]byte("large"), 4<<20))),
		unit("deep", deep...),
		unit("nothing"),
	}
	for _, u := range units {
		for i := range u.Items {
			u.Items[i].Entry.Owner = stage.Owner{Known: true, UID: uint32(4000 + i%3), GID: uint32(5000 + i%5)}
		}
	}
	conformance.Sink(t, conformance.SinkFixture{
		Plan:  &stage.Plan{Parts: []string{stage.Dataroot}, Files: 500, Bytes: 30 << 20, Workers: 5},
		Units: units,
		Place: func(t testing.TB) conformance.Target { return place(t, owner) },
	})
}

func place(t testing.TB, owner string) conformance.Target {
	root := t.TempDir()
	t.Cleanup(func() { // allow removing directories without write permission
		if err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err == nil && d.IsDir() {
				err = os.Chmod(path, 0o700)
			}
			return err
		}); err != nil {
			t.Error(err)
		}
	})
	if err := os.Mkdir(filepath.Join(root, "filedir"), 0o755); err != nil {
		t.Fatal(err)
	}
	st := isolated.Stage(t, Stage())
	return conformance.Target{
		Open: func() stage.Sink {
			s, err := st.NewSink(context.Background(), &Config{Dir: root, Owner: owner, Setuid: owner == "user"}, stage.Env{TempDir: t.TempDir()})
			if err != nil {
				t.Fatal(err)
			}
			return s
		},
		Untouched: func(t testing.TB) { written(t, root, owner, nil) },
		Holds:     func(t testing.TB, items []conformance.Item) { written(t, root, owner, items) },
	}
}

func written(t testing.TB, root, owner string, items []conformance.Item) {
	want := map[string]conformance.Item{}
	for _, i := range items {
		if owner == "user" {
			i.Entry.Owner = stage.Owner{Known: true, UID: uint32(os.Geteuid()), GID: uint32(os.Getegid())}
		}
		want[i.Entry.Path] = i
	}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		rel, _ := filepath.Rel(root, path)
		if err != nil || rel == "." || rel == "filedir" || rel == filetree.RestoredName {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		i, ok := want["dataroot/"+rel]
		delete(want, "dataroot/"+rel)
		if !ok {
			t.Errorf("%q exists but was not written", rel)
		}
		if got := filetree.Owner(info); got != i.Entry.Owner {
			t.Errorf("%q belongs to %+v, want %+v", rel, got, i.Entry.Owner)
		}
		if i.Entry.Kind == stage.Symlink {
			if target, err := os.Readlink(path); err != nil || target != i.Entry.Target {
				t.Errorf("%q points to %q (%v)", rel, target, err)
			}
			return nil
		}
		if filetree.Mode(info.Mode()) != i.Entry.Mode || !info.ModTime().Equal(i.Entry.ModTime) || d.IsDir() != (i.Entry.Kind == stage.Dir) {
			t.Errorf("%q: %v %v, written as %+v", rel, info.Mode(), info.ModTime(), i.Entry)
		}
		if d.IsDir() {
			return nil
		}
		if got, err := os.ReadFile(path); os.Getuid() == 0 && (err != nil || !bytes.Equal(got, i.Content())) {
			t.Errorf("%q has %d bytes, %d were written (%v)", rel, len(got), len(i.Content()), err)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	for path := range want {
		t.Errorf("%q is missing", path)
	}
}
