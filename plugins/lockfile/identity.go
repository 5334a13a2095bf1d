package lockfile

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/plugins/host"
)

// identity is the self-description of a running plugin as far as it is pinned.
type identity struct {
	name, version, sdk string
	stages             []Stage
}

var goodSDK = regexp.MustCompile(`^[A-Za-z0-9 ._+()/-]{0,100}$`)

func identityOf(d *host.Description) identity {
	i := identity{name: d.Name, version: d.Version, sdk: strings.TrimSpace(d.SDK)}
	for _, s := range d.Stages {
		i.stages = append(i.stages, Stage{s.Role, s.Name})
	}
	return i
}

func (i identity) check() error {
	if err := errors.Join(checkName(i.name), checkVersion(i.version)); err != nil {
		return err
	}
	switch {
	case len(i.stages) == 0:
		return errors.New("it has no stages")
	case !goodSDK.MatchString(i.sdk):
		return fmt.Errorf("its SDK %q must consist of at most 100 letters, digits, spaces and . _ + ( ) / -", i.sdk)
	}
	for n, s := range i.stages {
		if err := checkStage(i.stages[:n], s); err != nil {
			return err
		}
	}
	return nil
}

// Accept returns an error of class failure.Refused if the running plugin describes itself
// differently from what is pinned.
func (p *Plugin) Accept(d *host.Description) error {
	i := identityOf(d)
	if i.name == p.Name && i.version == p.Version && sameStages(i.stages, p.Stages) {
		return nil
	}
	return failure.New(failure.Refused, "plugin %s is installed but refused: it describes itself as %s %s with %s, but %s pins it as %s %s with %s; install it again",
		p.Name, i.name, i.version, list(i.stages), p.file.path(Name), p.Name, p.Version, list(p.Stages))
}

func sameStages(a, b []Stage) bool {
	return len(a) == len(b) && !slices.ContainsFunc(a, func(s Stage) bool { return !slices.Contains(b, s) })
}

func list(stages []Stage) string {
	var names []string
	for _, s := range stages {
		names = append(names, s.String())
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}
