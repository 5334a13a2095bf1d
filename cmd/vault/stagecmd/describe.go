package stagecmd

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lmsvault/vault/cmd/vault/cli"
	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/pipeline"
	"github.com/lmsvault/vault/core/stage"
)

// NewStages returns the command "stages".
func NewStages(a *cli.App) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "stages [NAME or PATH]",
		Short: "List the stages, or show one with its settings",
		Long: `List the built-in stages and those of installed plugins, or show one stage with its
settings. PATH, which must contain a slash, is a plugin's program; its stages are shown.`,
		Example: "  vault stages mysql\n  vault stages ./bin/mystore",
		Args:    cli.Takes("[NAME]"),
		RunE: func(cmd *cobra.Command, args []string) error {
			dir, err := cmd.Flags().GetString("markdown")
			switch {
			case err != nil:
				return err
			case dir != "":
				return writePages(a, dir)
			case len(args) == 1 && strings.Contains(args[0], "/"):
				return describeProgram(a, cmd.Context(), args[0])
			}
			all, err := known(a, cmd, strings.Join(args, ""))
			switch {
			case err != nil:
				return err
			case len(args) == 1:
				return describe(a, all, args[0])
			}
			return listStages(a, all)
		},
	}
	cmd.Flags().String("markdown", "", "write a page for each built-in stage into this folder")
	PluginsFlag(cmd)
	return cmd
}

// Described is the description of a stage in the output of --json.
type Described struct {
	Name     string         `json:"name"`
	Role     stage.Role     `json:"role"`
	Summary  string         `json:"summary"`
	Parts    []string       `json:"parts,omitempty"`
	Settings []config.Field `json:"settings"`
	// SecretFacts are the secret facts of a site that the stage needs.
	SecretFacts []string `json:"secret_facts,omitempty"`
}

// DescribedOf returns the description of a stage.
func DescribedOf(s stage.Stage) (Described, error) {
	fields, err := pipeline.Fields(s, s.Role)
	return Described{s.Name, s.Role, s.Summary, s.Parts, fields, s.SecretFacts}, err
}

func listStages(a *cli.App, all []stage.Stage) error {
	if a.Flag("json").On {
		return stagesAsJSON(a, all)
	}
	var rows [][]string
	for _, role := range []stage.Role{stage.RoleSource, stage.RoleTransform, stage.RoleSink, stage.RoleStorage, stage.RoleAction} {
		for _, s := range all {
			if s.Role == role {
				rows = append(rows, []string{string(role), s.Name, sentence(s.Summary)})
			}
		}
	}
	return a.Table(rows)
}

func stagesAsJSON(a *cli.App, stages []stage.Stage) error {
	list := []Described{}
	for _, s := range stages {
		d, err := DescribedOf(s)
		if err != nil {
			return err
		}
		list = append(list, d)
	}
	return a.PrintJSON(list)
}

// describe prints all stages with a name.
func describe(a *cli.App, all []stage.Stage, name string) error {
	var found []stage.Stage
	var names []string
	for _, s := range all {
		names = append(names, s.Name)
		if s.Name == name {
			found = append(found, s)
		}
	}
	if len(found) == 0 {
		return failure.New(failure.Usage, "no stage is named %q: %s", name, cmp.Or(config.Nearest(name, names), "vault stages lists them"))
	}
	return Explain(a, found)
}

// Explain prints stages with their settings.
func Explain(a *cli.App, found []stage.Stage) error {
	if a.Flag("json").On {
		return stagesAsJSON(a, found)
	}
	for i, s := range found {
		d, err := DescribedOf(s)
		if err != nil {
			return err
		}
		if i > 0 {
			s.Name = "\n" + s.Name
		}
		if _, err := fmt.Fprintf(a.Out, "%s (%s)\n\n%s\n\n%s\n\n", s.Name, s.Role, sentence(s.Summary), s.Doc); err != nil {
			return err
		}
		for _, f := range config.Flatten(d.Settings) {
			if _, err := fmt.Fprintf(a.Out, "  %s (%s)\n      %s\n", f.Path, strings.Join(traits(f), ", "), f.Help); err != nil {
				return err
			}
		}
	}
	return nil
}

// traits returns the properties of a setting: its type, default, bounds and so on.
func traits(f config.Listed) []string {
	t := []string{string(f.Type)}
	if f.Like != "" {
		t = append(t, "with what "+f.Like+" has")
	}
	if len(f.OneOf) > 0 {
		t = append(t, "one of "+strings.Join(f.OneOf, ", "))
	}
	switch {
	case f.Min != "" && f.Max != "":
		t = append(t, "from "+f.Min+" to "+f.Max)
	case f.Min != "":
		t = append(t, "at least "+f.Min)
	case f.Max != "":
		t = append(t, "at most "+f.Max)
	}
	switch {
	case f.Required:
		t = append(t, "required")
	case f.Default != "":
		t = append(t, "default "+f.Default)
	}
	return t
}

func writePages(a *cli.App, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, s := range a.Stages.All() {
		text, err := Page(s)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, PageName(s)), []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}
