package runcmd

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/lmsvault/vault/cmd/vault/cli"
	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/pipeline"
)

// NewLint returns the command "lint".
func NewLint(a *cli.App) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "lint PIPELINE…",
		Short: "Check pipeline files without running them",
		Long: `Check pipeline files: syntax, settings, and whether the stages fit together.
Nothing that they name is opened or contacted, except that plugins are started and
asked for their settings, and composite stages may read files to expand. A variable that is not set, or a file of ${file:…} that is missing, is a warning.
Findings are printed as FILE:LINE:COLUMN.`,
		Example: "  vault lint pipelines/*.yaml",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return cli.Takes("PIPELINE")(cmd, args)
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return lint(a, cmd, args) },
	}
	cli.PipelineFlags(cmd, false)
	return cmd
}

func lint(a *cli.App, cmd *cobra.Command, paths []string) error {
	given, err := cli.Sets(cmd)
	if err != nil {
		return err
	}
	o, err := a.Options(cmd.Context())
	if err != nil {
		return err
	}
	o.Values = config.Values{Set: given, Offline: true}
	all := config.Findings{}
	for _, path := range paths {
		_, found, err := pipeline.Load(path, o)
		if err != nil {
			found = config.Findings{{Position: config.Position{File: path, Line: 1, Column: 1}, Severity: config.Error, Message: err.Error()}}
		}
		all = append(all, found...)
	}
	if a.Flag("json").On {
		if err := a.PrintJSON(all); err != nil {
			return err
		}
	} else {
		for _, f := range all {
			if _, err := fmt.Fprintln(a.Out, paint(a, f)); err != nil {
				return err
			}
		}
	}
	if len(all) == len(all.Of(config.Note)) && !a.Flag("json").On && !a.Flag("quiet").On {
		return a.Print(cli.Count(len(paths), "file") + ": no problems found\n")
	}
	if n := len(all.Of(config.Error)); n > 0 {
		return failure.New(failure.Usage, "%s found in %s", cli.Count(n, "error"), cli.Count(len(paths), "file"))
	}
	return nil
}

// paint formats a finding, in colour on a terminal.
func paint(a *cli.App, f config.Finding) string {
	if !a.Colourful() {
		return f.String()
	}
	colour := "33"
	switch f.Severity {
	case config.Error:
		colour = "31"
	case config.Note:
		colour = "36"
	}
	s := fmt.Sprintf("%s: \x1b[%sm%s\x1b[0m: %s", f.Position, colour, f.Severity, f.Message)
	if f.Suggestion != "" {
		s += ": " + f.Suggestion
	}
	return s
}
