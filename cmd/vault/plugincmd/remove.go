package plugincmd

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lmsvault/vault/cmd/vault/cli"
	"github.com/lmsvault/vault/cmd/vault/stagecmd"
	"github.com/lmsvault/vault/plugins/lockfile"
)

func newPluginRemove(a *cli.App) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "remove NAME",
		Short: "Remove an installed plugin",
		Long: `Remove a plugin from vault.lock.yaml and its files from vault-plugins, even if it is
refused. Pipelines in the folder that use it are listed; they can't run without it.`,
		Args: cli.Takes("NAME"),
		RunE: func(cmd *cobra.Command, args []string) error { return removePlugin(a, cmd.Context(), args[0]) },
	}
	stagecmd.PluginsFlag(cmd)
	return cmd
}

func removePlugin(a *cli.App, ctx context.Context, name string) error {
	dir := a.Settings.GetString("pipelines")
	p, err := lockfile.Remove(ctx, dir, name)
	if err != nil {
		return err
	}
	lock, err := lockfile.Load(dir)
	if err != nil {
		return err
	}
	users, err := lock.Users(p)
	if err != nil {
		return fmt.Errorf("%s is removed, but the pipelines that use it can't be determined: %w", name, err)
	}
	if len(users) > 0 {
		a.Say(fmt.Sprintf("warning: %s of %s is used by %s", stagesOf(p), name, cli.Plain(strings.Join(users, ", "))))
	}
	if a.Flag("json").On {
		return a.PrintJSON(struct {
			Name    string   `json:"name"`
			Version string   `json:"version"`
			Users   []string `json:"users"` // pipelines that use it
		}{p.Name, p.Version, append([]string{}, users...)})
	}
	return a.Print(fmt.Sprintf("removed %s %s\n", p.Name, p.Version))
}
