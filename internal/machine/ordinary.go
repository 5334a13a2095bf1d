package machine

import (
	"os"
	"os/signal"
	"syscall"
)

// Ordinary gives the test's process what a program is usually started with,
// whatever started the test: a umask of 022, and signals that end the programs
// it starts. nohup and background jobs of a shell ignore some, and what is
// ignored is inherited; what is handled is not. It is for TestMain.
func Ordinary() {
	syscall.Umask(0o022)
	for _, s := range []os.Signal{syscall.SIGHUP, os.Interrupt, syscall.SIGQUIT, syscall.SIGTERM, syscall.SIGPIPE} {
		if signal.Ignored(s) {
			signal.Notify(make(chan os.Signal, 1), s)
		}
	}
}
