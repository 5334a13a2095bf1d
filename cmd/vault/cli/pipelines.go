package cli

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/pipeline"
	"github.com/lmsvault/vault/core/repository/manifest"
	"github.com/lmsvault/vault/core/stage"
)

// PipelineFlags adds the flags of commands that read a pipeline file. override also adds
// the flags of commands that run it.
func PipelineFlags(cmd *cobra.Command, override bool) {
	flags := cmd.Flags()
	flags.StringArray("set", nil, "NAME=VALUE for ${NAME} in the file; may be repeated")
	if !override {
		return
	}
	flags.StringArray("accept-loss", nil, "KIND=COUNT: maximum number of losses of a kind (default 0); may be repeated")
	flags.StringSlice("tag", nil, "tag the new snapshots, in addition to the tags of the file; may be repeated")
	flags.Int("workers", 0, "number of units processed at once, instead of the file's")
	flags.String("memory", "", "memory limit of the process (such as 256MiB), instead of the file's")
	flags.Bool("replace", false, "replace the contents of the targets, as replace: true in each sink does")
	flags.Bool("dry-run", false, "read and check everything, but write nothing")
	flags.Bool("allow-restore", false, "allow to restore over a Moodle site whose settings don't allow it")
}

// Sets returns the values of --set.
func Sets(cmd *cobra.Command) (map[string]string, error) {
	given, err := cmd.Flags().GetStringArray("set")
	if err != nil {
		return nil, err
	}
	values := map[string]string{}
	for _, s := range given {
		name, value, ok := strings.Cut(s, "=")
		if !ok || name == "" {
			return nil, failure.New(failure.Usage, "--set takes NAME=VALUE; one that was given has no = after a name")
		}
		if _, twice := values[name]; twice {
			return nil, failure.New(failure.Usage, "--set %s is given twice", name)
		}
		values[name] = value
	}
	return values, nil
}

// Runnable loads a pipeline to run and applies the flags of the command line.
func (a *App) Runnable(cmd *cobra.Command, path string) (*pipeline.Pipeline, error) {
	p, err := a.Load(cmd, path, pipeline.Options{Online: true})
	if err != nil {
		return nil, err
	}
	return p, failure.Wrap(failure.Usage, a.override(cmd, p))
}

// Load loads a pipeline and prints warnings. how selects the parts to read.
func (a *App) Load(cmd *cobra.Command, path string, how pipeline.Options) (*pipeline.Pipeline, error) {
	given, err := Sets(cmd)
	if err != nil {
		return nil, err
	}
	o, err := a.Options(cmd.Context())
	if err != nil {
		return nil, err
	}
	o.Values.Set, o.Storages, o.Creating, o.HasKeys, o.Online = given, how.Storages, how.Creating, how.HasKeys, how.Online
	// Never from the environment or the configuration file: they apply to one run only.
	for name, to := range map[string]*bool{"replace": &o.Replace, "allow-restore": &o.AllowRestore} {
		if cmd.Flags().Lookup(name) == nil {
			continue
		}
		if *to, err = cmd.Flags().GetBool(name); err != nil {
			return nil, err
		}
	}
	seen := a.Plugins(cmd.Context())
	o.Plugins = seen
	p, found, err := pipeline.Load(path, o)
	if err != nil {
		return nil, err
	}
	if p != nil {
		a.Hidden.Add(p.Hidden...)
	}
	for _, f := range found.Of(config.Warning) {
		a.warn(f)
	}
	if err := found.Err(); err != nil {
		class := failure.Usage
		if len(found.Of(config.Error)) == seen.refused { // the file itself has no errors
			class = failure.Refused
		}
		return nil, failure.New(class, "the pipeline can't be used\n%w", err)
	}
	return p, nil
}

func (a *App) override(cmd *cobra.Command, p *pipeline.Pipeline) error {
	if a.Settings.IsSet("workers") {
		text := a.Settings.GetString("workers")
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > 256 {
			return fmt.Errorf("%s must be a whole number from 1 to 256%s", origin("workers"), config.Shown(", not ", text))
		}
		p.Workers = n
	}
	if text := a.Settings.GetString("memory"); text != "" {
		size, err := config.ParseSize(text)
		if err != nil {
			return fmt.Errorf("%s%s is not a size such as 512KiB, 256MiB or 2GiB", origin("memory"), config.Shown(": ", text))
		}
		if size < 128<<20 {
			return fmt.Errorf("%s must be at least 128MiB, not %s", origin("memory"), size)
		}
		p.Memory = size
	}
	dry := a.Flag("dry-run")
	p.DryRun = p.DryRun || dry.On
	tags, err := cmd.Flags().GetStringSlice("tag")
	if err != nil {
		return err
	}
	for _, tag := range tags {
		if err := manifest.ValidateTag(tag); err != nil {
			return fmt.Errorf("--tag: %w", err)
		}
	}
	p.Tags = append(p.Tags, tags...)
	losses, err := cmd.Flags().GetStringArray("accept-loss")
	if err := cmp.Or(err, dry.err); err != nil {
		return err
	}
	if p.Accept == nil {
		p.Accept = map[stage.LossKind]int64{}
	}
	for _, text := range losses {
		kind, count, err := pipeline.ParseAccept(text)
		if err != nil {
			return fmt.Errorf("--accept-loss: %w", err)
		}
		p.Accept[kind] = count
	}
	return nil
}
