package stagecmd

import (
	"github.com/spf13/cobra"

	"github.com/lmsvault/vault/cmd/vault/cli"
	"github.com/lmsvault/vault/core/pipeline"
	"github.com/lmsvault/vault/core/stage"
)

// NewSchema returns the command "schema".
func NewSchema(a *cli.App) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of pipeline files, for editors",
		Long: `Print the JSON Schema (draft 2020-12) of pipeline files. Editors with the YAML
language server complete and check a file that begins with
  # yaml-language-server: $schema=pipeline.schema.json`,
		Example: "  vault schema > pipeline.schema.json",
		Args:    cli.Takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			all, err := known(a, cmd, "")
			if err != nil {
				return err
			}
			registry, err := stage.NewRegistry(all...)
			if err != nil {
				return err
			}
			s, err := pipeline.Schema(registry)
			if err != nil {
				return err
			}
			return a.PrintJSON(s)
		},
	}
	PluginsFlag(cmd)
	return cmd
}
