package filetree_test

import (
	"bytes"
	"context"
	"crypto/sha1"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/lmsvault/vault/core/moodle"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/filetree"
	sinkdataroot "github.com/lmsvault/vault/sinks/dataroot"
	sinkfiles "github.com/lmsvault/vault/sinks/files"
	sourcedataroot "github.com/lmsvault/vault/sources/dataroot"
	sourcefiles "github.com/lmsvault/vault/sources/files"
)

// copyAll copies a source to a sink, unit by unit.
func copyAll(t *testing.T, from stage.Source, to stage.Sink) {
	t.Helper()
	copyAs(t, &stage.Plan{}, from, to)
}

func copyAs(t *testing.T, plan *stage.Plan, from stage.Source, to stage.Sink) {
	t.Helper()
	ctx := t.Context()
	inv, err := from.Plan(ctx, stage.PlanRequest{})
	must(t, err)
	_, err = to.Check(ctx, plan)
	must(t, err)
	must(t, to.Begin(ctx, plan))
	for _, u := range inv.Units {
		w, err := to.(stage.FileSink).WriteFiles(ctx, u)
		must(t, err)
		must(t, from.(stage.FileSource).ReadFiles(ctx, stage.ReadRequest{Unit: u}, w))
		committed(t, w)
	}
	must(t, to.Finish(ctx, &stage.Outcome{}))
	must(t, to.Publish(ctx))
	must(t, to.Close(ctx))
	must(t, from.Close(ctx))
}

// A site's files are restored unchanged: names, kinds, contents, modes, times.
func TestRoundTrip(t *testing.T) {
	site := t.TempDir()
	if lab := os.Getenv("VAULT_TEST_DATAROOT"); lab != "" { // use a real data root
		site = lab
	} else {
		makeSite(t, site)
	}
	target := filepath.Join(removable(t, t.TempDir()), "moodledata")
	env := stage.Env{TempDir: t.TempDir()}
	ctx := context.Background()

	from, err := sourcefiles.Stage().NewSource(ctx, &sourcefiles.Config{Dir: filepath.Join(site, "filedir")}, env)
	must(t, err)
	to, err := sinkfiles.Stage().NewSink(ctx, &sinkfiles.Config{Dir: filepath.Join(target, "filedir")}, env)
	must(t, err)
	copyAll(t, from, to)

	from, err = sourcedataroot.Stage().NewSource(ctx, &sourcedataroot.Config{Dir: site, Include: []string{"muc"}}, env)
	must(t, err)
	to, err = sinkdataroot.Stage().NewSink(ctx, &sinkdataroot.Config{Dir: target}, env)
	must(t, err)
	copyAll(t, from, to)

	must(t, os.Remove(filepath.Join(target, filetree.RestoredName)))
	skip := func(top string) bool {
		_, out := moodle.Excluded(top, []string{"muc"})
		return out && top != moodle.FiledirName
	}
	if n := sameTree(t, site, target, skip); n < 10 {
		t.Errorf("only %d things were compared", n)
	}
}

func makeSite(t *testing.T, site string) {
	put := func(path, content string) {
		must(t, os.MkdirAll(filepath.Join(site, filepath.Dir(path)), 0o755))
		must(t, os.WriteFile(filepath.Join(site, path), []byte(content), 0o640))
	}
	for i := range 50 {
		content := fmt.Sprint("content ", i)
		put("filedir/"+moodle.ContentPath(fmt.Sprintf("%x", sha1.Sum([]byte(content)))), content)
	}
	for _, path := range []string{"lang/de/x", "muc/config.php", "cache/x", "0", "a/\xff\n", "a/.hidden", "climaintenance.html"} {
		put(path, path)
	}
	must(t, os.MkdirAll(filepath.Join(site, "empty/inner"), 0o755))
	must(t, os.Symlink("../0", filepath.Join(site, "a/link")))
	at := time.Unix(1_000_000_000, 987654321)
	must(t, os.Chmod(filepath.Join(site, "empty/inner"), 0o510|os.ModeSticky))
	must(t, os.Chtimes(filepath.Join(site, "empty/inner"), at, at))
	must(t, os.Chmod(filepath.Join(site, "empty"), 0o550))
	t.Cleanup(func() { must(t, os.Chmod(filepath.Join(site, "empty"), 0o755)) })
}

// sameTree compares in both directions, except for what skip matches directly below
// a.
func sameTree(t *testing.T, a, b string, skip func(top string) bool) (compared int) {
	t.Helper()
	left, err := os.ReadDir(a)
	must(t, err)
	names := map[string]bool{}
	for _, d := range left {
		if skip(d.Name()) {
			continue
		}
		names[d.Name()] = true
		compared++
		pa, pb := filepath.Join(a, d.Name()), filepath.Join(b, d.Name())
		ia, err := os.Lstat(pa)
		must(t, err)
		link := ia.Mode()&os.ModeSymlink != 0
		pool := ia.IsDir() && (filepath.Base(a) == moodle.FiledirName || filepath.Base(filepath.Dir(a)) == moodle.FiledirName)
		ib, err := os.Lstat(pb)
		if in, _ := os.ReadDir(pa); err != nil && pool && len(in) == 0 {
			continue // empty directories of the pool are not stored
		}
		if err != nil {
			t.Errorf("%q is lost: %v", pa, err)
			continue
		}
		if own := d.Name() == moodle.FiledirName || pool; ia.Mode().Type() != ib.Mode().Type() || !own && (ia.Mode() != ib.Mode() || !link && !ia.ModTime().Equal(ib.ModTime())) {
			t.Errorf("%q: %v %v became %v %v", pa, ia.Mode(), ia.ModTime(), ib.Mode(), ib.ModTime())
		}
		switch {
		case ia.IsDir():
			compared += sameTree(t, pa, pb, func(string) bool { return false })
		case link:
			ta, err := os.Readlink(pa)
			must(t, err)
			if tb, err := os.Readlink(pb); err != nil || ta != tb {
				t.Errorf("%q points to %q, not %q (%v)", pb, tb, ta, err)
			}
		default:
			ca, err := os.ReadFile(pa)
			must(t, err)
			if cb, err := os.ReadFile(pb); err != nil || !bytes.Equal(ca, cb) {
				t.Errorf("%q has another content (%v)", pb, err)
			}
		}
	}
	right, err := os.ReadDir(b)
	must(t, err)
	for _, d := range right {
		if !names[d.Name()] {
			t.Errorf("%q was not in the original", filepath.Join(b, d.Name()))
		}
	}
	return compared
}
