package main

import (
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// closeOnExec sets the close-on-exec flag of all inherited file descriptors, so that
// processes started by vault cannot read, for example, a pipe with a password. Go sets
// the flag for files that vault opens itself. Without /proc, closeOnExec does nothing.
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
