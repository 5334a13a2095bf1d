package place

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/lmsvault/vault/internal/machine"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// folders makes a temporary directory that contains the named directories.
func folders(t *testing.T, names ...string) string {
	t.Helper()
	base, err := filepath.EvalSymlinks(t.TempDir())
	must(t, err)
	for _, name := range names {
		must(t, os.MkdirAll(filepath.Join(base, name), 0o755))
	}
	return base
}

type pair struct {
	name        string
	in, of      string
	same, below bool
}

func compare(t *testing.T, m *Machine, base string, cases []pair) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			p, q := m.Find(filepath.Join(base, c.in)), m.Find(filepath.Join(base, c.of))
			if p.Same(q) != c.same || p.Within(q) != c.below || q.Same(p) != c.same {
				t.Errorf("%s and %s: same %v, within %v; want %v and %v", c.in, c.of, p.Same(q), p.Within(q), c.same, c.below)
			}
		})
	}
}

func TestLinksAreResolved(t *testing.T) {
	base := folders(t, "y/backups/old", "z")
	must(t, os.Symlink("y/backups", filepath.Join(base, "lnk")))
	must(t, os.Symlink(filepath.Join(base, "lnk"), filepath.Join(base, "z/second")))
	must(t, os.WriteFile(filepath.Join(base, "y/site"), nil, 0o600))
	must(t, os.Link(filepath.Join(base, "y/site"), filepath.Join(base, "z/hard")))
	must(t, os.Symlink("loop", filepath.Join(base, "loop")))
	compare(t, Here(), base, []pair{
		{"itself", "y", "y", true, true},
		{"a link into it", "lnk", "y", false, true},
		{"a link to it", "lnk", "y/backups", true, true},
		{"a link to a link", "z/second", "y", false, true},
		{"not existing yet, through a link", "z/second/new/er", "y", false, true},
		{"the same, not existing yet", "lnk/new", "y/backups/new", true, true},
		{"around it", "y", "lnk", false, false},
		{"the way back", "y/../y/backups", "y", false, true},
		{"a name with the same prefix", "y2", "y", false, false},
		{"next to it", "z", "y", false, false},
		{"a hard link", "z/hard", "y/site", true, true},
		{"a file in it", "y/site", "y", false, true},
		{"a link to nowhere", "loop", "y", false, false},
	})
}

// table returns a Machine with mounts of one file system: lines are "ROOT POINT" below
// base.
func table(t *testing.T, base, device string, lines ...string) *Machine {
	text := fmt.Sprintf("21 1 %s / / rw - ext4 /dev/x rw\n", device)
	for i, line := range lines {
		root, point, _ := strings.Cut(line, " ")
		escape := strings.NewReplacer(" ", `\040`, `\`, `\134`)
		text += fmt.Sprintf("%d 21 %s %s %s rw,relatime shared:1 - ext4 /dev/x rw\n", 22+i, device, escape.Replace(base+root), escape.Replace(base+point))
	}
	return &Machine{parseMounts(strings.NewReader(text + "40 21 0:4 net:[4026531840] /run/netns/x rw - nsfs nsfs rw\nshort\n"))}
}

// Only root can mount, so a hard link makes the file appear at both ends of a mount. The
// file is compared and the mount table is believed.
func TestMountTableIsUsed(t *testing.T) {
	base := folders(t, "y/backups", "mnt", "other", "repo", "y/below")
	for _, name := range []string{"y/backups/site", "repo/site"} {
		must(t, os.WriteFile(filepath.Join(base, name), nil, 0o600))
	}
	must(t, os.Link(filepath.Join(base, "y/backups/site"), filepath.Join(base, "mnt/site")))
	must(t, os.Link(filepath.Join(base, "repo/site"), filepath.Join(base, "y/below/site")))
	compare(t, table(t, base, "8:1", "/y/backups /mnt", "/repo /y/below"), base, []pair{
		{"the first root is in y", "mnt/site", "y", false, true},
		{"the same file", "mnt/site", "y/backups/site", true, true},
		{"the second is mounted in y", "repo/site", "y", false, true},
		{"in the table only", "other", "y", false, false},
	})
	compare(t, table(t, base, "8:1", "/y /other"), base, []pair{
		// Like network shares with the same device number: other is not really y.
		{"a table that is wrong", "other", "y", false, false},
	})
}

func TestParseMountsUnescapesSpaces(t *testing.T) {
	m := table(t, "/a b\\c", "8:1", "/root /point")
	if got := m.mounts[1]; got.root != `/a b\c/root` || got.point != `/a b\c/point` || got.device != "8:1" || len(m.mounts) != 2 {
		t.Errorf("mounts are %+v", m.mounts)
	}
}

func TestBindMountsAreResolved(t *testing.T) {
	base := folders(t, "y/backups", "mnt", "repo", "y/below", "around")
	for from, to := range map[string]string{"y/backups": "mnt", "repo": "y/below", "y": "around"} {
		point := filepath.Join(base, to)
		if err := syscall.Mount(filepath.Join(base, from), point, "", syscall.MS_BIND, ""); err != nil {
			machine.Missing(t, "permission to create a bind mount: %v", err)
		}
		t.Cleanup(func() { must(t, syscall.Unmount(point, 0)) })
	}
	compare(t, Here(), base, []pair{
		{"a directory inside, mounted elsewhere", "mnt", "y", false, true},
		{"the same, not existing yet", "mnt/new", "y/backups/new", true, true},
		{"a directory elsewhere, mounted inside", "repo", "y", false, true},
		{"below that", "repo/new/er", "y", false, true},
		{"the whole, mounted elsewhere", "around", "y", true, true},
		{"inside of that", "around/backups", "y", false, true},
		{"inside of that, not existing yet", "around/new", "y", false, true},
		{"next to it", "repo", "mnt", false, false},
	})
}
