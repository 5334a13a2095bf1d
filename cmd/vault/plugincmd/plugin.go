package plugincmd

import (
	"fmt"
	"os"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lmsvault/vault/builtin"
	"github.com/lmsvault/vault/cmd/vault/cli"
	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/pipeline"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/plugins/protocol"
	"github.com/lmsvault/vault/plugins/sdk"
)

// NewPlugin returns the command "plugin".
func NewPlugin(a *cli.App) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "plugin",
		Short: "Install, check and write plugins (stages in separate programs)",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return fmt.Errorf("%s has no command %q", cmd.CommandPath(), args[0])
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(
		newPluginInstall(a), newPluginList(a), newPluginInfo(a), newPluginVerify(a), newPluginRemove(a),
		newPluginNew(a), newPluginTest(a), newPluginServe(a),
	)
	return cmd
}

// newPluginServe returns the command that vault runs to isolate a built-in stage. It does
// not read the tool's settings: the process gets only those of its stage.
func newPluginServe(a *cli.App) *cobra.Command {
	cmd := &cobra.Command{
		Use:    "serve [STAGE]",
		Short:  "Serve the built-in stages to the vault that started this process",
		Hidden: true,
		Long: `Serve the built-in stages to the vault that started this process. Steps of a
pipeline with isolate: true run in such processes. STAGE is only for the list of
processes: which stage the process is for.`,
		Args:              cli.Takes("[STAGE]"),
		PersistentPreRunE: func(*cobra.Command, []string) error { return nil },
		RunE: func(cmd *cobra.Command, _ []string) error {
			a.Started = true
			memory, err := cmd.Flags().GetString("memory")
			if err != nil {
				return err
			}
			limit, err := config.ParseSize(memory)
			if err != nil {
				return failure.New(failure.Usage, "--memory: %w", err)
			}
			h := protocol.Handshake()
			if os.Getenv(h.MagicCookieKey) != h.MagicCookieValue {
				_, err := fmt.Fprint(a.Out, "vault plugin serve is how vault runs its own stages in processes of their own: vault\n"+
					"starts it where a step of a pipeline says isolate: true. Started by hand it does nothing.\n")
				return err
			}
			stages, err := builtin.Stages()
			if err != nil {
				return err
			}
			debug.SetMemoryLimit(int64(limit) - cli.Beside(limit))
			return sdk.Plugin{Name: "vault", Version: semantic(cli.Version()), Stages: slices.DeleteFunc(stages.All(), func(s stage.Stage) bool { return !cli.Served(s) })}.Serve()
		},
	}
	cmd.Flags().String("memory", pipeline.DefaultMemory(0).String(), "how much memory the process may use")
	return cmd
}

// semantic returns the program's version as a semantic version (semver.org).
func semantic(version string) string {
	v, _, _ := strings.Cut(strings.TrimPrefix(version, "v"), "+")
	if !protocol.GoodVersion(v) {
		return "0.0.0-devel"
	}
	return v
}
