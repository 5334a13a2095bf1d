// Package command implements the action that runs a program, for example to enable
// maintenance mode, to check something before a run, or to send a message afterwards.
package command

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/stage"
)

// Config is the configuration of the action.
type Config struct {
	Argv    []string          `key:"argv" required:"true" help:"the program and its arguments; it is run without a shell" example:"[php, /var/www/moodle/admin/cli/maintenance.php, --enable]"`
	DryArgv []string          `key:"dry_argv" help:"the program to run in a plan or a dry run; default: none" example:"[php, /var/www/moodle/admin/cli/maintenance.php, --help]"`
	Dir     string            `key:"dir" default:"." help:"working directory of the program; default: the directory of the pipeline file"`
	Env     map[string]string `key:"env" help:"environment variables to set" example:"{MOODLE_MODE: backup}"`
	Inherit []string          `key:"inherit" help:"names of environment variables to inherit from vault, in addition to PATH, HOME, USER, LOGNAME, TZ, LANG and LC_ALL" example:"[AWS_PROFILE]"`
	Timeout config.Duration   `key:"timeout" default:"10m" min:"1s" max:"24h" help:"how long the program may run before it is killed"`
}

var variable = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// prefix is the prefix of the environment variables that describe the run.
const prefix = "LMSVAULT_RUN_"

// Validate checks the arguments and the names of variables.
func (c *Config) Validate() error {
	for _, list := range []struct {
		key  string
		argv []string
	}{{"argv", c.Argv}, {"dry_argv", c.DryArgv}} {
		if len(list.argv) > 0 && list.argv[0] == "" {
			return config.At(list.key+"[0]", "%s names no program", list.key)
		}
		if slices.ContainsFunc(list.argv, func(arg string) bool { return strings.ContainsRune(arg, 0) }) {
			return config.At(list.key, "%s has an argument with a NUL character", list.key)
		}
	}
	for name, value := range c.Env {
		if !variable.MatchString(name) || strings.HasPrefix(name, prefix) || strings.ContainsRune(value, 0) {
			return config.At("env", "env has a name that is none of a variable or begins with %s, or a value with a NUL character", prefix)
		}
	}
	for i, name := range c.Inherit {
		if !variable.MatchString(name) {
			return config.At(fmt.Sprintf("inherit[%d]", i), "inherit must list names of environment variables, and item %d is none", i+1)
		}
	}
	return nil
}

// Stage returns the description of the action.
func Stage() stage.Stage {
	return stage.Stage{
		Info: stage.Info{
			Name: "command", Role: stage.RoleAction, Summary: "Runs a program.",
			Doc: `Use it to put a site into maintenance mode before a backup and back afterwards, to check something of your
own, or to tell somebody how the run went. The program is started as it is, without a shell: for a pipe or
a variable, name the shell yourself, as in ` + "`argv: [sh, -c, \"…\"]`" + `.

It succeeds when the program exits with code 0. What it prints, up to 16 KiB from the beginning and the end, is kept
with the result; secrets of the pipeline are hidden there. When the run is interrupted or the time is over, the
program and those that it has started get SIGTERM, and SIGKILL five seconds later.

A plan and a dry run start no program, unless ` + "`dry_argv`" + ` names one that changes nothing.

Where the step says ` + "`isolate: true`" + `, ` + "`inherit`" + ` finds only the variables that the step's own ` + "`env`" + ` names, too.

The program's environment is only what ` + "`env`" + ` and ` + "`inherit`" + ` say, the few usual variables, and these:

| variable | |
|---|---|
| ` + "`LMSVAULT_RUN_MOMENT`" + ` | ` + "`start`, `planned` or `after`" + ` |
| ` + "`LMSVAULT_RUN_PIPELINE`" + ` | the pipeline's name |
| ` + "`LMSVAULT_RUN_DRY`" + ` | ` + "`true` or `false`" + ` |
| ` + "`LMSVAULT_RUN_STATUS`" + ` | after a run: ` + "`success`, `partial` or `failure`" + ` |
| ` + "`LMSVAULT_RUN_EXIT`, `LMSVAULT_RUN_ERROR`" + ` | after a run: its exit code so far, and its error |
| ` + "`LMSVAULT_RUN_ID`, `LMSVAULT_RUN_SNAPSHOTS`" + ` | after a run: its ID, and the IDs of the snapshots that it made, with spaces between |`,
			Config: func() any { return &Config{} },
		},
		NewAction: stage.Typed(func(_ context.Context, c *Config, _ stage.Env) (stage.Action, error) { return &action{c}, nil }),
	}
}
