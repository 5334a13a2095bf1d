package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lmsvault/vault/plugins/lockfile"
)

func newPluginRemove(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "remove NAME",
		Short: "Remove an installed plugin",
		Long: `Take a plugin out of vault.lock.yaml and remove its files from vault-plugins, also
if it is refused. Pipelines beside it that use it are named: they can't run without it.`,
		Args: takes("NAME"),
		RunE: func(cmd *cobra.Command, args []string) error { return a.removePlugin(cmd.Context(), args[0]) },
	}
	pluginsFlag(cmd)
	return cmd
}

func (a *app) removePlugin(ctx context.Context, name string) error {
	dir := a.settings.GetString("pipelines")
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
		a.say(fmt.Sprintf("warning: %s of %s is used by %s", stagesOf(p), name, plain(strings.Join(users, ", "))))
	}
	if a.flag("json").on {
		return a.printJSON(struct {
			Name    string   `json:"name"`
			Version string   `json:"version"`
			Users   []string `json:"users"` // pipelines that can't run without it
		}{p.Name, p.Version, append([]string{}, users...)})
	}
	return a.print(fmt.Sprintf("removed %s %s\n", p.Name, p.Version))
}
