package machine

import (
	"syscall"
	"testing"
)

// Tmpfs mounts a file system with a size for mount(8) ("2m") and returns its
// directory. It is unmounted when the test ends.
func Tmpfs(t testing.TB, size string) string {
	t.Helper()
	Root(t, "mount a small file system")
	dir := t.TempDir()
	if err := syscall.Mount("vault-test", dir, "tmpfs", 0, "size="+size); err != nil {
		Missing(t, "a tmpfs of %s: %v", size, err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Errorf("unmounting %s: %v", dir, err)
		}
	})
	return dir
}
