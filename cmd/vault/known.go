package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/pipeline"
	"github.com/lmsvault/vault/core/stage"
)

// pluginsFlag adds --pipelines.
func pluginsFlag(cmd *cobra.Command) {
	cmd.Flags().String("pipelines", ".", "the folder of the pipelines, beside which plugins are installed")
}

// known lists the built-in stages and those of the plugins that are installed in
// the folder that the command names. A plugin that is refused is told of and left
// out; if it is the one that has the wanted stage, that is the error.
func (a *app) known(cmd *cobra.Command, wanted string) ([]stage.Stage, error) {
	all := a.stages.All()
	p := a.plugins(cmd.Context())
	lock, err := p.lock(a.settings.GetString("pipelines"))
	if err != nil {
		return nil, err
	}
	for _, plugin := range lock.Plugins {
		d, err := p.ask(plugin, pipeline.Isolation{})
		if err != nil {
			named := func(s stage.Stage) bool { return s.Name == wanted }
			if cmd.Context().Err() != nil || plugin.Has(wanted) && !slices.ContainsFunc(all, named) {
				return nil, err
			}
			a.say("warning: " + err.Error())
			continue
		}
		for _, s := range d.Stages {
			if _, err := stage.NewRegistry(append(slices.Clone(all), s)...); err != nil {
				a.say(fmt.Sprintf("warning: stage %s of plugin %s can't be used: a %s of this name is there already", s.Name, plugin.Name, s.Role))
				continue
			}
			all = append(all, s)
		}
	}
	slices.SortStableFunc(all, func(a, b stage.Stage) int { return cmp.Compare(a.Name, b.Name) })
	return all, nil
}

// describeProgram shows what the plugin at a path has.
func (a *app) describeProgram(ctx context.Context, path string) error {
	p := a.plugins(ctx)
	program, name, err := p.program(path, "")
	if errors.Is(err, pipeline.ErrNoPlugin) {
		return failure.New(failure.Usage, "there is no plugin at %s", path)
	}
	if err != nil {
		return err
	}
	d, err := p.describe(program, pipeline.Isolation{Stall: pipeline.DefaultStall})
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
	if !a.flag("json").on {
		if err := a.print(fmt.Sprintf("plugin %s %s\n\n", d.Name, d.Version)); err != nil {
			return err
		}
	}
	return a.explain(stages)
}
