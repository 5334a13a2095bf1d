package main

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/lmsvault/vault/core/pipeline"
)

func newPluginInfo(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "info NAME",
		Short: "Show an installed plugin, its stages and their settings",
		Long: `Show what vault.lock.yaml pins of a plugin and what it declares: its stages with
their settings. It is run for that only if it is as it was pinned.`,
		Args: takes("NAME"),
		RunE: func(cmd *cobra.Command, args []string) error { return a.pluginInfo(cmd.Context(), args[0]) },
	}
	pluginsFlag(cmd)
	return cmd
}

// pluginFacts is what --json shows of one plugin.
type pluginFacts struct {
	pluginLine
	Declared []described `json:"declared,omitempty"` // what its stages say of themselves
}

func (a *app) pluginInfo(ctx context.Context, name string) error {
	lock, err := a.lock(a.settings.GetString("pipelines"))
	if err != nil {
		return err
	}
	p, err := lock.Known(name)
	if err != nil {
		return err
	}
	facts := pluginFacts{pluginLine: lineOf(p)}
	d, refused := a.plugins(ctx).ask(p, pipeline.Isolation{})
	if refused != nil && facts.Reason == "" {
		facts.State, facts.Reason = stateRefused, refused.Error()
	}
	if !a.flag("json").on {
		if err := a.print(pinned(facts.pluginLine)); err != nil || refused != nil {
			return cmp.Or(err, refused)
		}
		return a.explain(d.Stages)
	}
	if d != nil {
		for _, s := range d.Stages {
			one, err := describedOf(s)
			if err != nil {
				return err
			}
			facts.Declared = append(facts.Declared, one)
		}
	}
	return cmp.Or(a.printJSON(facts), refused)
}

// pinned says what the lock file holds of a plugin.
func pinned(l pluginLine) string {
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
