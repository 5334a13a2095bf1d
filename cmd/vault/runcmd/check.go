package runcmd

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lmsvault/vault/builtin"
	"github.com/lmsvault/vault/cmd/vault/cli"
	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/moodle/check"
	"github.com/lmsvault/vault/core/pipeline"
	"github.com/lmsvault/vault/core/run"
	"github.com/lmsvault/vault/core/stage"
)

// NewCheck returns the command "check".
func NewCheck(a *cli.App) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "check PIPELINE",
		Short: "Check a site before a backup or a restore",
		Long: `Connect to everything and perform all checks of a pipeline: those of its actions, and
whether a run would be refused or lose something. Nothing is changed. Each finding has
a level: ok, note, warning or fail. A run is refused if a check fails; then the exit
code is 3.

With --exclude, what a finding concerns is left out of the backup: the pipeline file is
edited, and its other lines stay as they are. FINDING is printed in the report, such as
database-modifications:mytable.`,
		Example: "  vault check pipelines/site-backup.yaml\n  vault check pipelines/site-backup.yaml --exclude database-modifications:mytable\n  vault check --list",
		Args: func(cmd *cobra.Command, args []string) error {
			if cmd.Flags().Changed("list") || cmd.Flags().Changed("markdown") {
				return cli.Takes()(cmd, args)
			}
			return cli.Takes("PIPELINE")(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			a.Document.Store(true)
			page, err := cmd.Flags().GetString("markdown")
			switch {
			case err != nil:
				return err
			case page != "":
				return os.WriteFile(page, []byte(check.Page(builtin.Checks())), 0o644)
			case len(args) == 0:
				return listChecks(a)
			}
			names, err := cmd.Flags().GetStringArray("exclude")
			if err != nil {
				return err
			}
			p, err := a.Runnable(cmd, args[0])
			if err != nil {
				return err
			}
			report, plan, err := examine(a, cmd.Context(), p)
			switch {
			case err != nil:
				return err
			case len(names) > 0:
				return exclude(a, p, report, plan, names)
			}
			return report.print(a)
		},
	}
	cli.PipelineFlags(cmd, true)
	cmd.Flags().StringArray("exclude", nil, "FINDING: leave out what it concerns, by editing the pipeline file; may be repeated")
	cmd.Flags().Bool("list", false, "list all checks that there are")
	cmd.Flags().String("markdown", "", "write a page about all checks to this file")
	return cmd
}

// checkReport is the result of the command.
type checkReport struct {
	Pipeline string         `json:"pipeline"`
	Level    stage.Level    `json:"level"` // most severe level
	Findings []checkFinding `json:"findings"`

	file string // of the pipeline
}

// checkFinding is a finding and where it comes from.
type checkFinding struct {
	Action string `json:"action"` // name of the action, or plan
	stage.ActionFinding
}

// name identifies the finding for --exclude.
func (f *checkFinding) name() string { return strings.TrimSuffix(f.ID+":"+f.Where, ":") }

// planned is the name of the findings that are not those of an action.
const planned = "plan"

func (r *checkReport) add(action string, f stage.ActionFinding) {
	if f.Level.Above(r.Level) {
		r.Level = f.Level
	}
	r.Findings = append(r.Findings, checkFinding{action, f})
}

// examine plans a run and collects all findings. The plan is nil if the run is refused
// before there is one.
func examine(a *cli.App, ctx context.Context, p *pipeline.Pipeline) (*checkReport, *run.Plan, error) {
	r := &checkReport{Pipeline: p.Name, Level: stage.LevelOK, Findings: []checkFinding{}, file: p.File}
	var plan *run.Plan
	err := withJob(a, ctx, p, func(job *run.Job) (err error) {
		plan, err = job.Plan(ctx)
		return err
	})
	switch {
	case err != nil && failure.Of(err) == failure.Refused:
		r.add(planned, stage.ActionFinding{ID: "refused", Level: stage.LevelFail, What: err.Error()})
		return r, nil, nil
	case err != nil:
		return nil, nil, err
	}
	for _, action := range plan.Actions {
		for _, f := range action.Findings {
			r.add(action.Name, f)
		}
		if action.Error != "" {
			r.add(action.Name, stage.ActionFinding{ID: "error", Level: stage.LevelFail, What: action.Error})
		}
	}
	for _, f := range losses(plan.Losses, p.Accept) {
		r.add(planned, f)
	}
	if len(plan.Losses) == 0 {
		r.add(planned, stage.ActionFinding{ID: "losses", Level: stage.LevelOK, What: "nothing would be lost, as far as the plan shows"})
	}
	return r, plan, nil
}

// losses returns a finding for each loss of a plan.
func losses(list []stage.Loss, accept map[stage.LossKind]int64) []stage.ActionFinding {
	counts := map[stage.LossKind]int64{}
	for _, l := range list {
		counts[l.Kind] += l.Count
	}
	var found []stage.ActionFinding
	for _, l := range list {
		f := stage.ActionFinding{ID: "loss-" + strings.ReplaceAll(string(l.Kind), "_", "-"), Level: stage.LevelFail, Where: l.Path, What: l.Reason}
		if l.Where != "" {
			f.Where += " " + l.Where
		}
		if l.Count > 1 {
			f.What += fmt.Sprintf(" (%d times)", l.Count)
		}
		if f.Remedy = fmt.Sprintf("to continue anyway: --accept-loss %s=%d", l.Kind, counts[l.Kind]); counts[l.Kind] <= accept[l.Kind] {
			f.Level, f.Remedy = stage.LevelNote, ""
			f.What = "accepted: " + f.What
		}
		if part, rest, _ := strings.Cut(l.Path, "/"); stage.IsPart(part) && rest != "" {
			f.Exclude = []string{l.Path}
		}
		found = append(found, f)
	}
	return found
}

// print prints the report, and returns an error of class failure.Refused if a check failed.
func (r *checkReport) print(a *cli.App) error {
	if a.Flag("json").On {
		if err := a.PrintJSON(r); err != nil {
			return err
		}
	} else if err := a.Print(r.text(a.Colourful(), a.Flag("quiet").On)); err != nil {
		return err
	}
	return r.refusal()
}

// refusal returns an error of class failure.Refused if a check failed.
func (r *checkReport) refusal() error {
	failed := r.count(stage.LevelFail)
	if failed == 0 {
		return nil
	}
	return failure.New(failure.Refused, "%s; a run would be refused", strings.TrimSuffix(cli.Count(failed, "finding of level fail"), "s"))
}

// Check performs all checks of a pipeline and returns how many findings of each level there
// are. It returns an error of class failure.Refused if a check failed.
func Check(ctx context.Context, a *cli.App, p *pipeline.Pipeline) (counts string, err error) {
	r, _, err := examine(a, ctx, p)
	if err != nil {
		return "", err
	}
	return r.summary(), r.refusal()
}

func (r *checkReport) count(l stage.Level) (n int) {
	for _, f := range r.Findings {
		if f.Level == l {
			n++
		}
	}
	return n
}

// text formats the report. quiet leaves out notes and what is ok.
func (r *checkReport) text(colour, quiet bool) string {
	var b strings.Builder
	action, notes := "", 0
	more := func() {
		if notes > cli.Most {
			fmt.Fprintf(&b, "  … and %s; --json shows all\n", cli.Count(notes-cli.Most, "more note"))
		}
		notes = 0
	}
	for _, f := range r.Findings {
		severe := f.Level.Above(stage.LevelNote)
		if quiet && !severe {
			continue
		}
		if f.Action != action {
			more()
			fmt.Fprintf(&b, "%s\n", cli.Plain(cmp.Or(f.Action, planned)))
			action = f.Action
		}
		if f.Level == stage.LevelNote {
			if notes++; notes > cli.Most {
				continue
			}
		}
		fmt.Fprintf(&b, "  %s  %s: %s\n", painted(f.Level, colour), cli.Plain(f.name()), cli.Plain(f.What))
		if f.Details != "" && f.Level != stage.LevelOK {
			fmt.Fprintf(&b, "           %s\n", strings.ReplaceAll(cli.Plain(strings.TrimRight(f.Details, "\n")), "\n", "\n           "))
		}
		if f.Remedy != "" && severe {
			fmt.Fprintf(&b, "           what to do: %s\n", cli.Plain(f.Remedy))
		}
		if len(f.Exclude) > 0 && severe {
			fmt.Fprintf(&b, "           to leave it out: vault check %s --exclude %s\n", quoted(r.file), quoted(f.name()))
		}
	}
	more()
	fmt.Fprintf(&b, "%s: %s\n", cli.Plain(r.Pipeline), r.summary())
	return b.String()
}

// summary counts the findings by level.
func (r *checkReport) summary() string {
	return fmt.Sprintf("%d failed, %s, %s, %d ok", r.count(stage.LevelFail), cli.Count(r.count(stage.LevelWarning), "warning"),
		cli.Count(r.count(stage.LevelNote), "note"), r.count(stage.LevelOK))
}

// painted returns a level, in colour if wanted, with the width of the longest one.
func painted(l stage.Level, colour bool) string {
	text := fmt.Sprintf("%-7s", l)
	if !colour {
		return text
	}
	codes := map[stage.Level]string{stage.LevelOK: "32", stage.LevelNote: "36", stage.LevelWarning: "33", stage.LevelFail: "31"}
	return "\x1b[" + codes[l] + "m" + text + "\x1b[0m"
}

// quoted returns a word of a command line, in quotes if a shell needs them.
func quoted(word string) string {
	if word != "" && strings.Trim(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:@") == "" {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// listChecks lists all checks.
func listChecks(a *cli.App) error {
	groups := builtin.Checks()
	if a.Flag("json").On {
		return a.PrintJSON(groups)
	}
	var rows [][]string
	for _, g := range groups {
		rows = append(rows, []string{g.Title + ":"})
		for _, c := range g.Checks {
			rows = append(rows, []string{"  " + c.ID, c.Title})
		}
	}
	return a.Table(rows)
}
