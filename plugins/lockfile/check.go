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
		return fmt.Errorf("plugin name %q must consist of at most 40 characters a-z, 0-9 and -, and begin with a letter", name)
	}
	return nil
}

func checkVersion(v string) error {
	if !protocol.GoodVersion(v) {
		return fmt.Errorf("plugin version %q must be a semantic version such as 1.2.3", v)
	}
	return nil
}

// checkStage checks a stage and that it does not conflict with those before it.
func checkStage(before []Stage, s Stage) error {
	switch {
	case len(s.places()) == 0:
		return fmt.Errorf("stage %q must have the role source, transform, sink, storage or action", s)
	case !goodName.MatchString(s.Name):
		return fmt.Errorf("stage name %q must consist of at most 40 characters a-z, 0-9 and -, and begin with a letter", s.Name)
	case slices.ContainsFunc(before, s.meets):
		return fmt.Errorf("it has two stages of the form %s", s)
	}
	return nil
}
