package filetree_test

import (
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/filetree"
	"github.com/lmsvault/vault/plugins/conformance"
	sinkdataroot "github.com/lmsvault/vault/sinks/dataroot"
	sinkfiles "github.com/lmsvault/vault/sinks/files"
)

func filesSink(t testing.TB, cfg sinkfiles.Config) stage.FileSink {
	t.Helper()
	s, err := sinkfiles.Stage().NewSink(context.Background(), &cfg, stage.Env{TempDir: t.TempDir()})
	must(t, err)
	return s.(stage.FileSink)
}

func datarootSink(t testing.TB, cfg sinkdataroot.Config) stage.FileSink {
	t.Helper()
	s, err := sinkdataroot.Stage().NewSink(context.Background(), &cfg, stage.Env{TempDir: t.TempDir()})
	must(t, err)
	return s.(stage.FileSink)
}

func fileItem(path, content string) conformance.Item {
	item := conformance.Item{Entry: stage.Entry{Path: path, Kind: stage.File, Size: int64(len(content)), Mode: 0o640}}
	if content != "" {
		item.Chunks = []stage.Chunk{{Data: []byte(content)}}
	}
	item.Digest = stage.Digest{Bytes: int64(len(content)), SHA256: fmt.Sprintf("%x", sha256.Sum256([]byte(content)))}
	if strings.HasPrefix(path, "filedir/") {
		item.Digest.SHA1, item.Digest.SHA256 = fmt.Sprintf("%x", sha1.Sum([]byte(content))), ""
	}
	return item
}

func dirItem(path string, mode uint32) conformance.Item {
	return conformance.Item{Entry: stage.Entry{Path: path, Kind: stage.Dir, Mode: mode}}
}

func linkItem(path, target string) conformance.Item {
	return conformance.Item{Entry: stage.Entry{Path: path, Kind: stage.Symlink, Target: target}}
}

func restore(t testing.TB, s stage.Sink, items ...conformance.Item) error {
	t.Helper()
	return restoreAs(t, s, &stage.Plan{}, items...)
}

// Plans of restores over existing contents.
var (
	swap     = &stage.Plan{Replace: stage.ReplaceSwap}
	inPlace  = &stage.Plan{Replace: stage.ReplaceInPlace}
	replaces = map[string]*stage.Plan{"swap": swap, "in place": inPlace}
)

func restoreAs(t testing.TB, s stage.Sink, p *stage.Plan, items ...conformance.Item) error {
	t.Helper()
	return conformance.WriteAll(t.Context(), s, p, []conformance.UnitItems{{Unit: stage.Unit{ID: "u"}, Items: items}})
}

// below lists everything in a directory: path, kind and content.
func below(t testing.TB, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	must(t, filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		rel, _ := filepath.Rel(dir, path)
		switch {
		case d.IsDir():
			all[rel] = "dir"
		case d.Type()&os.ModeSymlink != 0:
			target, err := os.Readlink(path)
			all[rel] = "-> " + target
			return err
		default:
			content, err := os.ReadFile(path)
			all[rel] = string(content)
			return err
		}
		return nil
	}))
	return all
}

// Whatever a snapshot contains, nothing outside the root changes.
func TestHostileSnapshots(t *testing.T) {
	for name, items := range map[string][]conformance.Item{
		"parent":              {fileItem("dataroot/../outside/f", "x")},
		"parent in between":   {fileItem("dataroot/a/../../outside/f", "x")},
		"absolute":            {fileItem("/etc/f", "x")},
		"absolute below":      {fileItem("dataroot//outside/f", "x")},
		"root itself":         {fileItem("dataroot", "x")},
		"root with a slash":   {fileItem("dataroot/", "x")},
		"another part":        {fileItem("filedir/f", "x")},
		"NUL":                 {fileItem("dataroot/a\x00b", "x")},
		"dot":                 {fileItem("dataroot/./f", "x")},
		"marker":              {fileItem("dataroot/"+filetree.MarkerName, "x")},
		"file pool":           {fileItem("dataroot/filedir/ab", "x")},
		"excluded":            {fileItem("dataroot/cache/f", "x")},
		"link, then through":  {linkItem("dataroot/a", "../outside"), fileItem("dataroot/a/f", "x")},
		"absolute link":       {linkItem("dataroot/a", "/"), fileItem("dataroot/a/f", "x")},
		"link inside":         {linkItem("dataroot/a", "filedir"), fileItem("dataroot/a/f", "x")},
		"link to the root":    {linkItem("dataroot/a", "."), fileItem("dataroot/a/filedir/f", "x")},
		"link, then file":     {linkItem("dataroot/a", "../outside/f"), fileItem("dataroot/a", "x")},
		"link, then dir":      {linkItem("dataroot/a", "../outside"), dirItem("dataroot/a", 0o700)},
		"link, then link":     {linkItem("dataroot/a", "x"), linkItem("dataroot/a", "y")},
		"file, then link":     {fileItem("dataroot/a", "x"), linkItem("dataroot/a", "y"), fileItem("dataroot/a", "z")},
		"file twice":          {fileItem("dataroot/a", "x"), fileItem("dataroot/a", "y")},
		"file below file":     {fileItem("dataroot/a", "x"), fileItem("dataroot/a/b", "y"), fileItem("dataroot/a", "z")},
		"dir, then file":      {dirItem("dataroot/a", 0o700), fileItem("dataroot/a", "x")},
		"table":               {{Entry: stage.Entry{Path: "dataroot/a", Kind: stage.Table}}},
		"link without target": {linkItem("dataroot/a", "")},
	} {
		t.Run(name, func(t *testing.T) {
			top := t.TempDir()
			must(t, os.MkdirAll(filepath.Join(top, "outside"), 0o755))
			must(t, os.MkdirAll(filepath.Join(top, "root/filedir"), 0o755))
			before, err := os.Stat(filepath.Join(top, "outside"))
			must(t, err)
			err = restore(t, datarootSink(t, sinkdataroot.Config{Dir: filepath.Join(top, "root")}), items...)
			if err == nil {
				t.Error("no error")
			}
			after, err := os.Stat(filepath.Join(top, "outside"))
			must(t, err)
			for _, dir := range []string{"outside", "root/filedir"} {
				if got := below(t, filepath.Join(top, dir)); len(got) > 0 {
					t.Errorf("%s holds %v", dir, got)
				}
			}
			if before.Mode() != after.Mode() || !before.ModTime().Equal(after.ModTime()) {
				t.Error("the directory outside was touched")
			}
			if got := below(t, filepath.Join(top, "root")); got[filetree.MarkerName] == "" {
				t.Errorf("no marker is left: %v", got)
			}
			for path := range below(t, filepath.Join(top, "root")) {
				if strings.Contains(path, ".vault-tmp-") {
					t.Errorf("%s is left over", path)
				}
			}
		})
	}
}

// A forged snapshot can hold what no source of a pool produces.
func TestPoolGetsNoLinks(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "pool")
	err := restore(t, filesSink(t, sinkfiles.Config{Dir: dir}), linkItem("filedir/"+poolFile, "/etc/passwd"))
	if err == nil || !strings.Contains(err.Error(), "filedir/"+poolFile) || !strings.Contains(err.Error(), "symbolic link") {
		t.Errorf("a link: %v", err)
	}
	if got := below(t, dir); len(got) > 1 {
		t.Errorf("the pool holds %v", got)
	}
}

// The marker is written to, so a link with its name must not lead to a file.
func TestMarkerMustNotBeLink(t *testing.T) {
	dir := holding(t, "filedir/"+poolFile, "muc/config.php")
	must(t, os.Symlink("muc/config.php", filepath.Join(dir, filetree.MarkerName)))
	for name, plan := range replaces {
		_, err := datarootSink(t, sinkdataroot.Config{Dir: dir}).Check(t.Context(), plan)
		if failure.Of(err) != failure.Refused || !strings.Contains(err.Error(), filetree.MarkerName+" is not a file") {
			t.Errorf("%s: a link instead of the marker: %v", name, err)
		}
	}
	if got := below(t, dir); got["muc/config.php"] != "theirs" {
		t.Errorf("the link's target was changed to %q", got["muc/config.php"])
	}
}

// Existing links in the target are neither followed nor written through.
func TestPlantedLinks(t *testing.T) {
	for name, plan := range replaces {
		t.Run(name, func(t *testing.T) {
			top := t.TempDir()
			root := filepath.Join(top, "root")
			must(t, os.MkdirAll(root, 0o755))
			must(t, os.MkdirAll(filepath.Join(top, "outside/keep"), 0o755))
			file(t, filepath.Join(top, "outside/f"), 3)
			for name, target := range map[string]string{"lang": "../outside", "f": "../outside/f", "muc": "../outside"} {
				must(t, os.Symlink(target, filepath.Join(root, name)))
			}
			must(t, restoreAs(t, datarootSink(t, sinkdataroot.Config{Dir: root}), plan, fileItem("dataroot/lang/f", "new"), fileItem("dataroot/f", "new")))
			if got := below(t, filepath.Join(top, "outside")); len(got) != 2 || got["f"] != "xxx" {
				t.Errorf("outside holds %v", got)
			}
			if got := below(t, root); got["lang/f"] != "new" || got["f"] != "new" {
				t.Errorf("the root holds %v", got)
			}
			// muc is kept, so the link still exists.
			if err := restoreAs(t, datarootSink(t, sinkdataroot.Config{Dir: root}), plan, fileItem("dataroot/muc/f", "new")); err == nil {
				t.Error("a file was written through a kept link")
			}
			if got := below(t, filepath.Join(top, "outside")); len(got) != 2 {
				t.Errorf("outside holds %v", got)
			}
		})
	}
}

func TestReplaceKeepsWhatIsExcludedAndPreserved(t *testing.T) {
	for name, plan := range replaces {
		t.Run(name, func(t *testing.T) { keepsExcludedAndPreserved(t, plan.Replace) })
	}
}

func keepsExcludedAndPreserved(t *testing.T, replace stage.Replace) {
	root := t.TempDir()
	for _, path := range []string{"cache/c", "filedir/ab/f", ".htaccess", "muc/config.php", "lang/de/old", "lang/de_local/mine", "old/x/y", "oldfile", "models/keep/a/b", "models/old"} {
		must(t, os.MkdirAll(filepath.Dir(filepath.Join(root, path)), 0o755))
		must(t, os.WriteFile(filepath.Join(root, path), []byte("old"), 0o600))
	}
	items := []conformance.Item{dirItem("dataroot/lang", 0o755), fileItem("dataroot/lang/de/new", "new"), fileItem("dataroot/lang/de_local/theirs", "new"),
		fileItem("dataroot/muc/config.php", "new"), fileItem("dataroot/models/keep/a/b", "new")}
	if err := restore(t, datarootSink(t, sinkdataroot.Config{Dir: root}), items...); failure.Of(err) != failure.Refused {
		t.Errorf("without replace: %v", err)
	}
	if got := below(t, root); got["oldfile"] != "old" || got[filetree.MarkerName] != "" {
		t.Errorf("a refused restore changed something: %v", got)
	}
	must(t, restoreAs(t, datarootSink(t, sinkdataroot.Config{Dir: root}),
		&stage.Plan{Replace: replace, Preserve: []string{"lang/de_local", "models/keep/a", "not/there"}}, items...))
	got := below(t, root)
	if !strings.Contains(got[filetree.RestoredName], "Vault restored") {
		t.Errorf("the marker of a restore is %q", got[filetree.RestoredName])
	}
	delete(got, filetree.RestoredName)
	want := map[string]string{"cache/c": "old", "filedir/ab/f": "old", ".htaccess": "old", "muc/config.php": "new", "lang/de/new": "new",
		"lang/de_local/mine": "old", "models/keep/a/b": "old"}
	for path, content := range want {
		if got[path] != content {
			t.Errorf("%s is %q, want %q", path, got[path], content)
		}
		delete(got, path)
	}
	for path, content := range got {
		if content != "dir" {
			t.Errorf("%s is there: %q", path, content)
		}
	}
}

func TestWrongContentIsNotProven(t *testing.T) {
	for name, spoil := range map[string]func(*conformance.Item){
		"content": func(i *conformance.Item) { i.Chunks[0].Data = []byte("other") },
		"length":  func(i *conformance.Item) { i.Digest.Bytes++ },
		"digest":  func(i *conformance.Item) { i.Digest.SHA256 = "" },
	} {
		item := fileItem("dataroot/spoilt", "right")
		spoil(&item)
		root := t.TempDir()
		err := restore(t, datarootSink(t, sinkdataroot.Config{Dir: root}), fileItem("dataroot/good", "x"), item)
		if failure.Of(err) != failure.Unproven || !strings.Contains(err.Error(), "dataroot/spoilt") {
			t.Errorf("wrong %s: %v", name, err)
		}
		// The unit may be retried: nothing of it remains.
		if got := below(t, root); len(got) != 1 || got[filetree.MarkerName] == "" {
			t.Errorf("wrong %s: %v remains", name, got)
		}
	}
}

func TestTwoRestoresIntoOneDirectory(t *testing.T) {
	root := t.TempDir()
	cfg := sinkfiles.Config{Dir: root}
	first := filesSink(t, cfg)
	must(t, first.Begin(t.Context(), inPlace))
	for name, plan := range replaces {
		second := filesSink(t, cfg)
		if err := second.Begin(t.Context(), plan); failure.Of(err) != failure.Refused || !strings.Contains(err.Error(), "another restore is writing") {
			t.Errorf("%s beside another restore: %v", name, err)
		}
		must(t, second.Close(t.Context()))
	}
	must(t, first.Abort(t.Context()))
	must(t, first.Close(t.Context()))
	err := restore(t, filesSink(t, sinkfiles.Config{Dir: root}))
	if failure.Of(err) != failure.Refused || !strings.Contains(err.Error(), "did not finish") {
		t.Errorf("after a restore that did not finish: %v", err)
	}
	must(t, restoreAs(t, filesSink(t, cfg), swap))
	if got := below(t, root); len(got) != 0 {
		t.Errorf("%v is there", got)
	}
}

func TestCheckRefuses(t *testing.T) {
	dir := t.TempDir()
	notDir := file(t, filepath.Join(dir, "file"), 1)
	for name, c := range map[string]struct {
		dir  string
		plan stage.Plan
	}{
		"no directory":   {notDir, stage.Plan{}},
		"below no dir":   {notDir + "/x", stage.Plan{}},
		"too many bytes": {dir + "/new", stage.Plan{Bytes: 1 << 60}},
		"too many files": {dir + "/new", stage.Plan{Files: 1 << 60}},
	} {
		s := filesSink(t, sinkfiles.Config{Dir: c.dir})
		if _, err := s.Check(t.Context(), &c.plan); failure.Of(err) != failure.Refused {
			t.Errorf("%s: %v", name, err)
		}
		must(t, s.Close(t.Context()))
	}
	if _, err := os.Stat(dir + "/new"); !errors.Is(err, os.ErrNotExist) {
		t.Error("Check created the directory")
	}
}

func TestNotWritable(t *testing.T) {
	dir := os.Getenv("VAULT_TEST_DIR")
	if dir == "" {
		dir = t.TempDir()
		must(t, os.Mkdir(filepath.Join(dir, "theirs"), 0o755))
		if os.Getuid() != 0 {
			must(t, os.Chmod(filepath.Join(dir, "theirs"), 0o555))
		}
		if !asUser(t, dir) {
			return
		}
	}
	_, err := filesSink(t, sinkfiles.Config{Dir: filepath.Join(dir, "theirs")}).Check(t.Context(), &stage.Plan{})
	if failure.Of(err) != failure.Refused || !strings.Contains(err.Error(), "permission denied") {
		t.Errorf("a directory of another user: %v", err)
	}
}
