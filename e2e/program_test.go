package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lmsvault/vault/internal/machine"
)

// program is the path of the built vault.
var program string

func TestMain(m *testing.M) {
	machine.Ordinary()
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "vault-e2e-")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(dir)
		program = filepath.Join(dir, "vault")
		build := exec.Command("go", "build", "-o", program, "../cmd/vault")
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "building vault: %v\n%s", err, out)
			return 1
		}
		return m.Run()
	}())
}

// output is the output of a call of vault.
type output struct {
	stdout, stderr string
	code           int
}

// command is a call of the program with extra environment "NAME=value". With
// VAULT_TEST_ISOLATE=true every built-in stage runs in a process of its own.
func command(t testing.TB, env []string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Env = os.Environ()
	if on := os.Getenv("VAULT_TEST_ISOLATE"); on != "" {
		cmd.Env = append(cmd.Env, "LMSVAULT_ISOLATE="+on)
	}
	cmd.Env = append(cmd.Env, env...)
	return cmd
}

// vault runs the program.
func vault(t testing.TB, env []string, args ...string) output {
	t.Helper()
	cmd := command(t, env, args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("vault %s: %v", strings.Join(args, " "), err)
	}
	return output{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
}

// must runs the program and requires exit code 0.
func must(t testing.TB, env []string, args ...string) output {
	t.Helper()
	out := vault(t, env, args...)
	if out.code != 0 {
		t.Fatalf("vault %s: exit %d\n%s\n%s", strings.Join(args, " "), out.code, out.stdout, out.stderr)
	}
	return out
}

// pipelineFile writes a pipeline to a file.
func pipelineFile(t testing.TB, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "pipeline.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
