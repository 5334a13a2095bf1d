package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// cost is the cost of a command.
type cost struct {
	wall   time.Duration
	cpu    time.Duration // of all its processes
	memory int64         // peak resident bytes of all its processes together
}

// measure runs a command to its end. If it fails, the error includes its output.
func measure(ctx context.Context, env []string, name string, args ...string) (cost, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append(os.Environ(), env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // the session is measured; plugins have their own groups in it
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return cost{}, err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	var peak int64
	for {
		select {
		case <-tick.C:
			peak = max(peak, resident(cmd.Process.Pid))
		case err := <-ended:
			c := cost{wall: time.Since(began), memory: peak, cpu: cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()}
			if usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
				c.memory = max(c.memory, usage.Maxrss<<10) // exact for a program of one process
			}
			if err = errors.Join(err, ctx.Err()); err != nil {
				return c, fmt.Errorf("%s: %w\n%s", name, err, out.Bytes())
			}
			return c, nil
		}
	}
}

// resident returns the bytes that the processes of a session have resident now. A
// process that ends meanwhile counts nothing.
func resident(session int) int64 {
	var pages int64
	dirs, err := os.ReadDir("/proc")
	if err != nil {
		return 0
	}
	for _, d := range dirs {
		if _, err := strconv.Atoi(d.Name()); err != nil {
			continue
		}
		stat, err := os.ReadFile("/proc/" + d.Name() + "/stat")
		if err != nil {
			continue
		}
		// After the name in parentheses: state, parent, group, session …; resident
		// pages are the 22nd.
		f := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
		if len(f) < 22 || f[3] != strconv.Itoa(session) {
			continue
		}
		if n, err := strconv.ParseInt(f[21], 10, 64); err == nil {
			pages += n
		}
	}
	return pages * int64(os.Getpagesize())
}
