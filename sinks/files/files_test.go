package files

import (
	"bytes"
	"context"
	"crypto/sha1"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/lmsvault/vault/core/moodle"
	"github.com/lmsvault/vault/core/rows"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/filetree"
	"github.com/lmsvault/vault/internal/isolated"
	"github.com/lmsvault/vault/internal/machine"
	"github.com/lmsvault/vault/plugins/conformance"
)

func item(path string, mode uint32, content []byte) conformance.Item {
	i := conformance.Item{Entry: stage.Entry{Path: path, Kind: stage.File, Size: int64(len(content)), Mode: mode, ModTime: time.Unix(1e9, 5)}}
	i.Digest = stage.Digest{Bytes: int64(len(content)), SHA1: fmt.Sprintf("%x", sha1.Sum(content))}
	for len(content) > 0 {
		n := min(len(content), rows.MaxChunk)
		i.Chunks = append(i.Chunks, stage.Chunk{Data: content[:n]})
		content = content[n:]
	}
	return i
}

func content(data []byte) conformance.Item {
	return item("filedir/"+moodle.ContentPath(fmt.Sprintf("%x", sha1.Sum(data))), 0o640, data)
}

func TestConformance(t *testing.T) {
	t.Run("owner user", func(t *testing.T) { conforms(t, "user") })
	t.Run("owner keep", func(t *testing.T) {
		machine.Root(t, "give files to other users")
		conforms(t, "keep")
	})
}

func conforms(t *testing.T, owner string) {
	units := []conformance.UnitItems{
		{Unit: stage.Unit{ID: "filedir/00", Part: stage.Filedir}, Items: []conformance.Item{
			content(nil), content([]byte("x")), content(bytes.Repeat([]byte("large"), 4<<20)),
			item("filedir/"+moodle.ContentPath(fmt.Sprintf("%x", sha1.Sum([]byte("right")))), 0o600, []byte("wrong")),
		}},
		{Unit: stage.Unit{ID: "filedir/01", Part: stage.Filedir}},
		{Unit: stage.Unit{ID: "filedir/other", Part: stage.Filedir}, Items: []conformance.Item{item("filedir/warning.txt", 0o666, []byte("warning"))}},
	}
	many := conformance.UnitItems{Unit: stage.Unit{ID: "filedir/02", Part: stage.Filedir}}
	for i := range 300 { // more than a batch
		many.Items = append(many.Items, content(fmt.Append(nil, "content ", i)))
	}
	units = append(units, many)
	for _, u := range units {
		for i := range u.Items {
			u.Items[i].Entry.Owner = stage.Owner{Known: true, UID: uint32(4000 + i%3), GID: uint32(5000 + i%5)}
		}
	}
	conformance.Sink(t, conformance.SinkFixture{
		Plan:  &stage.Plan{Parts: []string{stage.Filedir}, Files: 305, Bytes: 30 << 20, Workers: 3},
		Units: units,
		Place: func(t testing.TB) conformance.Target { return place(t, owner) },
	})
}

func place(t testing.TB, owner string) conformance.Target {
	dir := filepath.Join(t.TempDir(), "new/filedir")
	st := isolated.Stage(t, Stage())
	return conformance.Target{
		Open: func() stage.Sink {
			s, err := st.NewSink(context.Background(), &Config{Dir: dir, Owner: owner}, stage.Env{TempDir: t.TempDir()})
			if err != nil {
				t.Fatal(err)
			}
			return s
		},
		Untouched: func(t testing.TB) {
			if _, err := os.Stat(filepath.Dir(dir)); !os.IsNotExist(err) {
				t.Errorf("the target was created: %v", err)
			}
		},
		Holds: func(t testing.TB, items []conformance.Item) { holds(t, dir, owner, items) },
	}
}

func holds(t testing.TB, dir, owner string, items []conformance.Item) {
	want := map[string]conformance.Item{}
	for _, i := range items {
		if owner == "user" {
			i.Entry.Owner = stage.Owner{Known: true, UID: uint32(os.Geteuid()), GID: uint32(os.Getegid())}
		}
		want[filepath.Join(dir, i.Entry.Path[len("filedir/"):])] = i
	}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		i, ok := want[path]
		delete(want, path)
		got, err := os.ReadFile(path)
		if err != nil || !ok || !bytes.Equal(got, i.Content()) {
			t.Errorf("%s has %d bytes, %d were written (%v)", path, len(got), len(i.Content()), err)
		}
		info, err := d.Info()
		if err != nil || uint32(info.Mode()) != i.Entry.Mode || !info.ModTime().Equal(i.Entry.ModTime) {
			t.Errorf("%s: mode %v, time %v (%v)", path, info.Mode(), info.ModTime(), err)
		}
		if got := filetree.Owner(info); got != i.Entry.Owner {
			t.Errorf("%s belongs to %+v, want %+v", path, got, i.Entry.Owner)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	for path := range want {
		t.Errorf("%s is missing", path)
	}
}

func TestDirectoriesGetModeOfRoot(t *testing.T) {
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o770|os.ModeSetgid); err != nil {
		t.Fatal(err)
	}
	s, err := Stage().NewSink(t.Context(), &Config{Dir: dir}, stage.Env{TempDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	i := content([]byte("x"))
	if err := conformance.WriteAll(t.Context(), s, &stage.Plan{}, []conformance.UnitItems{{Items: []conformance.Item{i}}}); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(filepath.Join(dir, filepath.Dir(i.Entry.Path[len("filedir/"):])))
	if err != nil || info.Mode() != fs.ModeDir|fs.ModeSetgid|0o770 {
		t.Errorf("a directory has mode %v (%v)", info.Mode(), err)
	}
}
