package lock

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"strconv"
	"strings"
)

// process tells one process from all others on the same running system, by what
// Linux's /proc says. The zero fields elsewhere make a lock's lease the only word.
type process struct {
	Host  string `json:"host"`
	PID   int    `json:"pid"`
	Boot  string `json:"boot,omitempty"`  // the kernel's boot id: the same only on one running system
	Space string `json:"space,omitempty"` // the PID namespace: in another, PIDs mean other processes
	Start string `json:"start,omitempty"` // when the process began, in ticks since boot: PIDs are used again
}

func thisProcess() process {
	p := process{PID: os.Getpid()}
	p.Host, _ = os.Hostname() // a name for people; an unknown host's is empty
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

// startOf returns field 22 of /proc/PID/stat (proc(5)), ErrNotExist for no such process.
func startOf(pid int) (string, error) {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return "", err
	}
	// The name of the program, in parentheses, may have any characters.
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	if len(fields) < 20 {
		return "", errors.New("unexpected form of /proc/PID/stat")
	}
	return fields[19], nil
}

// gone tells whether p has certainly ended: it ran on this system, where it can
// be looked up, and is not there, or its number belongs to another by now.
func (p process) gone(here process) bool {
	if p.Boot == "" || p.Boot != here.Boot || p.Space == "" || p.Space != here.Space || p.Start == "" {
		return false
	}
	start, err := startOf(p.PID)
	return errors.Is(err, fs.ErrNotExist) || err == nil && start != p.Start
}
