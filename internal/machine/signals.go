package machine

import (
	"os"
	"os/signal"
	"syscall"
)

// Signals has the programs that a test starts end by signals even where whoever
// started the test ignores them, as nohup and background jobs of a shell do: a
// program inherits what is ignored, but not what is handled.
func Signals() {
	for _, s := range []os.Signal{syscall.SIGHUP, os.Interrupt, syscall.SIGQUIT, syscall.SIGTERM, syscall.SIGPIPE} {
		if signal.Ignored(s) {
			signal.Notify(make(chan os.Signal, 1), s)
		}
	}
}
