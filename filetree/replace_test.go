package filetree_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/stage"
	sinkdataroot "github.com/lmsvault/vault/sinks/dataroot"
	sinkfiles "github.com/lmsvault/vault/sinks/files"
)

const poolFile = "01/23/0123456789012345678901234567890123456789"

// removable returns a directory that is removed completely at the end of the test,
// including directories without write permission.
func removable(t testing.TB, dir string) string {
	t.Cleanup(func() {
		must(t, filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
			if err == nil && d.IsDir() { // before it is listed
				err = os.Chmod(path, 0o700)
			}
			return err
		}))
	})
	return dir
}

// holding creates a directory with these files; a name that ends in / is a directory.
// The text after = is the content of a file.
func holding(t testing.TB, names ...string) string {
	t.Helper()
	dir := removable(t, t.TempDir())
	for _, name := range names {
		name, content, given := strings.Cut(name, "=")
		if !given {
			content = "theirs"
		}
		path := filepath.Join(dir, name)
		must(t, os.MkdirAll(filepath.Dir(path), 0o755))
		if strings.HasSuffix(name, "/") {
			must(t, os.MkdirAll(path, 0o755))
			continue
		}
		must(t, os.WriteFile(path, []byte(content), 0o600))
	}
	return dir
}

func TestReplaceRefusesForeignDirectories(t *testing.T) {
	sinks := map[string]func(dir string) stage.Sink{
		"files":    func(dir string) stage.Sink { return filesSink(t, sinkfiles.Config{Dir: dir}) },
		"dataroot": func(dir string) stage.Sink { return datarootSink(t, sinkdataroot.Config{Dir: dir}) },
	}
	for _, c := range []struct {
		name, sink string
		holds      []string
		refused    string // what is named; "" for not refused
	}{
		{"home for a pool", "files", []string{".bashrc", "Documents/letter", "photos/1.jpg"}, `".bashrc, Documents, photos"`},
		{"home for a data root", "dataroot", []string{".bashrc", "Documents/letter", "photos/1.jpg"}, `"Documents, photos"`},
		{"/var for a data root", "dataroot", []string{"cache/x", "lock/x", "lib/x", "log/x", "tmp/x"}, `"lib, log, tmp"`},
		{"Moodle's code for a data root", "dataroot", []string{"lib/x", "lang/x", "cache/x", "repository/x", "config.php"}, `"config.php, lang, lib" …`},
		{"a data root for a pool", "files", []string{"filedir/" + poolFile, "lang/x"}, `"filedir, lang"`},
		{"a pool for a data root", "dataroot", []string{poolFile}, `"01"`},
		{"one folder named like a pool's", "files", []string{"ab/notes", "photos/x"}, `"photos, ab"`},
		{"a warning beside others", "files", []string{"warning.txt", "photos/x"}, `"photos, warning.txt"`},
		{"a pool", "files", []string{poolFile, "photos/x"}, ""},
		{"an empty pool", "files", []string{"warning.txt", "lost+found/x"}, ""},
		{"a data root", "dataroot", []string{"muc/config.php", "lang/x"}, ""},
		{"a data root that has the pool", "dataroot", []string{"filedir/" + poolFile, "lang/x"}, ""},
		{"nothing that would go", "dataroot", []string{"cache/x", ".htaccess", "lost+found/"}, ""},
		{"nothing", "files", nil, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, plan := range replaces {
				dir := holding(t, c.holds...)
				before := below(t, dir)
				s := sinks[c.sink](dir)
				_, checked := s.Check(t.Context(), plan)
				begun := s.Begin(t.Context(), plan)
				must(t, s.Close(t.Context()))
				if c.refused == "" {
					must(t, checked)
					must(t, begun)
					continue
				}
				for _, err := range []error{checked, begun} {
					if failure.Of(err) != failure.Refused || !strings.Contains(err.Error(), c.refused) || !strings.Contains(err.Error(), "empty the directory yourself") {
						t.Errorf("not refused as expected: %v", err)
					}
				}
				if after := below(t, dir); fmt.Sprint(after) != fmt.Sprint(before) {
					t.Errorf("contents changed from %v to %v", before, after)
				}
			}
		})
	}
}

func TestPlanReportsWhatReplaceRemoves(t *testing.T) {
	dir := holding(t, "filedir/"+poolFile, "lang/de/x", "lang/de_local/mine", "photos/1", "photos/2", "cache/x")
	s := datarootSink(t, sinkdataroot.Config{Dir: dir})
	found, err := s.Check(t.Context(), &stage.Plan{Replace: stage.ReplaceSwap, Preserve: []string{"lang/de_local"}})
	notes := found.Notes
	must(t, err)
	// lang/de with x, photos with two files of six bytes; lang itself stays.
	want := stage.Note{Path: "dataroot", Text: "replace: true removes 5 files and directories (18 B) from " + dir + `, among them "lang, photos"`}
	if len(notes) != 2 || notes[1] != want {
		t.Errorf("notes are %q, want %q", notes, want)
	}
	found, err = filesSink(t, sinkfiles.Config{Dir: holding(t, poolFile, "ff/", "zz")}).Check(t.Context(), inPlace)
	notes = found.Notes
	must(t, err)
	if len(notes) != 1 || !strings.Contains(notes[0].Text, `replace: in_place removes 5 files and directories (12 B)`) || !strings.Contains(notes[0].Text, `among them "zz, 01, ff"`) {
		t.Errorf("notes are %q", notes)
	}
}

// A data root that Moodle has not used yet is recognised by the restore's marker.
func TestFinishedRestoreIsReplaced(t *testing.T) {
	for _, plan := range replaces {
		dir := t.TempDir()
		for _, content := range []string{"first", "second"} {
			must(t, restoreAs(t, datarootSink(t, sinkdataroot.Config{Dir: dir}), plan, fileItem("dataroot/custom/f", content)))
			if got := below(t, dir); got["custom/f"] != content || len(got) != 3 {
				t.Errorf("the directory holds %v", got)
			}
		}
	}
}

func TestLostAndFoundIsIgnored(t *testing.T) {
	for _, plan := range []*stage.Plan{{}, swap, inPlace} {
		dir := holding(t, "lost+found/")
		must(t, os.Chmod(filepath.Join(dir, "lost+found"), 0o700))
		must(t, restoreAs(t, filesSink(t, sinkfiles.Config{Dir: dir}), plan, fileItem("filedir/"+poolFile, "x")))
		if got := below(t, dir); got[poolFile] != "x" || got["lost+found"] != "dir" {
			t.Errorf("replace %q: %v", plan.Replace, got)
		}
		root := holding(t, "lost+found/")
		must(t, restoreAs(t, datarootSink(t, sinkdataroot.Config{Dir: root}), plan, fileItem("dataroot/f", "x")))
		if got := below(t, root); got["f"] != "x" || got["lost+found"] != "dir" {
			t.Errorf("replace %q: %v", plan.Replace, got)
		}
	}
}

// What a restore created can be replaced by the same user, whatever the modes of
// directories, and kept directories get their modes back.
func TestRestoreIntoClosedDirectoriesIsRepeatable(t *testing.T) {
	dir := os.Getenv("VAULT_TEST_DIR")
	if dir == "" {
		dir = t.TempDir()
		must(t, os.Chmod(dir, 0o777))
		if !asUser(t, dir) {
			return
		}
	}
	for name, plan := range replaces {
		t.Run(name, func(t *testing.T) { repeatedInto(t, filepath.Join(dir, name), plan.Replace) })
	}
}

func repeatedInto(t *testing.T, target string, replace stage.Replace) {
	plan := &stage.Plan{Replace: replace, Preserve: []string{"held/mine"}}
	t.Cleanup(func() { // allow removing it
		must(t, filepath.WalkDir(target, func(path string, d os.DirEntry, err error) error {
			if err == nil && d.IsDir() {
				err = os.Chmod(path, 0o700)
			}
			return err
		}))
	})
	at := time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)
	must(t, os.MkdirAll(filepath.Join(target, "held/mine"), 0o700))
	must(t, os.MkdirAll(filepath.Join(target, "muc/in"), 0o700))
	for range 3 {
		for _, name := range []string{"muc/in", "muc"} {
			must(t, os.Chtimes(filepath.Join(target, name), at, at))
			must(t, os.Chmod(filepath.Join(target, name), 0o510))
		}
		must(t, os.Chmod(filepath.Join(target, "held"), 0o500))
		must(t, restoreAs(t, datarootSink(t, sinkdataroot.Config{Dir: target}), plan,
			dirItem("dataroot/a", 0o500), dirItem("dataroot/a/b", 0o100), fileItem("dataroot/a/b/f", "x"), dirItem("dataroot/a/c", 0),
			fileItem("dataroot/held/new/f", "x"), dirItem("dataroot/held/new", 0o500), fileItem("dataroot/muc/in/f", "x")))
		for name, mode := range map[string]os.FileMode{"a": 0o500, "a/c": 0, "held": 0o500, "held/new": 0o500, "muc": 0o510} {
			info, err := os.Stat(filepath.Join(target, name))
			must(t, err)
			if info.Mode().Perm() != mode {
				t.Errorf("%s has mode %v", name, info.Mode())
			}
			if name == "muc" && !info.ModTime().Equal(at) {
				t.Errorf("%s has time %v", name, info.ModTime())
			}
		}
	}
}

// Snapshots from before lost+found was excluded can still be restored.
func TestLostAndFoundOfSnapshotIsSkipped(t *testing.T) {
	dir := t.TempDir()
	if err := restore(t, datarootSink(t, sinkdataroot.Config{Dir: dir}), fileItem("dataroot/lost+found/#12", "x"), fileItem("dataroot/lang/f", "in")); err != nil {
		t.Fatal(err)
	}
	got := below(t, dir)
	if _, there := got["lost+found"]; there || got["lang/f"] == "" {
		t.Errorf("the target holds %v", got)
	}
}

func TestPreservedPathsAreChecked(t *testing.T) {
	for _, bad := range []string{"/etc", "a/../b", "", "lang/"} {
		_, err := datarootSink(t, sinkdataroot.Config{Dir: t.TempDir()}).Check(t.Context(), &stage.Plan{Preserve: []string{bad}})
		if failure.Of(err) != failure.Refused || !strings.Contains(err.Error(), "preserve") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}
