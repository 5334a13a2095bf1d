package plugincmd

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lmsvault/vault/cmd/vault/cli"
	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/plugins/scaffold"
)

// lasting returns the path of this program, or "" if it is temporary (go run).
func lasting() string {
	path, err := os.Executable()
	if err != nil || strings.Contains(path, string(filepath.Separator)+"go-build") || strings.ContainsAny(path, " $#") {
		return ""
	}
	return path
}

func newPluginNew(a *cli.App) *cobra.Command {
	var p scaffold.Project
	roles := []stage.Role{stage.RoleStorage, stage.RoleSource, stage.RoleSink, stage.RoleTransform}
	cmd := &cobra.Command{
		Use:   "new storage|source|sink|transform NAME",
		Short: "Create a plugin project that builds and passes its tests",
		Long: `Create a folder with a small working plugin: a stage with a few settings, a test that
runs the conformance kit, a pipeline to try it, a README and a Makefile. Adapt it to
your needs. docs/plugins.md in Vault's sources explains the contract.`,
		Example: "  vault plugin new storage mystore\n  vault plugin new transform mask --kind rows\n  vault plugin new storage mystore --lang python",
		Args:    cli.Takes("storage|source|sink|transform", "NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			p.Role, p.Name, p.Version, p.BuiltIn = stage.Role(args[0]), args[1], cli.Version(), a.Stages
			if !slices.Contains(roles, p.Role) {
				return failure.New(failure.Usage, "no template for %q; use storage, source, sink or transform", args[0])
			}
			if p.Role != stage.RoleTransform && cmd.Flags().Changed("kind") {
				return failure.New(failure.Usage, "--kind applies only to transforms")
			}
			p.Vault = lasting()
			if p.Dir == "" {
				p.Dir = p.Name
			}
			if err := scaffold.Create(p); err != nil {
				return fmt.Errorf("new plugin: %w", err)
			}
			if a.Flag("json").On {
				return a.PrintJSON(struct {
					Dir  string     `json:"dir"`
					Name string     `json:"name"`
					Role stage.Role `json:"role"`
					Lang string     `json:"lang"`
				}{p.Dir, p.Name, p.Role, p.Lang})
			}
			return a.Print(scaffold.Next(p))
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&p.Lang, "lang", "go", "the language: go or python")
	flags.StringVar(&p.Kind, "kind", "rows", "what a transform changes: rows or bytes")
	flags.StringVar(&p.Dir, "dir", "", "the folder to create (default ./NAME)")
	flags.StringVar(&p.SDK, "sdk", "", "build with this checkout of Vault's sources instead of a published version")
	return cmd
}
