package main

import (
	"github.com/spf13/cobra"

	"github.com/lmsvault/vault/core/pipeline"
)

func newSchema(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of pipeline files, for editors",
		Long: `Print the JSON Schema (draft 2020-12) of pipeline files. Editors with the YAML
language server complete and check a file that begins with
  # yaml-language-server: $schema=pipeline.schema.json`,
		Example: "  vault schema > pipeline.schema.json",
		Args:    takes(),
		RunE: func(*cobra.Command, []string) error {
			s, err := pipeline.Schema(a.stages)
			if err != nil {
				return err
			}
			return a.printJSON(s)
		},
	}
}
