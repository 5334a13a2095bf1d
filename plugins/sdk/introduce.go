package sdk

import (
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/plugins/protocol"
)

var (
	goodName = regexp.MustCompile(`^[a-z][a-z0-9-]{0,39}$`)
)

// check finds mistakes in the author's declarations.
func (p Plugin) check() error {
	switch {
	case !goodName.MatchString(p.Name):
		return fmt.Errorf("plugin name %q must consist of a-z, 0-9 and -, and begin with a letter", p.Name)
	case !protocol.GoodVersion(p.Version):
		return fmt.Errorf("plugin version %q must be a semantic version such as 1.2.3", p.Version)
	case len(p.Stages) == 0:
		return fmt.Errorf("plugin %s has no stages", p.Name)
	}
	seen := map[string]bool{}
	for _, s := range p.Stages {
		key := string(s.Role) + " " + s.Name
		role, err := roleOf(s)
		switch {
		case err != nil:
			return err
		case !goodName.MatchString(s.Name):
			return fmt.Errorf("stage name %q must consist of a-z, 0-9 and -, and begin with a letter", s.Name)
		case seen[key]:
			return fmt.Errorf("two stages %s of role %s", s.Name, role)
		case s.Config == nil:
			return fmt.Errorf("stage %s has no Config", s.Name)
		}
		if err := protocol.GoodFacts(s.SecretFacts, role); err != nil {
			return fmt.Errorf("stage %s: %w", s.Name, err)
		}
		if _, err := config.Describe(s.Config()); err != nil {
			return fmt.Errorf("stage %s: %w", s.Name, err)
		}
		seen[key] = true
	}
	return nil
}

// introduce prints what the program is, for people who start it by hand.
func (p Plugin) introduce(out io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s is a Vault plugin; vault starts it when a pipeline needs it. Stages:\n", p.Name, p.Version)
	for _, s := range p.Stages {
		fmt.Fprintf(&b, "  %s %s: %s\n", s.Role, s.Name, s.Summary)
	}
	fmt.Fprintf(&b, "To use it:\n  vault plugin test FILE --config try.yaml\n  vault plugin install FILE\nand in a pipeline: use: %s\n", p.Stages[0].Name)
	_, err := io.WriteString(out, b.String())
	return err
}
