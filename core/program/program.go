// Package program runs other programs without a shell: with a limited time, with a limited
// part of their output kept, and in a process group of their own, so that an end also ends
// the programs that they have started.
package program

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// killDelay is how long a program may take to exit after SIGTERM.
const killDelay = 5 * time.Second

// Program is a program to run.
type Program struct {
	Argv    []string // the program and its arguments
	Dir     string   // working directory
	Env     []string // all of its environment, as NAME=value
	Timeout time.Duration
	User    *User // who runs it; nil for the user of this process
}

// User is the user who runs a program.
type User struct {
	UID, GID uint32
	Groups   []uint32 // further groups
}

// Result is how a program ended.
type Result struct {
	Name     string // of the program, without its directory
	Took     time.Duration
	TimedOut bool // it was ended because it took too long
	// Ended says how it ended: "exited with code 1", "was ended by signal 9 (killed)".
	Ended  string
	OK     bool   // it exited with code 0
	Output string // the beginning and the end of what it printed, as UTF-8
}

// String returns a sentence without a full stop.
func (r Result) String() string {
	if r.TimedOut {
		return r.Name + " was ended: it took longer than " + r.Took.String()
	}
	return fmt.Sprintf("%s %s after %v", r.Name, r.Ended, r.Took)
}

// Run starts the program and waits for it to exit. Its error says that the program could
// not be started, or that ctx ended; the program and those that it has started then get
// SIGTERM, and SIGKILL five seconds later. It is safe for concurrent use.
func (p Program) Run(ctx context.Context) (Result, error) {
	limited, cancel := context.WithTimeout(ctx, p.Timeout)
	defer cancel()
	out := &output{}
	cmd := exec.CommandContext(limited, p.Argv[0], p.Argv[1:]...)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = p.Dir, p.Env, out, out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // vault forwards signals from the terminal
	if u := p.User; u != nil {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: u.UID, Gid: u.GID, Groups: u.Groups}
	}
	cmd.WaitDelay = killDelay
	cmd.Cancel = func() error { return signal(cmd, syscall.SIGTERM) }
	r := Result{Name: Name(p.Argv)}
	begin := time.Now()
	if err := cmd.Start(); err != nil {
		return r, fmt.Errorf("starting %s: %w", r.Name, reason(err))
	}
	err := cmd.Wait()
	r.Took, r.Output = time.Since(begin).Round(time.Millisecond), out.text()
	if limited.Err() != nil { // also end its children
		if bad := signal(cmd, syscall.SIGKILL); bad != nil {
			err = errors.Join(err, bad)
		}
	}
	switch exit := new(exec.ExitError); {
	case ctx.Err() != nil:
		return r, fmt.Errorf("%s was ended: %w", r.Name, ctx.Err())
	case limited.Err() != nil:
		r.TimedOut, r.Took = true, p.Timeout
	case err == nil || errors.Is(err, exec.ErrWaitDelay): // a child still has the output open
		r.OK, r.Ended = true, "exited with code 0"
	case errors.As(err, &exit):
		r.Ended = ended(exit)
	default:
		return r, fmt.Errorf("waiting for %s: %w", r.Name, err)
	}
	return r, nil
}

// Name returns the name of a program for messages; its arguments may be secret.
func Name(argv []string) string { return filepath.Base(argv[0]) }

// Usual lists the environment variables that every program gets.
func Usual() []string {
	return []string{"PATH", "HOME", "USER", "LOGNAME", "TZ", "LANG", "LC_ALL"}
}

// reason returns the cause of an error of starting a program, without its path.
func reason(err error) error {
	var path *os.PathError
	var lookup *exec.Error
	switch {
	case errors.As(err, &path):
		return path.Err
	case errors.As(err, &lookup):
		return lookup.Err
	}
	return err
}

func ended(exit *exec.ExitError) string {
	if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return fmt.Sprintf("was ended by signal %d (%v)", int(status.Signal()), status.Signal())
	}
	return fmt.Sprintf("exited with code %d", exit.ExitCode())
}

// signal sends a signal to the program and the programs it has started.
func signal(cmd *exec.Cmd, s syscall.Signal) error {
	err := syscall.Kill(-cmd.Process.Pid, s)
	if errors.Is(err, syscall.ESRCH) {
		return nil
	}
	return err
}
