package plugincmd

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lmsvault/vault/cmd/vault/cli"
	"github.com/lmsvault/vault/cmd/vault/stagecmd"
	"github.com/lmsvault/vault/core/failure"
)

func newPluginVerify(a *cli.App) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "verify [NAME…]",
		Short: "Check that installed plugins match their pins",
		Long: `Check that the files of all pinned plugins, or of those named, match vault.lock.yaml
and that no other user may change them. No plugin is run. The exit code is 3 if a
plugin is refused.`,
		RunE: func(_ *cobra.Command, names []string) error { return verifyPlugins(a, names) },
	}
	stagecmd.PluginsFlag(cmd)
	return cmd
}

func verifyPlugins(a *cli.App, names []string) error {
	lock, err := a.Lock(a.Settings.GetString("pipelines"))
	if err != nil {
		return err
	}
	plugins := lock.Plugins
	if len(names) > 0 {
		plugins = nil
	}
	for _, name := range names {
		p, err := lock.Known(name)
		if err != nil {
			return err
		}
		plugins = append(plugins, p)
	}
	lines := []PluginLine{}
	var b strings.Builder
	refused := 0
	for _, p := range plugins {
		line := lineOf(p)
		lines = append(lines, line)
		if line.State != stateOK {
			refused++
		}
		fmt.Fprintf(&b, "%s %s: %s\n", line.Name, line.Version, line.state())
	}
	if a.Flag("json").On {
		err = a.PrintJSON(lines)
	} else {
		if len(lines) == 0 {
			b.WriteString(noPlugin(lock))
		}
		err = a.Print(b.String())
	}
	if err == nil && refused > 0 {
		err = failure.New(failure.Refused, "%d of %s refused", refused, cli.Count(len(lines), "plugin"))
	}
	return err
}
