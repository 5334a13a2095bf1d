package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/lmsvault/vault/internal/machine"
)

// whose describes the owner and the mode of a directory and of everything below it.
func whose(t testing.TB, root string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		rel, _ := filepath.Rel(root, path)
		if err != nil || rel == ".vault-restored" {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		st := info.Sys().(*syscall.Stat_t)
		all[rel] = fmt.Sprintf("%v %d %d", info.Mode(), st.Uid, st.Gid)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// own changes the owners of a sample site's files: most to one user, a few to others.
func (p place) own(t testing.TB) {
	t.Helper()
	n := 0
	err := filepath.WalkDir(filepath.Join(p.dir, "data"), func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		uid, gid, mode := 4000, 5000, info.Mode()
		rel, _ := filepath.Rel(p.dir, path)
		if n++; n%5 == 0 && !(d.IsDir() && strings.HasPrefix(rel, "data/filedir")) {
			uid, gid = 4000+n%3, n%4
			if mode.IsRegular() {
				mode |= fs.ModeSetuid | fs.ModeSetgid
			}
		}
		if err := os.Lchown(path, uid, gid); err != nil || mode&fs.ModeSymlink != 0 {
			return err
		}
		return os.Chmod(path, mode)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// With owner: keep a site's files keep their owners, directly and through a
// repository, in new directories and in those of an existing site.
func TestOwnersAreRestored(t *testing.T) {
	machine.Root(t, "give files to other users")
	p := at(t)
	p.own(t)
	must(t, p.env, "run", p.backupPipeline(t))
	want := whose(t, filepath.Join(p.dir, "data"))
	for _, from := range []struct {
		name, source string
		replace      []string
	}{
		{"from folders", fmt.Sprintf(`{use: files, with: {dir: %[1]s/data/filedir}}, {use: dataroot, with: {dir: %[1]s/data}}`, p.dir), []string{"false"}},
		{"from a repository", fmt.Sprintf(`{use: local, with: {dir: %s/repo, passphrase: "${env:PASS}"}}`, p.dir), []string{"false", "true", "in_place"}},
	} {
		for _, isolate := range both {
			for _, replace := range from.replace {
				t.Run(from.name+" "+isolate+" replace "+replace, func(t *testing.T) {
					to := filepath.Join(p.dir, "new")
					if replace == "false" {
						if err := os.RemoveAll(to); err != nil {
							t.Fatal(err)
						}
					}
					out := must(t, append([]string{isolate}, p.env...), "run", "--json", pipelineFile(t, fmt.Sprintf("version: 1\nsource: [%s]\n"+
						"sink: [{use: files, with: {dir: %[2]s/filedir, owner: keep, replace: %[3]s}}, {use: dataroot, with: {dir: %[2]s, owner: keep, replace: %[3]s}}]\n", from.source, to, replace)))
					sameTree(t, want, whose(t, to))
					if strings.Contains(out.stdout, "is not known") {
						t.Errorf("reported a missing owner:\n%s", out.stdout)
					}
				})
			}
		}
	}
}

// A snapshot without owners can be restored, and the result notes it.
func TestUnknownOwnersAreNoted(t *testing.T) {
	machine.Root(t, "give files to other users")
	dir := t.TempDir()
	must(t, nil, "run", pipelineFile(t, "version: 1\nsource: [{use: sample}]\nsink: [{use: local, with: {dir: "+dir+"/repo, create: true}}]\n"))
	for _, isolate := range both {
		out := must(t, []string{isolate}, "run", pipelineFile(t, "version: 1\nsource: [{use: local, with: {dir: "+dir+"/repo}}]\n"+
			"sink: [{use: dataroot, with: {dir: "+dir+"/"+isolate+", owner: keep}}]\n"))
		n := 0
		for path, owner := range whose(t, filepath.Join(dir, isolate)) {
			if !strings.HasSuffix(owner, " 0 0") {
				t.Errorf("%s belongs to %s", path, owner)
			}
			n++
		}
		if want := fmt.Sprintf("the owner of %d files, directories and links is not known; they belong to user 0, who restored them", n-1); !strings.Contains(out.stdout+out.stderr, want) {
			t.Errorf("%s does not say %q:\n%s%s", isolate, want, out.stdout, out.stderr)
		}
	}
}

// A user other than root gets an error before anything is written.
func TestKeepOwnersIsRefusedToOthers(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "pipeline.yaml")
	for _, path := range []string{filepath.Dir(program), filepath.Dir(dir), dir} { // let another user in
		if err := os.Chmod(path, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	for part, pipeline := range map[string]string{
		"files":    "sink: [{use: files, with: {dir: " + dir + "/filedir, owner: keep}}]\n",
		"dataroot": "sink: [{use: dataroot, with: {dir: " + dir + "/data, owner: keep}}]\n",
	} {
		if err := os.WriteFile(file, []byte("version: 1\nsource: [{use: sample}]\n"+pipeline), 0o644); err != nil {
			t.Fatal(err)
		}
		for _, isolate := range both {
			cmd := command(t, []string{isolate, "TMPDIR=" + dir, "HOME=" + dir, "XDG_CACHE_HOME=" + dir, "XDG_RUNTIME_DIR="}, "run", file)
			cmd.Dir = dir
			if os.Geteuid() == 0 {
				cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
			}
			out, err := cmd.CombinedOutput()
			if exit := new(exec.ExitError); !errors.As(err, &exit) || exit.ExitCode() != 3 || !bytes.Contains(out, []byte("owner: keep changes the owners of files, which user ")) || !bytes.Contains(out, []byte("run vault as root, or set owner: user")) {
				t.Errorf("%s, %s: %v\n%s", part, isolate, err, out)
			}
			for _, made := range []string{"filedir", "data"} {
				if _, err := os.Lstat(filepath.Join(dir, made)); !errors.Is(err, fs.ErrNotExist) {
					t.Errorf("%s, %s: %s was made (%v)", part, isolate, made, err)
				}
			}
		}
	}
}
