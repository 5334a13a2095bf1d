package filetree

import (
	"os"
	"path/filepath"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

// exchange swaps two names of a directory over and over, until the test ends.
func exchange(t *testing.T, a, b string) {
	t.Helper()
	stop := make(chan struct{})
	var busy sync.WaitGroup
	busy.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
			}
			if err := unix.Renameat2(unix.AT_FDCWD, a, unix.AT_FDCWD, b, unix.RENAME_EXCHANGE); err != nil {
				t.Errorf("exchanging %s and %s: %v", a, b, err)
				return
			}
		}
	})
	t.Cleanup(func() {
		close(stop)
		busy.Wait()
	})
}

func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

const rounds = 20_000

// A link that replaces a directory between checking and opening is not followed.
func TestOpenDirIgnoresRacingLink(t *testing.T) {
	top := t.TempDir()
	put(t, filepath.Join(top, "d", "ours"), "")
	put(t, filepath.Join(top, "other", "theirs"), "")
	if err := os.Symlink("other", filepath.Join(top, "l")); err != nil {
		t.Fatal(err)
	}
	root, err := os.OpenRoot(top)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	exchange(t, filepath.Join(top, "d"), filepath.Join(top, "l"))
	opened := 0
	for range rounds {
		dir, err := OpenDir(root, "d")
		if err != nil {
			continue
		}
		opened++
		if _, err := dir.Lstat("theirs"); err == nil {
			t.Fatal("it followed the link")
		}
		if err := dir.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if opened == 0 || opened == rounds {
		t.Errorf("opened %d times of %d: the race did not occur", opened, rounds)
	}
}

// Nor is a link that replaces a file.
func TestOpenFileIgnoresRacingLink(t *testing.T) {
	top := t.TempDir()
	put(t, filepath.Join(top, "f"), "ours")
	put(t, filepath.Join(top, "other"), "theirs")
	if err := os.Symlink("other", filepath.Join(top, "l")); err != nil {
		t.Fatal(err)
	}
	root, err := os.OpenRoot(top)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	exchange(t, filepath.Join(top, "f"), filepath.Join(top, "l"))
	opened := 0
	for range rounds {
		f, _, err := openFile(root, "f")
		if err != nil {
			continue
		}
		opened++
		text := make([]byte, 10)
		if n, _ := f.Read(text); string(text[:n]) != "ours" {
			t.Fatalf("it reads %q", text[:n])
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if opened == 0 || opened == rounds {
		t.Errorf("opened %d times of %d: the race did not occur", opened, rounds)
	}
}
