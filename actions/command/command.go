package command

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/lmsvault/vault/core/stage"
)

// killDelay is how long a program may take to exit after SIGTERM.
const killDelay = 5 * time.Second

type action struct{ config *Config }

// Run starts the program and waits for it to exit.
func (a *action) Run(ctx context.Context, r stage.ActionRequest) (stage.ActionReport, error) {
	argv := a.config.Argv
	if r.DryRun {
		if argv = a.config.DryArgv; len(argv) == 0 {
			return report(stage.ActionFinding{ID: "dry-run", Level: stage.LevelOK, What: "would run " + program(a.config.Argv)}), nil
		}
	}
	limited, cancel := context.WithTimeout(ctx, time.Duration(a.config.Timeout))
	defer cancel()
	out := &output{}
	cmd := exec.CommandContext(limited, argv[0], argv[1:]...)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = a.config.Dir, a.environment(r), out, out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // vault forwards signals from the terminal
	cmd.WaitDelay = killDelay
	cmd.Cancel = func() error { return signal(cmd, syscall.SIGTERM) }
	begin := time.Now()
	if err := cmd.Start(); err != nil {
		return stage.ActionReport{}, fmt.Errorf("starting %s: %w", program(argv), reason(err))
	}
	err := cmd.Wait()
	took := time.Since(begin).Round(time.Millisecond)
	if limited.Err() != nil { // also end its children
		if bad := signal(cmd, syscall.SIGKILL); bad != nil {
			err = errors.Join(err, bad)
		}
	}
	finding := stage.ActionFinding{ID: "exit", Level: stage.LevelOK, Details: out.text()}
	switch exit := new(exec.ExitError); {
	case ctx.Err() != nil:
		return stage.ActionReport{}, fmt.Errorf("%s was ended: %w", program(argv), ctx.Err())
	case limited.Err() != nil:
		finding.Level = stage.LevelFail
		finding.What = fmt.Sprintf("%s was ended: it took longer than %v", program(argv), time.Duration(a.config.Timeout))
		finding.Remedy = "raise timeout if it needs more"
	case err == nil || errors.Is(err, exec.ErrWaitDelay): // a child still has the output open
		finding.What = fmt.Sprintf("%s exited with code 0 after %v", program(argv), took)
	case errors.As(err, &exit):
		finding.Level = stage.LevelFail
		finding.What = fmt.Sprintf("%s %s after %v", program(argv), ended(exit), took)
	default:
		return report(finding), fmt.Errorf("waiting for %s: %w", program(argv), err)
	}
	return report(finding), nil
}

func report(f stage.ActionFinding) stage.ActionReport {
	return stage.ActionReport{Findings: []stage.ActionFinding{f}}
}

// program returns the name of the program for messages; its arguments may be secret.
func program(argv []string) string { return filepath.Base(argv[0]) }

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

// usual lists the variables that every program gets.
var usual = []string{"PATH", "HOME", "USER", "LOGNAME", "TZ", "LANG", "LC_ALL"}

func (a *action) environment(r stage.ActionRequest) []string {
	vars := map[string]string{}
	for _, name := range slices.Concat(usual, a.config.Inherit) {
		if value, ok := os.LookupEnv(name); ok {
			vars[name] = value
		}
	}
	maps.Copy(vars, a.config.Env)
	vars[prefix+"MOMENT"], vars[prefix+"PIPELINE"], vars[prefix+"DRY"] = string(r.Moment), r.Pipeline, strconv.FormatBool(r.DryRun)
	if o := r.Outcome; o != nil {
		var snapshots []string
		for _, s := range o.Snapshots {
			snapshots = append(snapshots, s.Snapshot)
		}
		vars[prefix+"STATUS"], vars[prefix+"EXIT"], vars[prefix+"ID"] = string(o.Status), strconv.Itoa(o.Exit), o.Run
		vars[prefix+"ERROR"] = strings.ReplaceAll(o.Error, "\x00", "")
		vars[prefix+"SNAPSHOTS"] = strings.Join(snapshots, " ")
	}
	env := make([]string, 0, len(vars))
	for _, name := range slices.Sorted(maps.Keys(vars)) {
		env = append(env, name+"="+vars[name])
	}
	return env
}
