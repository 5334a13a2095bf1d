package lockfile

import (
	"fmt"
	"regexp"
	"slices"

	"github.com/lmsvault/vault/plugins/protocol"
)

var (
	goodName     = regexp.MustCompile(`^[a-z][a-z0-9-]{0,39}$`)
	goodPlatform = regexp.MustCompile(`^[a-z0-9]{1,20}/[a-z0-9_]{1,20}$`)
	goodPath     = regexp.MustCompile(`^[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*$`)
	goodDigest   = regexp.MustCompile(`^[0-9a-f]{64}$`)
)

func checkName(name string) error {
	if !goodName.MatchString(name) {
		return fmt.Errorf("the plugin's name %q must be of a-z, 0-9 and -, begin with a letter and have at most 40", name)
	}
	return nil
}

func checkVersion(v string) error {
	if !protocol.GoodVersion(v) {
		return fmt.Errorf("the plugin's version %q must be like 1.2.3, as semver.org has it", v)
	}
	return nil
}

// checkStage checks a stage and that it is none of those before it.
func checkStage(before []Stage, s Stage) error {
	switch {
	case len(s.places()) == 0:
		return fmt.Errorf("the stage %q has no role that Vault knows: source, transform, sink, storage, action", s)
	case !goodName.MatchString(s.Name):
		return fmt.Errorf("the stage's name %q must be of a-z, 0-9 and -, begin with a letter and have at most 40", s.Name)
	case slices.ContainsFunc(before, s.meets):
		return fmt.Errorf("it has two stages that are a %s", s)
	}
	return nil
}
