// Command vault backs up, restores and moves Moodle sites.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/progress"
)

func main() {
	closeOnExec()
	os.Exit(int(start(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)))
}

// start runs a command line and returns the exit code. The first signal asks
// the command to end, the second ends the process at once.
func start(args []string, in, out, errs *os.File) (class failure.Class) {
	signalled, stop := signal.NotifyContext(context.Background(), endings()...)
	defer stop()
	ctx, cancel := context.WithCancelCause(signalled)
	defer cancel(nil)
	a := &app{ending: ctx.Done(), in: in, out: out, errs: errs, cancel: cancel}
	ended := context.AfterFunc(signalled, func() {
		signal.Ignore(syscall.SIGHUP) // a terminal that closes may send it twice
		stop()                        // a second of the others has its usual effect
		a.say("stopping; press Ctrl-C again to quit immediately")
	})
	root := newRoot(a)
	root.SetArgs(args)
	root.SetIn(in)
	root.SetOut(out)
	root.SetErr(errs)
	defer func() { // a panic too ends the processes that were started
		if bad := a.release(); bad != nil {
			a.say(bad.Error())
			class = max(class, failure.Failed)
		}
	}()
	err := root.ExecuteContext(ctx)
	err = errors.Join(err, a.release())
	ended()
	if gone := new(reportError); errors.As(context.Cause(ctx), &gone) && failure.Of(err) == failure.Interrupted {
		err = failure.New(failure.Failed, "%w, so the run was ended: %w", gone, err)
	}
	if err != nil && !a.started {
		err = failure.Wrap(failure.Usage, err)
	}
	if err != nil && a.events == nil && asksForJSON(args) { // the command line or the settings could not be read
		a.events = progress.NewJSON(a.discreetJSON(out))
		a.reporter = progress.NewStream(a.events)
	}
	return a.end(err)
}

// endings are the signals that ask to end, without those that were ignored when
// vault was started (nohup does so).
func endings() []os.Signal {
	signals := []os.Signal{syscall.SIGTERM}
	for _, s := range []os.Signal{os.Interrupt, syscall.SIGHUP} {
		if !signal.Ignored(s) {
			signals = append(signals, s)
		}
	}
	return signals
}

// end reports an error, as an event too where events are wanted.
func (a *app) end(err error) failure.Class {
	class := failure.Of(err)
	if err != nil && a.reporter != nil {
		a.reporter.Report(progress.Event{Kind: progress.Failed, Text: err.Error(), Class: int(class), Result: a.result})
	}
	if closing := a.close(); closing != nil && err == nil {
		err, class = &reportError{closing}, failure.Failed
	}
	if err != nil {
		a.say(err.Error())
		if class == failure.Usage && !a.started {
			a.say("vault --help shows the commands, vault COMMAND --help their options")
		}
	}
	return class
}

// say writes a message for people.
func (a *app) say(text string) {
	to := a.discreet(a.errs)
	if a.bar != nil {
		to = a.bar // above it
	}
	if _, err := fmt.Fprintln(to, "vault: "+text); err != nil {
		return // there is nobody left to tell
	}
}
