package main

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/lmsvault/vault/internal/machine"
)

// Plugins cannot read the files that vault inherited from its parent.
func TestPluginInheritsNoDescriptors(t *testing.T) {
	if runtime.GOOS != "linux" {
		machine.Missing(t, "/proc, where descriptors are listed")
	}
	dir := t.TempDir()
	secret, script := filepath.Join(dir, "secret"), filepath.Join(dir, "script")
	for path, text := range map[string]string{secret: "of value", script: "#!/bin/sh\nls -l /proc/$$/fd > " + dir + "/open\n"} {
		if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	inherited, err := os.Open(secret)
	if err != nil {
		t.Fatal(err)
	}
	defer closed(t, inherited)
	cmd := call{args: []string{"stages", script}}.command(t)
	cmd.ExtraFiles = []*os.File{inherited}
	if out, err := cmd.CombinedOutput(); err == nil {
		t.Fatalf("a script that is not a plugin was accepted: %s", out)
	}
	text, err := os.ReadFile(filepath.Join(dir, "open"))
	if err != nil || !strings.Contains(string(text), " 0 -> ") || strings.Contains(string(text), secret) {
		t.Errorf("%v: open files are\n%s", err, text)
	}
}
