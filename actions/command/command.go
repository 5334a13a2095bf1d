package command

import (
	"context"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lmsvault/vault/core/program"
	"github.com/lmsvault/vault/core/stage"
)

type action struct{ config *Config }

// Run starts the program and waits for it to exit.
func (a *action) Run(ctx context.Context, r stage.ActionRequest) (stage.ActionReport, error) {
	argv := a.config.Argv
	if r.DryRun {
		if argv = a.config.DryArgv; len(argv) == 0 {
			return report(stage.ActionFinding{ID: "dry-run", Level: stage.LevelOK, What: "would run " + program.Name(a.config.Argv)}), nil
		}
	}
	p := program.Program{Argv: argv, Dir: a.config.Dir, Env: a.environment(r), Timeout: time.Duration(a.config.Timeout)}
	result, err := p.Run(ctx)
	if err != nil {
		return stage.ActionReport{}, err
	}
	f := stage.ActionFinding{ID: "exit", Level: stage.LevelOK, What: result.String(), Details: result.Output}
	if !result.OK {
		f.Level = stage.LevelFail
	}
	if result.TimedOut {
		f.Remedy = "raise timeout if it needs more"
	}
	return report(f), nil
}

func report(f stage.ActionFinding) stage.ActionReport {
	return stage.ActionReport{Findings: []stage.ActionFinding{f}}
}

func (a *action) environment(r stage.ActionRequest) []string {
	vars := map[string]string{}
	for _, name := range slices.Concat(program.Usual(), a.config.Inherit) {
		if value, ok := os.LookupEnv(name); ok {
			vars[name] = value
		}
	}
	maps.Copy(vars, a.config.Env)
	vars[prefix+"MOMENT"], vars[prefix+"PIPELINE"], vars[prefix+"DRY"] = string(r.Moment), r.Pipeline, strconv.FormatBool(r.DryRun)
	if o := r.Outcome; o != nil {
		var snapshots []string
		for _, s := range o.Snapshots {
			snapshots = append(snapshots, s.Snapshot)
		}
		vars[prefix+"STATUS"], vars[prefix+"EXIT"], vars[prefix+"ID"] = string(o.Status), strconv.Itoa(o.Exit), o.Run
		vars[prefix+"ERROR"] = strings.ReplaceAll(o.Error, "\x00", "")
		vars[prefix+"SNAPSHOTS"] = strings.Join(snapshots, " ")
	}
	env := make([]string, 0, len(vars))
	for _, name := range slices.Sorted(maps.Keys(vars)) {
		env = append(env, name+"="+vars[name])
	}
	return env
}
