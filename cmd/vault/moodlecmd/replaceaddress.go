package moodlecmd

import (
	"context"
	"fmt"
	"maps"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/lmsvault/vault/actions/replaceaddress"
	"github.com/lmsvault/vault/cmd/vault/cli"
	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/stage"
)

func newReplaceAddress(a *cli.App) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "replace-address SITE --from ADDRESS",
		Short: "Replace the site's address in all texts of its database",
		Long: `Replace an old address of a site by its new one in all texts of its database: also in
JSON, in serialized values and in base64, as in the settings of blocks. SITE is the
directory with config.php, or a pipeline file with the site as its source or sink.
PHP is not needed. The new address is that of config.php, which is not changed.

The tables are listed first and must be confirmed; --dry-run only lists them, with
examples. A value that can't be changed safely stays as it is and is listed with its
key. Afterwards the site's caches are emptied. Put the site into maintenance mode and
make a backup before. A restore with the sink moodle does this by itself with
replace_address: true.`,
		Example: "  vault moodle replace-address /var/www/moodle --from http://moodle.example.org/lms --dry-run",
		Args:    cli.Takes("SITE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			a.Document.Store(true)
			s, err := siteOf(a, cmd, args[0])
			if err != nil {
				return err
			}
			var o replaceOptions
			if err := o.read(cmd.Flags()); err != nil {
				return err
			}
			return s.replaceAddress(cmd.Context(), o)
		},
	}
	siteFlags(cmd)
	cmd.Flags().String("from", "", "the address to replace (http://moodle.example.org/lms)")
	cmd.Flags().String("to", "", "the new address, if it is not that of config.php")
	cmd.Flags().Bool("other-scheme", false, "also replace the old address with https if it has http, and with http if it has https")
	cmd.Flags().Int("examples", 3, "number of examples to show for each table")
	return cmd
}

// replaceOptions are the flags of the command.
type replaceOptions struct {
	from, to    string
	otherScheme bool
	examples    int
	dry, yes    bool
}

func (o *replaceOptions) read(flags *pflag.FlagSet) (err error) {
	for name, to := range map[string]*string{"from": &o.from, "to": &o.to} {
		if *to, err = flags.GetString(name); err != nil {
			return err
		}
	}
	for name, to := range map[string]*bool{"other-scheme": &o.otherScheme, "dry-run": &o.dry, "yes": &o.yes} {
		if *to, err = flags.GetBool(name); err != nil {
			return err
		}
	}
	if o.from == "" {
		return failure.New(failure.Usage, "give the address to replace, such as --from http://moodle.example.org/lms")
	}
	o.examples, err = flags.GetInt("examples")
	return err
}

// replaceAddress shows what would be replaced, asks, and does it.
func (s *site) replaceAddress(ctx context.Context, o replaceOptions) error {
	settings := maps.Clone(s.settings)
	settings["from"], settings["other_scheme"] = o.from, o.otherScheme
	if o.to != "" {
		settings["to"] = o.to
	}
	var c replaceaddress.Config
	if err := config.AssignValues(settings, &c); err != nil {
		return failure.Wrap(failure.Usage, err)
	}
	would, err := c.Replace(ctx, true, o.examples)
	if err != nil {
		return err
	}
	rows := would.Rows()
	if o.dry || rows == 0 {
		return s.replaced(would, stage.ActionResult{})
	}
	question := text([]stage.ActionResult{{Findings: would.Findings()}}) + fmt.Sprintf("%s would be replaced by %s in %s.", would.From, would.To, cli.Count(rows, "row"))
	if err := s.app.Confirm(ctx, question, o.yes); err != nil {
		return err
	}
	done, err := c.Replace(ctx, false, o.examples)
	if err != nil {
		return err
	}
	purged, err := s.perform(ctx, "purge-caches", false)
	if err != nil {
		return fmt.Errorf("the address was replaced, but the caches may still have the old one: %w", err)
	}
	return s.replaced(done, purged)
}

// replaced prints what was replaced, or would be, and which caches were emptied.
func (s *site) replaced(r *replaceaddress.Result, purged stage.ActionResult) error {
	if !s.app.Flag("json").On {
		return s.app.Print(text([]stage.ActionResult{{Findings: r.Findings()}, purged}))
	}
	return s.app.PrintJSON(struct {
		*replaceaddress.Result
		Caches []stage.ActionFinding `json:"caches,omitempty"`
	}{r, purged.Findings})
}
