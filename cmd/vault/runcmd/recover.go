package runcmd

import (
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lmsvault/vault/cmd/vault/cli"
	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/pipeline"
	"github.com/lmsvault/vault/core/run"
	"github.com/lmsvault/vault/core/stage"
)

// recovered is the output of vault recover --json.
type recovered struct {
	Pipeline string               `json:"pipeline"`
	Outcome  run.Recovery         `json:"outcome"` // completed, retracted, or "" if no run died while it published
	Actions  []stage.ActionResult `json:"actions,omitempty"`
}

// NewRecover returns the command "recover".
func NewRecover(a *cli.App) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "recover PIPELINE",
		Short: "Complete or take back a restore that was killed",
		Long: `Complete or take back a restore that was killed, or that failed while it replaced
the site. If the database is already the new one, the new files take the place of the old
ones; otherwise the old site stays, and what was prepared beside it is removed. Nothing is
read from the source. Then the site is opened, and the actions that follow a successful or
a failed run are run, such as those that end maintenance mode.

vault run does the same before it begins, except for the actions.`,
		Example: "  vault recover pipelines/restore-local.yaml",
		Args:    cli.Takes("PIPELINE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			a.Document.Store(true)
			p, err := a.Load(cmd, args[0], pipeline.Options{Online: true})
			if err != nil {
				return err
			}
			return withJob(a, cmd.Context(), p, func(job *run.Job) error {
				job.Redact, job.Command = a.Hidden.Redact, cli.Repeated(cmd, args[0], p)
				outcome, actions, err := job.Recover(cmd.Context())
				if err != nil && failure.Of(err) != failure.Afterwards {
					return err
				}
				if a.Flag("json").On {
					return errors.Join(err, a.PrintJSON(recovered{p.Name, outcome, actions}))
				}
				var b strings.Builder
				b.WriteString(p.Name + ": " + outcomes[outcome] + "\n")
				cli.Actions(&b, actions)
				if path := job.LogFile(); path != "" {
					b.WriteString("log: " + cli.Plain(path) + "\n")
				}
				return errors.Join(err, a.Print(b.String()))
			})
		},
	}
	cli.PipelineFlags(cmd, false)
	return cmd
}

var outcomes = map[run.Recovery]string{
	run.RecoveredNothing: "no restore was interrupted while it replaced the site; remains of interrupted restores are removed",
	run.RecoveredNew:     "the restore is completed: the site is the new one",
	run.RecoveredOld:     "the restore is taken back: the site is the old one",
}
