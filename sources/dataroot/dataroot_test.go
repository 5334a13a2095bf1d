package dataroot

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

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

func write(t testing.TB, dir, path, content string) {
	t.Helper()
	path = filepath.Join(dir, path)
	must(t, os.MkdirAll(filepath.Dir(path), 0o777))
	must(t, os.WriteFile(path, []byte(content), 0o600))
}

// oddNames are names that some programs cannot handle.
var oddNames = []string{
	"0", "-rf", "a\nb", "a\tb", "\x01", "\xff\xfe not UTF-8", `back\slash`, `quo"te'`, "colon:", "a&b", " leading", "trailing ", "trailing.",
	"…", "n\u0303", "\u00f1", "😀", "CASE", "case", ".hidden", "con", "#3f", "%2F", "*", "climaintenance.html", "cache", strings.Repeat("x", 255),
}

var mtime = time.Date(2001, 2, 3, 4, 5, 6, 123456789, time.UTC)

// root creates a data root with everything that one can contain; custom contains odd
// names, modes and kinds.
func root(t testing.TB) string {
	dir := t.TempDir()
	for _, name := range []string{"cache", "localcache", "temp", "sessions", "trashdir", "lock", "filedir", "muc", "antivirus_quarantine", "phpunit", "__vault_restore__", ".git"} {
		write(t, dir, name+"/in", name)
	}
	for _, name := range []string{"climaintenance.html", "climaintenance.template.html", ".htaccess", "phpunittestdir.txt", "0", "toplevel.txt"} {
		write(t, dir, name, name)
	}
	for _, name := range oddNames {
		write(t, dir, "custom/"+name, name)
	}
	write(t, dir, "custom/empty file", "")
	write(t, dir, "custom/large", strings.Repeat("large", 4<<20))
	must(t, os.MkdirAll(filepath.Join(dir, "empty/inner"), 0o777))
	for name, target := range map[string]string{"in": "../toplevel.txt", "out": "/etc/passwd", "dangling": "nowhere", "loop": "loop", "dir": "..", "odd": "\xff"} {
		must(t, os.Symlink(target, filepath.Join(dir, "custom", name)))
	}
	must(t, os.Symlink("custom", filepath.Join(dir, "toplink")))
	must(t, syscall.Mkfifo(filepath.Join(dir, "custom/pipe"), 0o666))
	for i := range 200 {
		write(t, dir, fmt.Sprintf("lang/l%d/f%d", i%10, i), fmt.Sprint(i))
	}
	write(t, dir, "lang/top", "top")
	for i := range 80 {
		write(t, dir, fmt.Sprintf("models/%d/%s", i, "f/f"), fmt.Sprint(i))
	}
	must(t, os.Chmod(filepath.Join(dir, "custom/0"), 0o640|os.ModeSetgid|os.ModeSticky))
	must(t, os.Chtimes(filepath.Join(dir, "custom/0"), mtime, mtime))
	must(t, os.Chmod(filepath.Join(dir, "empty"), 0o750|os.ModeSetgid))
	must(t, os.Chtimes(filepath.Join(dir, "empty"), mtime, mtime))
	return dir
}

func opened(t testing.TB, cfg *Config) stage.Source {
	t.Helper()
	must(t, cfg.Validate())
	s, err := open(cfg)
	must(t, err)
	s.limit, s.flat = 130, 24
	return s
}

func excluding(patterns ...string) selection.Selection {
	return selection.Selection{ExcludeFiles: patterns}
}

func TestConformance(t *testing.T) {
	dir := root(t)
	st := isolated.Stage(t, Stage())
	conformance.Source(t, conformance.SourceFixture{
		Open: func(t testing.TB) stage.Source {
			if !isolated.On() {
				return opened(t, &Config{Dir: dir}) // with small units
			}
			s, err := st.NewSource(t.Context(), &Config{Dir: dir}, stage.Env{})
			must(t, err)
			return s
		},
		Parts:        []string{stage.Dataroot},
		Losses:       map[stage.LossKind]int64{stage.LossSpecial: 1, stage.LossOutside: 1},
		Fingerprints: true,
	})
}

// Every file, directory and link on disk is an entry, except those that the rules
// exclude.
func TestReadsAllEntries(t *testing.T) {
	dir := root(t)
	items, _ := conformance.ReadSelected(t, opened(t, &Config{Dir: dir, Include: []string{"muc"}}), excluding("dataroot/lang/l3", "dataroot/mod*s"))
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		rel, _ := filepath.Rel(dir, path)
		if err != nil || rel == "." {
			return err
		}
		info, err := d.Info()
		must(t, err)
		item, carried := items["dataroot/"+rel]
		delete(items, "dataroot/"+rel)
		top, _, nested := strings.Cut(rel, "/")
		_, out := moodle.Excluded(top, []string{"muc"})
		out = out || top == "models" || filetree.Within(rel, "lang/l3") || info.Mode()&os.ModeNamedPipe != 0
		if carried == out {
			t.Errorf("%q (nested %v) is read: %v", rel, nested, carried)
		}
		if out {
			return nil
		}
		if info.Mode()&os.ModeSymlink != 0 {
			if target, err := os.Readlink(path); err != nil || item.Entry.Kind != stage.Symlink || item.Entry.Target != target {
				t.Errorf("link %q: %+v", rel, item.Entry)
			}
			return nil
		}
		if got := item.Entry; filetree.FileMode(got.Mode) != info.Mode()&^os.ModeDir || !got.ModTime.Equal(info.ModTime()) || (got.Kind == stage.Dir) != d.IsDir() {
			t.Errorf("%q: %+v, and on disk %v %v", rel, got, info.Mode(), info.ModTime())
		}
		if !d.IsDir() {
			if content, err := os.ReadFile(path); err != nil || !bytes.Equal(content, item.Content()) {
				t.Errorf("%q has different content", rel)
			}
		}
		return nil
	})
	must(t, err)
	for path := range items {
		t.Errorf("%q is read but does not exist", path)
	}
}

func TestPlanSplitsLargeDirectoriesAndNotesExclusions(t *testing.T) {
	dir := root(t)
	inv, err := opened(t, &Config{Dir: dir}).Plan(t.Context(), stage.PlanRequest{Selection: excluding("dataroot/lang/*3", "dataroot/gone", "filedir/x")})
	must(t, err)
	var ids []string
	for _, u := range inv.Units {
		ids = append(ids, u.ID)
	}
	for _, want := range []string{"dataroot/.", "dataroot/custom", "dataroot/empty", "dataroot/lang/.", "dataroot/lang/l0", "dataroot/models/."} {
		if !slices.Contains(ids, want) {
			t.Errorf("no unit %s in %q", want, ids)
		}
	}
	if slices.Contains(ids, "dataroot/lang/l3") {
		t.Error("an excluded directory has a unit")
	}
	buckets := slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return !strings.HasPrefix(id, "dataroot/models/#") })
	if n := len(ids) - len(buckets); len(buckets) < 30 || n != 4+1+9 {
		t.Errorf("%d buckets and %d other units: %q", len(buckets), n, ids)
	}
	if want := []selection.Excluded{{Path: "dataroot/lang/l3", Pattern: "dataroot/lang/*3"}}; !slices.Equal(inv.Excluded, want) {
		t.Errorf("excluded %q, want %q", inv.Excluded, want)
	}
	notes := map[string]string{}
	for _, n := range inv.Notes {
		notes[n.Path] = n.Text
	}
	for _, path := range []string{"cache", "filedir", ".htaccess", "climaintenance.html", "muc"} {
		if notes["dataroot/"+path] == "" {
			t.Errorf("no note about %s", path)
		}
	}
	if notes["dataroot/climaintenance.template.html"] != "" {
		t.Error("climaintenance.template.html is excluded")
	}
}

// No unit has more files of one directory than a target can hold in memory, every
// file is in one unit, and a new file changes few units.
func TestFlatDirectoriesAreDivided(t *testing.T) {
	for _, path := range []string{"flat", "folder/flat"} {
		t.Run(path, func(t *testing.T) { flatIsDivided(t, path) })
	}
}

func flatIsDivided(t *testing.T, path string) {
	dir := t.TempDir()
	for i := range 1000 {
		write(t, dir, fmt.Sprintf("%s/f%04d \xff'", path, i*7), "x")
	}
	plan := func() (ids []string) {
		s := opened(t, &Config{Dir: dir}).(*source)
		s.flat = 100
		inv, err := s.Plan(t.Context(), stage.PlanRequest{})
		must(t, err)
		seen := map[string]bool{}
		for _, u := range inv.Units {
			ids = append(ids, u.ID)
			k := &counter{seen: seen}
			must(t, s.ReadFiles(t.Context(), stage.ReadRequest{Unit: u}, k))
			if k.n > 101 { // including the directory itself
				t.Errorf("unit %s has %d entries", u.ID, k.n)
			}
		}
		on, err := os.ReadDir(filepath.Join(dir, path))
		must(t, err)
		if len(seen) != len(on)+1+strings.Count(path, "/") || !seen["dataroot/"+path] {
			t.Errorf("%d entries are read of %d files and what they are in", len(seen), len(on))
		}
		must(t, s.Close(t.Context()))
		return ids
	}
	before := plan()
	if len(before) < 10 {
		t.Errorf("units are %q", before)
	}
	write(t, dir, path+"/f0001", "new")
	same := 0
	for _, id := range plan() {
		if slices.Contains(before, id) {
			same++
		}
	}
	if same < len(before)/2 {
		t.Errorf("%d of %d units are the same after one new file", same, len(before))
	}
}

// counter counts the entries of a unit, none of which may be in seen.
type counter struct {
	seen map[string]bool
	n    int
}

func (k *counter) Open(_ context.Context, e stage.Entry) error {
	if k.seen[e.Path] {
		return fmt.Errorf("%s is read twice", e.Path)
	}
	k.seen[e.Path] = true
	k.n++
	return nil
}
func (k *counter) Write(context.Context, []byte) error       { return nil }
func (k *counter) Close(context.Context, stage.Digest) error { return nil }
func (k *counter) Same(context.Context, stage.Entry) error   { return nil }
func (k *counter) Drop(context.Context) error                { return nil }
func (k *counter) Loss(_ context.Context, l stage.Loss) error {
	return fmt.Errorf("lost: %+v", l)
}

func TestPipesAndSocketsAreNotOpened(t *testing.T) {
	dir := t.TempDir()
	must(t, syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o666))
	fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	must(t, err)
	defer syscall.Close(fd)
	t.Chdir(dir) // a socket's path must be short
	must(t, syscall.Bind(fd, &syscall.SockaddrUnix{Name: "socket"}))
	items, losses := conformance.ReadAll(t, opened(t, &Config{Dir: dir}))
	if len(items) != 0 || len(losses) != 2 || losses[0].Kind != stage.LossSpecial || losses[1].Kind != stage.LossSpecial {
		t.Errorf("items %v, losses %+v", items, losses)
	}
}

func TestHalfRestoredRootIsRefused(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, filetree.MarkerName, "")
	if _, err := open(&Config{Dir: dir}); failure.Of(err) != failure.Refused || !strings.Contains(err.Error(), "did not finish") {
		t.Errorf("an incomplete root: %v", err)
	}
}

func TestConfig(t *testing.T) {
	for _, bad := range []Config{{Include: []string{"cache"}}, {Follow: []string{"/etc"}}, {Follow: []string{"a/../b"}}, {Follow: []string{""}}} {
		if bad.Validate() == nil {
			t.Errorf("%+v is accepted", bad)
		}
	}
}

func FuzzScope(f *testing.F) {
	f.Add("a/b", uint32(3))
	f.Add("\xff\n \"", uint32(0))
	f.Fuzz(func(t *testing.T, path string, bucket uint32) {
		want := scope{path: path, what: folders, bucket: bucket, after: path + "'", last: path}
		got, err := parseScope(want.unit(0, 0).Spec)
		if err != nil || got != want {
			t.Errorf("%+v becomes %+v, %v", want, got, err)
		}
	})
}

func TestWrongDirectoryIsRecognised(t *testing.T) {
	plan := func(names ...string) (*stage.Inventory, error) {
		dir := t.TempDir()
		for _, name := range names {
			write(t, dir, name, "")
		}
		return opened(t, &Config{Dir: dir}).Plan(t.Context(), stage.PlanRequest{})
	}
	for says, names := range map[string][]string{
		"is a file pool, not a data root":    {"00/11/in", "warning.txt"},
		"is Moodle's code, not a data root":  {"config-dist.php", "version.php"},
		"is Moodle's code, not a data root;": {"config.php", "lib/in", "lang/in"},
	} {
		if _, err := plan(names...); failure.Of(err) != failure.Refused || !strings.Contains(err.Error(), says) {
			t.Errorf("with %q: %v", names, err)
		}
	}
	inv, err := plan()
	must(t, err)
	if len(inv.Losses) != 1 || inv.Losses[0].Kind != stage.LossPart || inv.Losses[0].Path != stage.Dataroot {
		t.Errorf("an empty directory: losses %+v", inv.Losses)
	}
	inv, err = plan("photos/in")
	must(t, err)
	if len(inv.Losses) != 0 || len(inv.Notes) != 1 || !strings.Contains(inv.Notes[0].Text, "has none of the directories that Moodle creates") {
		t.Errorf("another directory: %+v, %+v", inv.Losses, inv.Notes)
	}
	inv, err = plan("lang/in", "lost+found/in")
	must(t, err)
	if len(inv.Losses) != 0 || len(inv.Notes) != 1 || inv.Notes[0].Path != "dataroot/lost+found" {
		t.Errorf("with lost+found: %+v, %+v", inv.Losses, inv.Notes)
	}
}
