package lock

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"strconv"
	"strings"
)

// process identifies a process on a running Linux system, with data from /proc. On other
// systems the fields are zero, and a lock is valid until its lease ends.
type process struct {
	Host  string `json:"host"`
	PID   int    `json:"pid"`
	Boot  string `json:"boot,omitempty"`  // the kernel's boot ID, unique to one running system
	Space string `json:"space,omitempty"` // the PID namespace that PID belongs to
	Start string `json:"start,omitempty"` // start time in ticks since boot, because PIDs are reused
}

func thisProcess() process {
	p := process{PID: os.Getpid()}
	p.Host, _ = os.Hostname() // for display only; empty if unknown
	if boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id"); err == nil {
		p.Boot = string(bytes.TrimSpace(boot))
	}
	if space, err := os.Readlink("/proc/self/ns/pid"); err == nil {
		p.Space = space
	}
	if start, err := startOf(p.PID); err == nil {
		p.Start = start
	}
	return p
}

// startOf returns field 22 of /proc/PID/stat (proc(5)), or ErrNotExist if there is no such process.
func startOf(pid int) (string, error) {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return "", err
	}
	// The program name, in parentheses, may contain any characters.
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	if len(fields) < 20 {
		return "", errors.New("unexpected form of /proc/PID/stat")
	}
	return fields[19], nil
}

// gone reports whether p has certainly ended: it ran on this system, and its PID no
// longer exists or belongs to another process.
func (p process) gone(here process) bool {
	if p.Boot == "" || p.Boot != here.Boot || p.Space == "" || p.Space != here.Space || p.Start == "" {
		return false
	}
	start, err := startOf(p.PID)
	return errors.Is(err, fs.ErrNotExist) || err == nil && start != p.Start
}
