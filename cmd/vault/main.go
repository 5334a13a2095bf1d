// Command vault backs up, restores and moves Moodle sites.
package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"syscall"

	"github.com/lmsvault/vault/cmd/vault/cli"
	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/progress"
)

func main() {
	closeOnExec()
	os.Exit(int(start(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)))
}

// start runs a command line and returns the exit code. The first signal asks the
// command to stop; the second kills the process.
func start(args []string, in, out, errs *os.File) (class failure.Class) {
	signalled, stop := signal.NotifyContext(context.Background(), endings()...)
	defer stop()
	ctx, cancel := context.WithCancelCause(signalled)
	defer cancel(nil)
	a := &cli.App{Ending: ctx.Done(), In: in, Out: out, Errs: errs, Cancel: cancel}
	ended := context.AfterFunc(signalled, func() {
		signal.Ignore(syscall.SIGHUP) // a closing terminal may send it twice
		stop()                        // a second signal has its default effect
		a.Say("stopping; press Ctrl-C again to quit immediately")
	})
	root := newRoot(a)
	root.SetArgs(args)
	root.SetIn(in)
	root.SetOut(out)
	root.SetErr(errs)
	defer func() { // also after a panic, to end the processes that were started
		if bad := a.Release(); bad != nil {
			a.Say(bad.Error())
			class = max(class, failure.Failed)
		}
	}()
	err := root.ExecuteContext(ctx)
	err = errors.Join(err, a.Release())
	ended()
	if gone := new(cli.ReportError); errors.As(context.Cause(ctx), &gone) && failure.Of(err) == failure.Interrupted {
		err = failure.New(failure.Failed, "%w, so the run was ended: %w", gone, err)
	}
	if err != nil && !a.Started {
		err = failure.Wrap(failure.Usage, err)
	}
	if err != nil && a.Events == nil && cli.AsksForJSON(args) { // the command line or the settings could not be read
		a.Events = progress.NewJSON(a.DiscreetJSON(out))
		a.Reporter = progress.NewStream(a.Events)
	}
	return end(a, err)
}

// endings returns the signals that stop a command, except those that were ignored when
// vault was started, for example by nohup.
func endings() []os.Signal {
	signals := []os.Signal{syscall.SIGTERM}
	for _, s := range []os.Signal{os.Interrupt, syscall.SIGHUP} {
		if !signal.Ignored(s) {
			signals = append(signals, s)
		}
	}
	return signals
}

// end reports an error, also as an event if events are requested.
func end(a *cli.App, err error) failure.Class {
	class := failure.Of(err)
	if err != nil && a.Reporter != nil {
		a.Reporter.Report(progress.Event{Kind: progress.Failed, Text: err.Error(), Class: int(class), Result: a.Result})
	}
	if closing := a.Close(); closing != nil && err == nil {
		err, class = &cli.ReportError{Err: closing}, failure.Failed
	}
	if err != nil {
		a.Say(err.Error())
		if class == failure.Usage && !a.Started {
			a.Say("vault --help shows the commands, vault COMMAND --help their options")
		}
	}
	return class
}
