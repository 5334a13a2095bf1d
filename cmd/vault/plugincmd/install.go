package plugincmd

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/lmsvault/vault/cmd/vault/cli"
	"github.com/lmsvault/vault/cmd/vault/stagecmd"
	"github.com/lmsvault/vault/plugins/lockfile"
)

func newPluginInstall(a *cli.App) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "install FILE",
		Short: "Install and pin a plugin",
		Long: `Install a plugin in the folder of the pipelines. FILE, a single executable file, is
copied to vault-plugins, run once to query its description, and pinned by SHA-256 in
vault.lock.yaml for this platform. Then pipelines in that folder can use its stages; a
file that does not match its pin is refused. Keep vault.lock.yaml in version control.

A higher version replaces a lower one. On another platform, also install that
platform's file; the lock file holds both.`,
		Example: "  vault plugin install ./mystore --sha256 $(cut -d' ' -f1 mystore.sha256)",
		Args:    cli.Takes("FILE"),
		RunE:    func(cmd *cobra.Command, args []string) error { return installPlugin(a, cmd, args[0]) },
	}
	flags := cmd.Flags()
	flags.String("sha256", "", "the SHA-256 that the author published; a file with another one is not run")
	flags.Bool("replace", false, "also replace a newer version, or another file of the same version")
	stagecmd.PluginsFlag(cmd)
	return cmd
}

// installed is the result of an installation in the output of --json.
type installed struct {
	PluginLine
	Before  string   `json:"before,omitempty"` // the version that it replaced
	Same    bool     `json:"same,omitempty"`
	Dropped []string `json:"dropped,omitempty"`
}

func installPlugin(a *cli.App, cmd *cobra.Command, file string) error {
	sum, err := cmd.Flags().GetString("sha256")
	replace, bad := cmd.Flags().GetBool("replace") // not from the environment: it applies to this file only
	if err := errors.Join(err, bad); err != nil {
		return err
	}
	h, err := a.Hosted()
	if err != nil {
		return err
	}
	dir := a.Settings.GetString("pipelines")
	done, err := lockfile.Install(cmd.Context(), dir, file, lockfile.Options{
		SHA256: sum, Replace: replace, BuiltIn: a.Stages, Describe: h.Describe, Now: time.Now(),
	})
	if err != nil {
		return err
	}
	if a.Flag("json").On {
		return a.PrintJSON(installed{lineOf(done.Plugin), done.Before, done.Same, done.Dropped})
	}
	return a.Print(told(done))
}

// told formats the result of an installation.
func told(done *lockfile.Installed) string {
	var b strings.Builder
	p := done.Plugin
	fmt.Fprintf(&b, "installed %s %s", p.Name, p.Version)
	switch {
	case done.Same:
		fmt.Fprint(&b, ", as it was pinned before")
	case done.Before != "" && done.Before != p.Version:
		fmt.Fprintf(&b, " (replaces %s)", done.Before)
	}
	fmt.Fprintf(&b, "\nstages: %s\npinned for %s: SHA-256 %s\n", stagesOf(p), done.Pin.Platform, done.Pin.SHA256)
	if len(done.Dropped) > 0 {
		fmt.Fprintf(&b, "no longer pinned for %s; install it there, too\n", strings.Join(done.Dropped, ", "))
	}
	fmt.Fprintf(&b, "in a pipeline: use: %s\n", p.Stages[0].Name)
	return b.String()
}

func stagesOf(p *lockfile.Plugin) string {
	var names []string
	for _, s := range p.Stages {
		names = append(names, s.String())
	}
	return strings.Join(names, ", ")
}
