package plugincmd

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/lmsvault/vault/cmd/vault/cli"
	"github.com/lmsvault/vault/cmd/vault/stagecmd"
	"github.com/lmsvault/vault/core/pipeline"
)

func newPluginInfo(a *cli.App) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "info NAME",
		Short: "Show an installed plugin, its stages and their settings",
		Long: `Show the pin of a plugin in vault.lock.yaml, its stages and their settings. The plugin
is run to query them only if it matches its pin.`,
		Args: cli.Takes("NAME"),
		RunE: func(cmd *cobra.Command, args []string) error { return pluginInfo(a, cmd.Context(), args[0]) },
	}
	stagecmd.PluginsFlag(cmd)
	return cmd
}

// pluginFacts is the description of one plugin in the output of --json.
type pluginFacts struct {
	PluginLine
	Declared []stagecmd.Described `json:"declared,omitempty"` // the descriptions of its stages
}

func pluginInfo(a *cli.App, ctx context.Context, name string) error {
	lock, err := a.Lock(a.Settings.GetString("pipelines"))
	if err != nil {
		return err
	}
	p, err := lock.Known(name)
	if err != nil {
		return err
	}
	facts := pluginFacts{PluginLine: lineOf(p)}
	d, refused := a.Plugins(ctx).Ask(p, pipeline.Isolation{})
	if refused != nil && facts.Reason == "" {
		facts.State, facts.Reason = stateRefused, refused.Error()
	}
	if !a.Flag("json").On {
		if err := a.Print(pinned(facts.PluginLine)); err != nil || refused != nil {
			return cmp.Or(err, refused)
		}
		return stagecmd.Explain(a, d.Stages)
	}
	if d != nil {
		for _, s := range d.Stages {
			one, err := stagecmd.DescribedOf(s)
			if err != nil {
				return err
			}
			facts.Declared = append(facts.Declared, one)
		}
	}
	return cmp.Or(a.PrintJSON(facts), refused)
}

// pinned formats a plugin's entry in the lock file.
func pinned(l PluginLine) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s\n\n", l.Name, l.Version)
	for _, row := range [][2]string{
		{"protocol", fmt.Sprint(l.Protocol)}, {"written with", l.SDK}, {"platforms", strings.Join(l.Platforms, ", ")},
		{"file", l.Path}, {"SHA-256", l.SHA256}, {"pinned", l.Pinned.Format(time.DateOnly)},
	} {
		if row[1] != "" && (row[0] != "pinned" || !l.Pinned.IsZero()) {
			fmt.Fprintf(&b, "  %-13s %s\n", row[0], row[1])
		}
	}
	fmt.Fprintln(&b)
	return b.String()
}
