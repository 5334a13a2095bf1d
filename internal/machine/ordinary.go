package machine

import (
	"os"
	"os/signal"
	"syscall"
)

// Ordinary gives the test process the usual environment of a program, however the
// test was started: a umask of 022, and signals that end the programs it starts.
// nohup and background jobs of a shell ignore some signals, which child processes
// inherit. It is for TestMain.
func Ordinary() {
	syscall.Umask(0o022)
	for _, s := range []os.Signal{syscall.SIGHUP, os.Interrupt, syscall.SIGQUIT, syscall.SIGTERM, syscall.SIGPIPE} {
		if signal.Ignored(s) {
			signal.Notify(make(chan os.Signal, 1), s)
		}
	}
}
