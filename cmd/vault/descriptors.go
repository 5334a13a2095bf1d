package main

import (
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// closeOnExec keeps what the caller left open, a password's pipe for
// instance, from the processes that vault starts. What vault opens itself is
// closed there anyway. Where there is no /proc nothing is done.
func closeOnExec() {
	open, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return
	}
	for _, e := range open {
		if fd, err := strconv.Atoi(e.Name()); err == nil && fd > 2 {
			unix.CloseOnExec(fd)
		}
	}
}
