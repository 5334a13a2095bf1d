package plugincmd

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/lmsvault/vault/cmd/vault/cli"
	"github.com/lmsvault/vault/cmd/vault/stagecmd"
	"github.com/lmsvault/vault/plugins/lockfile"
)

func newPluginList(a *cli.App) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the installed plugins and their state",
		Long: `List the plugins that vault.lock.yaml pins, and whether each may be used or why it is
refused. Files in vault-plugins that are not pinned are listed, too; they are never
run. The command runs no plugin.`,
		Args: cli.Takes(),
		RunE: func(*cobra.Command, []string) error { return listPlugins(a) },
	}
	stagecmd.PluginsFlag(cmd)
	return cmd
}

// The states of a plugin in the output of --json.
const (
	stateOK      = "ok"
	stateRefused = "refused"
)

// PluginLine is a plugin in the output of --json.
type PluginLine struct {
	Name      string           `json:"name"`
	Version   string           `json:"version"`
	Protocol  int              `json:"protocol"`
	SDK       string           `json:"sdk,omitempty"`
	Stages    []lockfile.Stage `json:"stages"`
	Platforms []string         `json:"platforms"`
	Path      string           `json:"path,omitempty"` // relative to the lock file
	SHA256    string           `json:"sha256,omitempty"`
	Pinned    time.Time        `json:"pinned,omitzero"`
	State     string           `json:"state"`
	Reason    string           `json:"reason,omitempty"` // why it is refused, and what to do
}

// lineOf checks and describes a plugin without running it.
func lineOf(p *lockfile.Plugin) PluginLine {
	pin, err := p.Verify()
	line := PluginLine{
		Name: p.Name, Version: p.Version, Protocol: p.Protocol, SDK: p.SDK, Stages: p.Stages, Platforms: []string{},
		Path: pin.Path, SHA256: pin.SHA256, Pinned: pin.Since, State: stateOK,
	}
	for _, pin := range p.Pins {
		line.Platforms = append(line.Platforms, pin.Platform)
	}
	if err != nil {
		line.State, line.Reason = stateRefused, err.Error()
	}
	return line
}

// state returns the state of a plugin for people.
func (l PluginLine) state() string {
	if l.Reason != "" {
		return stateRefused + ": " + cli.Plain(l.Reason)
	}
	return l.State
}

func listPlugins(a *cli.App) error {
	lock, err := a.Lock(a.Settings.GetString("pipelines"))
	if err != nil {
		return err
	}
	strays, err := lock.Strays()
	if err != nil {
		return err
	}
	list := struct {
		Plugins []PluginLine `json:"plugins"`
		Ignored []string     `json:"ignored"` // files that are not pinned
	}{[]PluginLine{}, append([]string{}, strays...)}
	rows := [][]string{{"NAME", "VERSION", "STAGES", "STATE"}}
	for _, p := range lock.Plugins {
		line := lineOf(p)
		list.Plugins = append(list.Plugins, line)
		rows = append(rows, []string{p.Name, p.Version, stagesOf(p), line.state()})
	}
	for _, s := range strays {
		rows = append(rows, []string{cli.Plain(s), "", "", "not pinned, ignored"})
	}
	switch {
	case a.Flag("json").On:
		return a.PrintJSON(list)
	case len(rows) == 1:
		return a.Print(noPlugin(lock))
	}
	return a.Table(rows)
}

func noPlugin(lock *lockfile.File) string {
	return "no plugin is installed: " + cli.Plain(lock.Path()) + " is not there or names none\n"
}
