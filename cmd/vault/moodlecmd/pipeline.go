package moodlecmd

import (
	"cmp"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lmsvault/vault/actions/checkbackup"
	"github.com/lmsvault/vault/cmd/vault/cli"
	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/pipeline"
	live "github.com/lmsvault/vault/dialects/site"
)

// locate returns the settings of the only site that is named: a directory with config.php,
// or a pipeline file with a source or sink moodle.
func locate(a *cli.App, cmd *cobra.Command, path string) (*live.Settings, error) {
	if info, err := os.Stat(path); err != nil || info.IsDir() || strings.HasSuffix(path, ".php") {
		return &live.Settings{Dir: path}, nil
	}
	p, err := a.Load(cmd, path, pipeline.Options{})
	if err != nil {
		return nil, err
	}
	var found []*live.Settings
	for _, step := range slices.Concat(p.Before, p.After) {
		s := live.On(step.Config)
		if c, ok := step.Config.(*checkbackup.Config); ok && c.Dir != "" {
			s = &live.Settings{Dir: c.Dir, Address: c.WWWRoot, Settings: c.Settings}
		}
		if s != nil && !slices.ContainsFunc(found, func(f *live.Settings) bool { return f.Dir == s.Dir && f.Address == s.Address }) {
			found = append(found, s)
		}
	}
	slices.SortFunc(found, func(a, b *live.Settings) int { return cmp.Compare(a.Dir, b.Dir) })
	switch len(found) {
	case 0:
		return nil, failure.New(failure.Usage, "%s has no source or sink moodle; give the directory with config.php", path)
	case 1:
		return found[0], nil
	}
	return nil, failure.New(failure.Usage, "%s names several sites, %s and %s; give the directory with config.php", path, found[0].Dir, found[1].Dir)
}
