package cli

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"sync/atomic"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/viper"
	"golang.org/x/term"

	"github.com/lmsvault/vault/builtin"
	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/progress"
	"github.com/lmsvault/vault/core/repository/manifest"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/plugins/host"
)

// App holds the state that the commands share.
type App struct {
	In, Out, Errs *os.File
	Started       bool // the command line was parsed
	Settings      *viper.Viper
	Stages        *stage.Registry
	Log           *slog.Logger
	Want          stage.Choice        // the snapshots selected for a repository command
	Signing       manifest.SigningKey // of the pipeline file that names the repository
	Reporter      *progress.Stream    // progress of a run; nil until Setup
	Bar           *progress.Terminal  // nil without a terminal
	progress      []*muted            // destinations of progress: standard error, a log file
	Hidden        config.Redactor     // redacts secrets in messages, logs and results
	Events        *progress.JSON      // with --json, also if only an error is an event
	Document      atomic.Bool         // standard output is one JSON document, without events before it
	printed       atomic.Bool         // the document was printed: nothing may follow
	Result        any                 // of a run that failed, for the error event
	Cancel        context.CancelCauseFunc
	Ending        <-chan struct{} // closed when the command is asked to stop
	workspace     *workspace      // nil until it is needed
	Host          *host.Host      // of stages in other processes; nil until it is needed
}

// Setup reads the tool's settings and sets up logging and progress.
func (a *App) Setup(cmd *cobra.Command) error {
	a.Started = true
	var err error
	if a.Settings, err = LoadSettings(cmd); err != nil {
		return failure.Wrap(failure.Usage, err)
	}
	if a.Stages, err = builtin.Stages(); err != nil {
		return err
	}
	verbose, quiet, asJSON := a.Flag("verbose"), a.Flag("quiet"), a.Flag("json")
	if err := errors.Join(verbose.err, quiet.err, asJSON.err, a.Flag("no-color").err, a.Flag("isolate").err); err != nil {
		return failure.Wrap(failure.Usage, err)
	}
	terminal := term.IsTerminal(int(a.Errs.Fd()))
	options := &slog.HandlerOptions{Level: slog.LevelWarn}
	switch {
	case verbose.On:
		options.Level = slog.LevelDebug
	case quiet.On:
		options.Level = slog.LevelError
	}
	a.Log = slog.New(slog.NewTextHandler(a.discreet(a.Errs), options))
	var reporters []progress.Reporter
	switch {
	case asJSON.On:
		a.Events = progress.NewJSON(heard{a.DiscreetJSON(a.Out), a.Cancel})
		reporters = append(reporters, eventsUnlessDocument{a})
		a.Log = slog.New(slog.NewJSONHandler(a.DiscreetJSON(a.Errs), options))
	case quiet.On:
	case terminal:
		a.Bar = progress.NewTerminal(a.mute("standard error", a.discreet(a.Errs)), a.width)
		reporters, a.Log = append(reporters, a.Bar), slog.New(slog.NewTextHandler(a.Bar, options))
	default:
		reporters = append(reporters, progress.NewPlain(a.mute("standard error", a.discreet(a.Errs))))
	}
	if verbose.On {
		a.logSettings(cmd)
		reporters = append(reporters, detailed{a.Log})
	}
	if path := a.Settings.GetString("log-file"); path != "" {
		file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY|syscall.O_NONBLOCK, 0o600) // fail if the file is a pipe without a reader
		if err != nil {
			return failure.New(failure.Usage, "--log-file: %w", err)
		}
		reporters = append(reporters, logFile{progress.NewJSON(a.mute(path, a.DiscreetJSON(file))), file})
	}
	a.Reporter = progress.NewStream(reporters...)
	return nil
}

// width returns the number of columns of the terminal.
func (a *App) width() int {
	if w, _, err := term.GetSize(int(a.Errs.Fd())); err == nil && w > 0 {
		return w
	}
	return 80
}
