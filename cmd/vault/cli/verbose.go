package cli

import (
	"log/slog"
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/lmsvault/vault/core/pipeline"
	"github.com/lmsvault/vault/core/progress"
	"github.com/lmsvault/vault/core/run"
)

// detailed logs events that other reporters omit.
type detailed struct{ log *slog.Logger }

// Report logs each completed unit.
func (d detailed) Report(e progress.Event) {
	if e.Kind == progress.Unit {
		d.log.Debug("unit done", "unit", e.Unit, "units", e.Units, "of", e.TotalUnits, "bytes", e.Bytes, "rows", e.Rows, "files", e.Files)
	}
}

// Close does nothing.
func (d detailed) Close() error { return nil }

// logSettings logs the names and origins of the tool's settings, but not their values.
func (a *App) logSettings(cmd *cobra.Command) {
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		name, from := environmentName(f.Name), ""
		switch _, inEnvironment := os.LookupEnv(name); {
		case f.Changed:
			from = "flag --" + f.Name
		case inEnvironment:
			from = "environment " + name
		case a.Settings.InConfig(f.Name):
			from = "the tool's configuration"
		default:
			return
		}
		a.Log.Debug("setting", "name", f.Name, "from", from)
	})
}

// LogJob logs the stages of a pipeline and the job that was created from it.
func (a *App) LogJob(p *pipeline.Pipeline, job *run.Job) {
	for _, s := range p.Steps() {
		a.Log.Debug("stage", "role", string(s.Role), "name", s.Label(), "stage", s.Stage.Name, "at", s.At.String())
	}
	a.Log.Debug("stages are made", "pipeline", p.Name, "workers", job.Workers, "memory", p.Memory.String(), "temporary", job.TempDir)
}
