package initcmd

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lmsvault/vault/cmd/vault/cli"
	"github.com/lmsvault/vault/core/failure"
)

// New returns the command "init".
func New(a *cli.App) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "init [MOODLE]",
		Short: "Set Vault up for a Moodle site: find it, write its pipelines",
		Long: `Set Vault up for a Moodle site. MOODLE is the directory of its code, with config.php;
without it, the usual places are searched.

config.php is evaluated, not executed, so PHP is not needed. What it takes from
elsewhere is asked for, or given with --setting. Vault then connects to the database,
looks at the data root, writes pipeline files for a backup, a restore, a copy and a
change of engine, and creates the repository. The site is not changed.

The backup is encrypted with the passphrase in LMSVAULT_PASSPHRASE or --passphrase-file.
Without either, a passphrase is made and written to a file beside the pipelines: keep a
copy of it elsewhere, because without it nobody can restore.`,
		Example: "  vault init /var/www/moodle --repository /srv/backups/moodle\n  vault init /var/www/moodle --setting dbpass='${file:/run/secrets/dbpass}'",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o, err := optionsOf(cmd, args)
			if err != nil {
				return err
			}
			done, err := SetUp(cmd.Context(), a, o)
			if err != nil {
				return err
			}
			return report(a, done)
		},
	}
	flags := cmd.Flags()
	flags.String("repository", "", "directory for the backups")
	flags.String("to", "pipelines", "directory for the pipeline files")
	flags.String("address", "", "the site's address, if config.php serves several sites (https://moodle.example.org)")
	flags.StringArray("setting", nil, "NAME=VALUE: a setting that config.php takes from elsewhere; ${env:NAME} and ${file:/path} are kept as references; may be repeated")
	flags.String("passphrase-file", "", "file with the passphrase of the backups")
	flags.Bool("offline", false, "don't connect to the database")
	flags.Bool("force", false, "overwrite pipeline files")
	return cmd
}

// Options say what to set up. Paths other than Dir are absolute.
type Options struct {
	Dir            string // of the code; "" to search the usual places
	Repository     string // "" to ask
	To             string // directory of the pipeline files
	Address        string // see the source moodle
	PassphraseFile string
	Settings       map[string]string // that config.php takes from elsewhere, as pipelines write them
	Offline        bool              // don't connect to the database
	Force          bool              // overwrite pipeline files
}

func optionsOf(cmd *cobra.Command, args []string) (o Options, err error) {
	flags := cmd.Flags()
	for name, to := range map[string]*string{"repository": &o.Repository, "to": &o.To, "address": &o.Address, "passphrase-file": &o.PassphraseFile} {
		if *to, err = flags.GetString(name); err != nil {
			return o, err
		}
	}
	for name, to := range map[string]*bool{"offline": &o.Offline, "force": &o.Force} {
		if *to, err = flags.GetBool(name); err != nil {
			return o, err
		}
	}
	given, err := flags.GetStringArray("setting")
	if err != nil {
		return o, err
	}
	o.Settings = map[string]string{}
	for _, s := range given {
		name, value, ok := strings.Cut(s, "=")
		if !ok || name == "" {
			return o, failure.New(failure.Usage, "--setting takes NAME=VALUE, such as dbname=moodle")
		}
		o.Settings[name] = value
	}
	if len(args) == 1 {
		o.Dir = args[0]
	}
	for _, path := range []*string{&o.To, &o.Repository, &o.PassphraseFile} {
		if *path == "" {
			continue
		}
		if *path, err = filepath.Abs(*path); err != nil {
			return o, err
		}
	}
	return o, nil
}

// usual are the places where Moodle's code often is.
var usual = []string{".", "/var/www/moodle", "/var/www/html/moodle", "/var/www/html", "/opt/bitnami/moodle", "/bitnami/moodle", "/usr/share/moodle", "/srv/moodle"}

// SetUp sets Vault up for a site. It asks on the terminal for what it doesn't know.
func SetUp(ctx context.Context, a *cli.App, o Options) (*Done, error) {
	if o.Dir == "" {
		found, err := search(usual)
		if err != nil {
			return nil, err
		}
		o.Dir = found
	}
	s, err := find(ctx, a, o)
	if err != nil {
		return nil, err
	}
	if !o.Offline {
		if err := s.connect(ctx); err != nil {
			return nil, err
		}
	}
	if err := s.look(); err != nil {
		return nil, err
	}
	if o.Repository == "" {
		if o.Repository, err = askRepository(ctx, a, s); err != nil {
			return nil, err
		}
	}
	done := &Done{site: s, Options: o}
	if err := done.write(ctx); err != nil {
		return nil, err
	}
	return done, done.createRepository(ctx, a)
}

// search returns the only one of the places with a config.php.
func search(places []string) (string, error) {
	var found []string
	for _, dir := range places {
		if info, err := os.Stat(filepath.Join(dir, "config.php")); err == nil && info.Mode().IsRegular() {
			found = append(found, dir)
		}
	}
	switch len(found) {
	case 0:
		return "", failure.New(failure.Usage, "no config.php in %s; give the directory of Moodle's code: vault init /path/of/moodle", strings.Join(places, ", "))
	case 1:
		return found[0], nil
	}
	return "", failure.New(failure.Usage, "there is a config.php in each of %s; say which: vault init %s", strings.Join(found, ", "), found[0])
}

func askRepository(ctx context.Context, a *cli.App, s *site) (string, error) {
	proposal := "/srv/backups/" + s.host()
	answer, err := a.AskText(ctx, fmt.Sprintf("directory for the backups [%s]: ", proposal))
	if err != nil {
		return "", fmt.Errorf("give --repository, the directory for the backups: %w", err)
	}
	if answer == "" {
		answer = proposal
	}
	if !filepath.IsAbs(answer) {
		return "", failure.New(failure.Usage, "the directory for the backups must be an absolute path")
	}
	return answer, nil
}
