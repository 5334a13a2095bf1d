package main

import (
	"fmt"
	"runtime"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lmsvault/vault/cmd/vault/cli"
)

func newVersion(a *cli.App) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  cli.Takes(),
		RunE: func(*cobra.Command, []string) error {
			v, system := cli.Version(), runtime.GOOS+"/"+runtime.GOARCH
			if a.Flag("json").On {
				return a.PrintJSON(struct {
					Version string `json:"version"`
					Commit  string `json:"commit,omitempty"`
					Go      string `json:"go"`
					System  string `json:"system"`
				}{v, cli.Commit(), runtime.Version(), system})
			}
			built := []string{runtime.Version(), system}
			if c := cli.Commit(); c != "" {
				built = append([]string{"commit " + c}, built...)
			}
			return a.Print(fmt.Sprintf("vault %s (%s)\n", v, strings.Join(built, ", ")))
		},
	}
}
