package filetree_test

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/moodle"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/filetree"
	"github.com/lmsvault/vault/internal/machine"
	"github.com/lmsvault/vault/plugins/conformance"
	sinkdataroot "github.com/lmsvault/vault/sinks/dataroot"
	sinkfiles "github.com/lmsvault/vault/sinks/files"
	sourcedataroot "github.com/lmsvault/vault/sources/dataroot"
	sourcefiles "github.com/lmsvault/vault/sources/files"
)

func ids(uid, gid uint32) stage.Owner { return stage.Owner{Known: true, UID: uid, GID: gid} }

// mostly is the most common owner of an owned site.
var mostly = ids(4000, 5000)

func ownerOf(t testing.TB, path string) stage.Owner {
	t.Helper()
	info, err := os.Lstat(path)
	must(t, err)
	return filetree.Owner(info)
}

// ownedSite creates a site with several owners, setuid and setgid files, links and
// directories.
func ownedSite(t *testing.T) string {
	site := t.TempDir()
	makeSite(t, site)
	n := 0
	must(t, filepath.WalkDir(site, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		n++
		uid, gid := int(mostly.UID), int(mostly.GID)
		if n%4 == 0 {
			uid, gid = 4000+n%7, 5000+n%11
		}
		info, err := d.Info()
		must(t, err)
		must(t, os.Lchown(path, uid, gid))
		if d.Type()&fs.ModeSymlink == 0 {
			must(t, os.Chmod(path, info.Mode())) // chown has cleared bits
		}
		return nil
	}))
	must(t, os.Chmod(filepath.Join(site, "0"), 0o755|os.ModeSetuid))
	must(t, os.Chmod(filepath.Join(site, "lang/de/x"), 0o755|os.ModeSetuid|os.ModeSetgid))
	must(t, os.Chown(filepath.Join(site, "a/\xff\n"), 0, 0))
	must(t, os.Chmod(filepath.Join(site, "a/\xff\n"), 0o755|os.ModeSetuid))
	return site
}

// With owner: keep everything gets its original owner, whatever the target held
// before.
func TestOwnersAreRestored(t *testing.T) {
	machine.Root(t, "give files to other users")
	site := ownedSite(t)
	for name, plan := range map[string]*stage.Plan{"into nothing": {}, "swap": swap, "in place": inPlace} {
		t.Run(name, func(t *testing.T) {
			target := filepath.Join(t.TempDir(), "moodledata")
			if plan.Replace != stage.ReplaceNothing {
				must(t, os.CopyFS(target, os.DirFS(holding(t, "filedir/"+poolFile, "lang/x", "muc/old.php"))))
			}
			keepOwners(t, site, target, plan)
			must(t, filepath.WalkDir(site, func(path string, d fs.DirEntry, err error) error {
				rel, _ := filepath.Rel(site, path)
				if err != nil || rel == "cache" || rel == "climaintenance.html" {
					return err
				}
				if rel == "cache/x" {
					return nil
				}
				to := filepath.Join(target, rel)
				want := ownerOf(t, path)
				if pool := filetree.Within(rel, "filedir") && d.IsDir(); pool || rel == "." {
					want = mostly
				} else if mode, err := os.Lstat(to); err != nil || mode.Mode() != must1(t, os.Lstat, path).Mode() {
					t.Errorf("%q has the mode %v (%v)", rel, mode, err)
				}
				if got := ownerOf(t, to); got != want {
					t.Errorf("%q belongs to %+v, want %+v", rel, got, want)
				}
				return nil
			}))
		})
	}
}

func must1[A, B any](t testing.TB, f func(A) (B, error), a A) B {
	t.Helper()
	b, err := f(a)
	must(t, err)
	return b
}

// keepOwners copies a site with its owners.
func keepOwners(t *testing.T, site, target string, plan *stage.Plan) {
	t.Helper()
	env := stage.Env{TempDir: t.TempDir()}
	from, err := sourcefiles.Stage().NewSource(t.Context(), &sourcefiles.Config{Dir: filepath.Join(site, moodle.FiledirName)}, env)
	must(t, err)
	copyAs(t, plan, from, filesSink(t, sinkfiles.Config{Dir: filepath.Join(target, moodle.FiledirName), Owner: "keep"}))
	from, err = sourcedataroot.Stage().NewSource(t.Context(), &sourcedataroot.Config{Dir: site, Include: []string{"muc"}}, env)
	must(t, err)
	copyAs(t, plan, from, datarootSink(t, sinkdataroot.Config{Dir: target, Owner: "keep"}))
}

// A directory that already belongs to another user keeps its owner.
func TestExistingDirectoryKeepsItsOwner(t *testing.T) {
	machine.Root(t, "give files to other users")
	dir := t.TempDir()
	must(t, os.Chown(dir, 4100, 5100))
	must(t, restore(t, filesSink(t, sinkfiles.Config{Dir: dir, Owner: "keep"}), owned(fileItem("filedir/"+poolFile, "x"), mostly)))
	for path, want := range map[string]stage.Owner{".": ids(4100, 5100), filepath.Dir(poolFile): mostly, poolFile: mostly} {
		if got := ownerOf(t, filepath.Join(dir, path)); got != want {
			t.Errorf("%s belongs to %+v, want %+v", path, got, want)
		}
	}
}

func owned(i conformance.Item, o stage.Owner) conformance.Item {
	i.Entry.Owner = o
	return i
}

// A failed restore does not change the owner of the target.
func TestFailedRestoreLeavesOwner(t *testing.T) {
	machine.Root(t, "give files to other users")
	dir := holding(t, "filedir/x", "old/f")
	must(t, os.Chown(dir, 0, 0))
	s := datarootSink(t, sinkdataroot.Config{Dir: dir, Owner: "keep"})
	must(t, s.Begin(t.Context(), swap))
	w, err := s.WriteFiles(t.Context(), stage.Unit{ID: "u"})
	must(t, err)
	must(t, w.Open(t.Context(), owned(dirItem("dataroot/lang", 0o755), mostly).Entry))
	must(t, w.Close(t.Context(), stage.Digest{}))
	committed(t, w)
	must(t, s.Finish(t.Context(), &stage.Outcome{}))
	must(t, s.Publish(t.Context()))
	if got := ownerOf(t, dir); got != mostly {
		t.Errorf("the data root belongs to %+v, want %+v", got, mostly)
	}
	must(t, s.Close(t.Context()))

	must(t, os.Chown(dir, 0, 0))
	before := state(t, dir)
	if err := restoreAs(t, datarootSink(t, sinkdataroot.Config{Dir: dir, Owner: "keep"}), swap,
		owned(fileItem("dataroot/f", "x"), mostly), fileItem("dataroot/cache/f", "x")); err == nil {
		t.Error("no error")
	}
	untouched(t, dir, before)
	if got := ownerOf(t, dir); got != ids(0, 0) {
		t.Errorf("the data root belongs to %+v", got)
	}
}

// Entries of older snapshots without owners belong to the restoring user, without
// setuid bits, and a note counts them.
func TestUnknownOwnersAreNoted(t *testing.T) {
	machine.Root(t, "give files to other users")
	dir := t.TempDir()
	program := fileItem("dataroot/program", "x")
	program.Entry.Mode = 0o4755
	s := datarootSink(t, sinkdataroot.Config{Dir: dir, Owner: "keep"})
	must(t, s.Begin(t.Context(), &stage.Plan{}))
	w, err := s.WriteFiles(t.Context(), stage.Unit{ID: "u"})
	must(t, err)
	// A retried unit counts once.
	must(t, w.Open(t.Context(), dirItem("dataroot/lang", 0o755).Entry))
	must(t, w.Close(t.Context(), stage.Digest{}))
	must(t, w.Abort(t.Context()))
	w, err = s.WriteFiles(t.Context(), stage.Unit{ID: "u"})
	must(t, err)
	for _, i := range []conformance.Item{program, owned(fileItem("dataroot/theirs", "x"), mostly), dirItem("dataroot/lang", 0o755), linkItem("dataroot/link", "lang")} {
		must(t, w.Open(t.Context(), i.Entry))
		if i.Entry.Kind == stage.File {
			must(t, w.Write(t.Context(), i.Content()))
		}
		must(t, w.Close(t.Context(), i.Digest))
	}
	committed(t, w)
	must(t, s.Finish(t.Context(), &stage.Outcome{}))
	must(t, s.Publish(t.Context()))
	notes, err := s.(stage.Noter).Notes(t.Context())
	must(t, err)
	if want := "the owner of 3 files, directories and links is not known; they belong to user 0"; len(notes) != 1 || !strings.Contains(notes[0].Text, want) || notes[0].Path != stage.Dataroot {
		t.Errorf("the notes are %q, want %q", notes, want)
	}
	must(t, s.Close(t.Context()))
	for path, want := range map[string]stage.Owner{"program": ids(0, 0), "lang": ids(0, 0), "link": ids(0, 0), "theirs": mostly} {
		if got := ownerOf(t, filepath.Join(dir, path)); got != want {
			t.Errorf("%s belongs to %+v, want %+v", path, got, want)
		}
	}
	if mode := must1(t, os.Lstat, filepath.Join(dir, "program")).Mode(); mode != 0o755 {
		t.Errorf("the program without a known owner has the mode %v", mode)
	}
}

// Without owner: keep nothing changes: files belong to the restoring user.
func TestOwnersAreNotRestoredByDefault(t *testing.T) {
	dir := t.TempDir()
	program := owned(fileItem("dataroot/program", "x"), mostly)
	program.Entry.Mode = 0o4755
	must(t, restore(t, datarootSink(t, sinkdataroot.Config{Dir: dir, Owner: "user"}), owned(dirItem("dataroot/d", 0o750), mostly), program, owned(linkItem("dataroot/l", "d"), mostly)))
	for _, path := range []string{"d", "program", "l"} {
		if got := ownerOf(t, filepath.Join(dir, path)); int(got.UID) != os.Geteuid() {
			t.Errorf("%s belongs to %+v", path, got)
		}
	}
	if mode := must1(t, os.Lstat, filepath.Join(dir, "program")).Mode(); mode != 0o755 {
		t.Errorf("the program has the mode %v", mode)
	}
}

// chown(2) interprets the largest ID as "unchanged", which would be root.
func TestHostileOwnerIsAnError(t *testing.T) {
	machine.Root(t, "give files to other users")
	for _, o := range []stage.Owner{ids(stage.MaxID+1, 33), ids(33, stage.MaxID+1)} {
		for _, item := range []conformance.Item{fileItem("dataroot/f", "x"), dirItem("dataroot/f", 0o755), linkItem("dataroot/f", "x")} {
			err := restore(t, datarootSink(t, sinkdataroot.Config{Dir: t.TempDir(), Owner: "keep"}), owned(item, o))
			if err == nil || !strings.Contains(err.Error(), "4294967295") {
				t.Errorf("a %s of %+v: %v", item.Entry.Kind, o, err)
			}
		}
	}
}

// A user who may not change owners gets an error before anything is written.
func TestKeepOwnerWithoutPrivilege(t *testing.T) {
	check := func() error {
		dir := t.TempDir()
		_, err := datarootSink(t, sinkdataroot.Config{Dir: dir, Owner: "keep"}).Check(t.Context(), &stage.Plan{})
		untouched(t, dir, map[string]string{})
		_, other := filesSink(t, sinkfiles.Config{Dir: dir, Owner: "user"}).Check(t.Context(), &stage.Plan{})
		must(t, other)
		return err
	}
	refused := func(err error, lacks string) {
		t.Helper()
		if want := "cannot do without " + lacks + "; run vault as root, or set owner: user"; failure.Of(err) != failure.Refused || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	const all = "CAP_CHOWN, CAP_FOWNER, CAP_FSETID, CAP_DAC_OVERRIDE"
	if os.Geteuid() != 0 {
		refused(check(), all)
		return
	}
	must(t, check())
	// As root, with fewer capabilities.
	for bit, lacks := range map[uint]string{unix.CAP_CHOWN: "CAP_CHOWN", unix.CAP_FSETID: "CAP_FSETID", unix.CAP_DAC_OVERRIDE: "CAP_DAC_OVERRIDE"} {
		result := make(chan error)
		go func() {
			runtime.LockOSThread() // never unlocked: the thread ends with its changed privileges
			header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
			var data [2]unix.CapUserData
			err := unix.Capget(&header, &data[0])
			data[0].Effective &^= 1 << bit
			if err == nil {
				err = unix.Capset(&header, &data[0])
			}
			if err == nil {
				err = check()
			}
			result <- err
		}()
		refused(<-result, lacks)
	}
	// As another user.
	dir := t.TempDir()
	asUser(t, dir)
}

// In a container most users do not exist, and the system refuses to set them as
// owners.
func TestOwnerUnknownInContainer(t *testing.T) {
	if dir := os.Getenv("VAULT_TEST_DIR"); dir != "" {
		must(t, restore(t, datarootSink(t, sinkdataroot.Config{Dir: dir, Owner: "keep"}), owned(fileItem("dataroot/mine", "x"), ids(0, 0))))
		for _, item := range []conformance.Item{fileItem("dataroot/f", "x"), dirItem("dataroot/f", 0o755), linkItem("dataroot/f", "x")} {
			err := restoreAs(t, datarootSink(t, sinkdataroot.Config{Dir: dir, Owner: "keep"}), inPlace, owned(item, mostly))
			if err == nil || !strings.Contains(err.Error(), "to user 4000 and group 5000: ") || !strings.Contains(err.Error(), "a container has only some users") {
				t.Errorf("a %s: %v", item.Entry.Kind, err)
			}
		}
		return
	}
	machine.Root(t, "make a user namespace everywhere")
	cmd := exec.Command(os.Args[0], "-test.run", "^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), "VAULT_TEST_DIR="+t.TempDir())
	only := []syscall.SysProcIDMap{{ContainerID: 0, HostID: 0, Size: 1}}
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWUSER, UidMappings: only, GidMappings: only}
	if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "--- PASS: "+t.Name()) {
		t.Errorf("%v\n%s", err, out)
	}
}
