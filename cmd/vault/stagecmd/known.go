package stagecmd

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lmsvault/vault/cmd/vault/cli"
	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/pipeline"
	"github.com/lmsvault/vault/core/stage"
)

// PluginsFlag adds the flag --pipelines to cmd.
func PluginsFlag(cmd *cobra.Command) {
	cmd.Flags().String("pipelines", ".", "folder of the pipelines; plugins are installed in it")
}

// known returns the built-in stages and those of the plugins installed in the command's
// directory. It warns about plugins that are refused and skips them, or returns an error
// if such a plugin has the wanted stage.
func known(a *cli.App, cmd *cobra.Command, wanted string) ([]stage.Stage, error) {
	all := a.Stages.All()
	p := a.Plugins(cmd.Context())
	lock, err := p.Lock(a.Settings.GetString("pipelines"))
	if err != nil {
		return nil, err
	}
	for _, plugin := range lock.Plugins {
		d, err := p.Ask(plugin, pipeline.Isolation{})
		if err != nil {
			named := func(s stage.Stage) bool { return s.Name == wanted }
			if cmd.Context().Err() != nil || plugin.Has(wanted) && !slices.ContainsFunc(all, named) {
				return nil, err
			}
			a.Say("warning: " + err.Error())
			continue
		}
		for _, s := range d.Stages {
			if _, err := stage.NewRegistry(append(slices.Clone(all), s)...); err != nil {
				a.Say(fmt.Sprintf("warning: stage %s of plugin %s can't be used: a %s of this name exists already", s.Name, plugin.Name, s.Role))
				continue
			}
			all = append(all, s)
		}
	}
	slices.SortStableFunc(all, func(a, b stage.Stage) int { return cmp.Compare(a.Name, b.Name) })
	return all, nil
}

// describeProgram prints the stages of the plugin at a path.
func describeProgram(a *cli.App, ctx context.Context, path string) error {
	p := a.Plugins(ctx)
	program, name, err := p.Program(path, "")
	if errors.Is(err, pipeline.ErrNoPlugin) {
		return failure.New(failure.Usage, "no plugin at %s", path)
	}
	if err != nil {
		return err
	}
	d, err := p.Describe(program, pipeline.Isolation{Stall: pipeline.DefaultStall})
	if err != nil {
		return err
	}
	stages := d.Stages
	if name != "" {
		stages = slices.DeleteFunc(slices.Clone(stages), func(s stage.Stage) bool { return s.Name != name })
		if len(stages) == 0 {
			return failure.New(failure.Usage, "plugin %s has no stage %s", strings.TrimSuffix(path, ":"+name), name)
		}
	}
	if !a.Flag("json").On {
		if err := a.Print(fmt.Sprintf("plugin %s %s\n\n", d.Name, d.Version)); err != nil {
			return err
		}
	}
	return Explain(a, stages)
}
