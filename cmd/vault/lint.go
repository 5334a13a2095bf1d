package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/pipeline"
)

func newLint(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "lint PIPELINE…",
		Short: "Check pipeline files without running them",
		Long: `Check pipeline files: syntax, settings, and whether the stages fit together.
Nothing that they name is opened or contacted, but plugins are started and asked
for their settings, and composite stages read files to say what they stand for. A
variable that is not set, or a file of ${file:…} that is missing, is a warning.
Findings are printed as FILE:LINE:COLUMN.`,
		Example: "  vault lint pipelines/*.yaml",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return takes("PIPELINE")(cmd, args)
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return a.lint(cmd, args) },
	}
	pipelineFlags(cmd, false)
	return cmd
}

func (a *app) lint(cmd *cobra.Command, paths []string) error {
	given, err := sets(cmd)
	if err != nil {
		return err
	}
	o, err := a.options(cmd.Context())
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
	if a.flag("json").on {
		if err := a.printJSON(all); err != nil {
			return err
		}
	} else {
		for _, f := range all {
			if _, err := fmt.Fprintln(a.out, a.paint(f)); err != nil {
				return err
			}
		}
	}
	if len(all) == len(all.Of(config.Note)) && !a.flag("json").on && !a.flag("quiet").on {
		return a.print(count(len(paths), "file") + ": no problems found\n")
	}
	if n := len(all.Of(config.Error)); n > 0 {
		return failure.New(failure.Usage, "%s found in %s", count(n, "error"), count(len(paths), "file"))
	}
	return nil
}

// paint shows a finding, in colour on a terminal.
func (a *app) paint(f config.Finding) string {
	if !a.colourful() {
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
