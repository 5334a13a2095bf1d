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
		Long: `Take a plugin out of vault.lock.yaml and remove its files from vault-plugins, also
if it is refused. Pipelines beside it that use it are named: they can't run without it.`,
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
		return fmt.Errorf("%s is removed, but which pipelines use it can't be told: %w", name, err)
	}
	if len(users) > 0 {
		a.Say(fmt.Sprintf("warning: %s of %s is used by %s", stagesOf(p), name, cli.Plain(strings.Join(users, ", "))))
	}
	if a.Flag("json").On {
		return a.PrintJSON(struct {
			Name    string   `json:"name"`
			Version string   `json:"version"`
			Users   []string `json:"users"` // pipelines that can't run without it
		}{p.Name, p.Version, append([]string{}, users...)})
	}
	return a.Print(fmt.Sprintf("removed %s %s\n", p.Name, p.Version))
}
