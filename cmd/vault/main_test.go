package main

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

func TestMain(m *testing.M) { os.Exit(build(m)) }

func build(m *testing.M) int {
	machine.Ordinary()
	dir, err := os.MkdirTemp("", "vault-cmd-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() {
		if err := os.RemoveAll(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
	}()
	program = filepath.Join(dir, "vault")
	cmd := exec.Command("go", "build", "-o", program, ".")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "building vault: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// call is a command line of vault.
type call struct {
	args []string
	env  []string // NAME=value, in addition to a HOME for the test
	in   string
}

type outcome struct {
	code           int
	stdout, stderr string
}

func (c call) command(t testing.TB) *exec.Cmd {
	cmd := exec.CommandContext(t.Context(), program, c.args...)
	home := t.TempDir()
	cmd.Env = append([]string{"HOME=" + home, "XDG_CONFIG_HOME=" + home, "TMPDIR=" + home, "PATH=" + os.Getenv("PATH")}, c.env...)
	if on := os.Getenv("VAULT_TEST_ISOLATE"); on != "" { // the second run of the tests: each built-in stage in its own process
		cmd.Env = append(cmd.Env, "LMSVAULT_ISOLATE="+on)
	}
	cmd.Stdin = strings.NewReader(c.in)
	return cmd
}

func (c call) run(t testing.TB) outcome {
	t.Helper()
	cmd := c.command(t)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return outcome{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

// vault runs the program and fails the test if the exit code differs.
func vault(t testing.TB, code int, env []string, args ...string) outcome {
	t.Helper()
	o := call{args: args, env: env}.run(t)
	if o.code != code {
		t.Fatalf("vault %s: exit code %d, want %d\nstdout:\n%s\nstderr:\n%s", strings.Join(args, " "), o.code, code, o.stdout, o.stderr)
	}
	return o
}

// written creates a file with this text.
func written(t testing.TB, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
