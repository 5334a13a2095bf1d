package files

import (
	"bytes"
	"context"
	"crypto/sha1"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/moodle"
	"github.com/lmsvault/vault/core/selection"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/filetree"
	"github.com/lmsvault/vault/internal/isolated"
	"github.com/lmsvault/vault/plugins/conformance"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func write(t testing.TB, dir, path string, content []byte) {
	t.Helper()
	path = filepath.Join(dir, path)
	must(t, os.MkdirAll(filepath.Dir(path), 0o777))
	must(t, os.WriteFile(path, content, 0o640))
}

// content stores a content as Moodle does and returns its hash.
func content(t testing.TB, dir string, data []byte) string {
	t.Helper()
	hash := fmt.Sprintf("%x", sha1.Sum(data))
	write(t, dir, moodle.ContentPath(hash), data)
	return hash
}

// pool creates a file pool with everything that one can contain.
func pool(t testing.TB) (dir string, contents map[string][]byte) {
	dir = t.TempDir()
	contents = map[string][]byte{}
	r := rand.New(rand.NewPCG(1, 2))
	for range 60 {
		data := make([]byte, r.IntN(2000))
		for j := range data {
			data[j] = byte(r.Uint32())
		}
		contents[content(t, dir, data)] = data
	}
	contents[content(t, dir, nil)] = nil
	large := bytes.Repeat([]byte("large "), 3<<20)
	contents[content(t, dir, large)] = large
	corrupt := fmt.Sprintf("%x", sha1.Sum([]byte("right")))
	write(t, dir, moodle.ContentPath(corrupt), []byte("wrong"))
	write(t, dir, "warning.txt", []byte("do not touch"))
	write(t, dir, "zz/odd", []byte("an odd file"))
	write(t, dir, "00/11/"+moodle.EmptyContent, []byte("a content where Moodle does not look for it"))
	write(t, dir, "00/00/"+moodle.EmptyContent+".tmp", []byte("an unfinished upload"))
	must(t, os.Symlink("/etc", filepath.Join(dir, "00", "etc")))
	must(t, os.Symlink("00", filepath.Join(dir, "not-there")))
	must(t, syscall.Mkfifo(filepath.Join(dir, "00", "pipe"), 0o666))
	return dir, contents
}

func opened(t testing.TB, dir string) stage.Source {
	t.Helper()
	s, err := isolated.Stage(t, Stage()).NewSource(t.Context(), &Config{Dir: dir}, stage.Env{})
	must(t, err)
	return s
}

func TestConformance(t *testing.T) {
	dir, _ := pool(t)
	conformance.Source(t, conformance.SourceFixture{
		Open:         func(t testing.TB) stage.Source { return opened(t, dir) },
		Parts:        []string{stage.Filedir},
		Losses:       map[stage.LossKind]int64{stage.LossCorrupt: 1, stage.LossSpecial: 3},
		Fingerprints: true,
	})
}

func TestReadsWhatIsThere(t *testing.T) {
	dir, contents := pool(t)
	link := filepath.Join(t.TempDir(), "filedir") // filedir is often a link
	must(t, os.Symlink(dir, link))
	items, losses := conformance.ReadAll(t, opened(t, link))
	var hashes int
	for path, item := range items {
		hash, ok := moodle.ContentHash(path[len("filedir/"):])
		if !ok {
			continue
		}
		hashes++
		want, known := contents[hash]
		if known && (item.Digest.SHA1 != hash || !bytes.Equal(item.Content(), want)) {
			t.Errorf("%s has %d bytes and SHA-1 %s", path, len(item.Content()), item.Digest.SHA1)
		}
		if item.Entry.Mode != 0o640 {
			t.Errorf("%s has mode %o", path, item.Entry.Mode)
		}
	}
	if hashes != len(contents)+1 {
		t.Errorf("%d contents are read, but the pool has %d and a corrupt one", hashes, len(contents))
	}
	wrong := items["filedir/"+moodle.ContentPath(fmt.Sprintf("%x", sha1.Sum([]byte("right"))))]
	if got := string(wrong.Content()); got != "wrong" || wrong.Digest.SHA1 != fmt.Sprintf("%x", sha1.Sum([]byte("wrong"))) || wrong.Entry.Fingerprint != "" {
		t.Errorf("the corrupt content must be kept under its name with its real checksum and read again next time: %q %+v", got, wrong)
	}
	for path, want := range map[string]string{"filedir/warning.txt": "do not touch", "filedir/zz/odd": "an odd file"} {
		if got := items[path]; string(got.Content()) != want {
			t.Errorf("%s: %q", path, got.Content())
		}
	}
	if _, ok := items["filedir/00/00/"+moodle.EmptyContent+".tmp"]; ok {
		t.Error("an unfinished upload is read")
	}
	if len(losses) != 4 {
		t.Errorf("losses: %+v", losses)
	}
}

func TestUnits(t *testing.T) {
	dir, _ := pool(t)
	inv, err := opened(t, dir).Plan(t.Context(), stage.PlanRequest{})
	must(t, err)
	folders, err := filepath.Glob(filepath.Join(dir, "[0-9a-f][0-9a-f]"))
	must(t, err)
	if len(inv.Units) != len(folders)+1 {
		t.Errorf("%d units for %d directories and the rest", len(inv.Units), len(folders))
	}
	if u := inv.Units[len(inv.Units)-1]; u.ID != "filedir/other" {
		t.Errorf("the last unit is %s", u.ID)
	}
	var files, size int64
	for _, u := range inv.Units {
		files, size = files+u.Rows, size+u.Bytes
	}
	if files < 50 || files > 100 || size < 1<<16 {
		t.Errorf("estimates: %d files, %d bytes", files, size)
	}
}

func TestHalfRestoredPoolIsRefused(t *testing.T) {
	dir, _ := pool(t)
	write(t, dir, filetree.MarkerName, nil)
	if _, err := open(&Config{Dir: dir}); failure.Of(err) != failure.Refused {
		t.Errorf("an incomplete pool: %v", err)
	}
	if _, err := open(&Config{Dir: filepath.Join(dir, "nowhere")}); failure.Of(err) != failure.Refused {
		t.Errorf("a missing pool: %v", err)
	}
}

// A directory that Moodle removes after the plan is no longer part of the site; the
// check of the table files finds out whether its contents are needed.
func TestVanishedDirectory(t *testing.T) {
	dir, _ := pool(t)
	s := opened(t, dir)
	inv, err := s.Plan(t.Context(), stage.PlanRequest{})
	must(t, err)
	must(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && path != dir && d.IsDir() {
			must(t, os.RemoveAll(path))
			return fs.SkipDir
		}
		return err
	}))
	items, losses := conformance.ReadUnits(t, s, inv)
	if len(items) != 1 || len(losses) != 1 { // warning.txt, and the link not-there
		t.Errorf("%d entries, losses %+v", len(items), losses)
	}
}

func TestWrongDirectoryIsRefused(t *testing.T) {
	for says, names := range map[string][]string{
		"is a data root, not a file pool; set dir to": {"filedir/00/in", "lang/in"},
		"is Moodle's code, not a file pool":           {"config-dist.php", "lib/in", "version.php"},
	} {
		dir := t.TempDir()
		for _, name := range names {
			write(t, dir, name, nil)
		}
		if _, err := opened(t, dir).Plan(t.Context(), stage.PlanRequest{}); failure.Of(err) != failure.Refused || !strings.Contains(err.Error(), says) {
			t.Errorf("with %q: %v", names, err)
		}
	}
}

func TestEmptyPoolIsMissingPart(t *testing.T) {
	dir := t.TempDir()
	must(t, os.MkdirAll(filepath.Join(dir, "lost+found"), 0))
	write(t, dir, filetree.RestoredName, nil)
	write(t, dir, "warning.txt", []byte("do not touch"))
	s := opened(t, dir)
	inv, err := s.Plan(t.Context(), stage.PlanRequest{})
	must(t, err)
	if len(inv.Losses) != 1 || inv.Losses[0].Kind != stage.LossPart || inv.Losses[0].Path != stage.Filedir || len(inv.Units) != 1 {
		t.Errorf("losses %+v, units %+v", inv.Losses, inv.Units)
	}
	if items, losses := conformance.ReadUnits(t, s, inv); len(items) != 1 || len(losses) != len(inv.Losses) {
		t.Errorf("%d entries, losses %+v", len(items), losses)
	}
}

func TestExcluded(t *testing.T) {
	dir, contents := pool(t)
	write(t, dir, ".snapshot/00/00/in", []byte("a copy"))
	hash := content(t, dir, []byte("left out"))
	path := moodle.ContentPath(hash)
	s, err := open(&Config{Dir: dir})
	must(t, err)
	inv, err := s.Plan(t.Context(), stage.PlanRequest{Selection: selection.Selection{ExcludeFiles: []string{"filedir/.snap*", "filedir/0*/pipe", "filedir/" + path, "filedir/gone", "dataroot/x"}}})
	must(t, err)
	if want := []selection.Excluded{{Path: "filedir/.snapshot", Pattern: "filedir/.snap*"}, {Path: "filedir/00/pipe", Pattern: "filedir/0*/pipe"}, {Path: "filedir/" + path, Pattern: "filedir/" + path}}; !slices.Equal(inv.Excluded, want) {
		t.Errorf("excluded %q, want %q", inv.Excluded, want)
	}
	items, losses := conformance.ReadUnits(t, s, inv)
	if len(losses) != 3 {
		t.Errorf("losses %+v", losses)
	}
	for _, left := range []string{".snapshot/00/00/in", path} {
		if _, there := items["filedir/"+left]; there {
			t.Errorf("%s is read", left)
		}
	}
	for hash := range contents {
		if _, there := items["filedir/"+moodle.ContentPath(hash)]; !there {
			t.Errorf("%s is not read", hash)
		}
	}
}

// Unfinished uploads are noted only if there are any, and each once, even if its unit
// is read again.
func TestUnfinishedUploadsAreNoted(t *testing.T) {
	dir := t.TempDir()
	content(t, dir, []byte("x"))
	notes := func() []stage.Note {
		s := opened(t, dir)
		inv, err := s.Plan(t.Context(), stage.PlanRequest{})
		must(t, err)
		for range 2 {
			for _, u := range inv.Units {
				must(t, s.(stage.FileSource).ReadFiles(t.Context(), stage.ReadRequest{Unit: u}, nowhere{}))
			}
		}
		found, err := s.(stage.Noter).Notes(t.Context())
		must(t, err)
		return append(inv.Notes, found...)
	}
	if got := notes(); len(got) > 0 {
		t.Errorf("nothing is skipped, but the notes are %+v", got)
	}
	write(t, dir, "00/00/"+moodle.EmptyContent+".tmp", []byte("an unfinished upload"))
	write(t, dir, "00/00/.nfs0000001", []byte("deleted and open"))
	if got := notes(); len(got) != 1 || !strings.HasPrefix(got[0].Text, "skipped 2 files") {
		t.Errorf("the notes are %+v", got)
	}
}

// nowhere is a FileWriter that discards everything.
type nowhere struct{}

func (nowhere) Open(context.Context, stage.Entry) error   { return nil }
func (nowhere) Write(context.Context, []byte) error       { return nil }
func (nowhere) Close(context.Context, stage.Digest) error { return nil }
func (nowhere) Same(context.Context, stage.Entry) error   { return nil }
func (nowhere) Drop(context.Context) error                { return nil }
func (nowhere) Loss(context.Context, stage.Loss) error    { return nil }
