package host

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/plugins/protocol"
	pb "github.com/lmsvault/vault/plugins/protocol/v1"
)

// Limits for the declarations of a plugin. config.Dynamic checks those of settings.
const (
	maxStages  = 64
	maxSummary = 400 // bytes
	maxDoc     = 64 << 10
)

var (
	goodName = regexp.MustCompile(`^[a-z][a-z0-9-]{0,39}$`)
)

// validate checks the description of a plugin.
func validate(r *pb.DescribeResponse) error {
	switch {
	case !goodName.MatchString(r.Name):
		return fmt.Errorf("name %.60q must consist of at most 40 characters a-z, 0-9 and -, and begin with a letter", r.Name)
	case !protocol.GoodVersion(r.Version):
		return fmt.Errorf("version %.60q is not of the form 1.2.3", r.Version)
	case len(r.Sdk) > maxSummary || !clean(r.Sdk, ""):
		return errors.New("SDK version is too long or has control characters")
	case len(r.Stages) == 0:
		return errors.New("no stages")
	case len(r.Stages) > maxStages:
		return fmt.Errorf("%d stages, the maximum is %d", len(r.Stages), maxStages)
	}
	var names []string
	for _, s := range r.Stages {
		if !goodName.MatchString(s.GetName()) {
			return fmt.Errorf("stage %.60q: the name must consist of at most 40 characters a-z, 0-9 and -, and begin with a letter", s.GetName())
		}
		if err := validateStage(s); err != nil {
			return fmt.Errorf("stage %s: %w", s.Name, err)
		}
		for _, place := range places(roleOf(s.Role)) {
			name := place + " " + s.Name
			if slices.Contains(names, name) {
				return fmt.Errorf("stage %s: two stages with this name can be used as a %s", s.Name, place)
			}
			names = append(names, name)
		}
	}
	return nil
}

// places returns the roles in a pipeline that a stage of role r can have.
func places(r stage.Role) []string {
	if r == stage.RoleStorage {
		return []string{string(stage.RoleSource), string(stage.RoleSink)}
	}
	return []string{string(r)}
}

func validateStage(s *pb.Stage) error {
	role := roleOf(s.Role)
	hasParts := role == stage.RoleSource || role == stage.RoleSink
	switch {
	case role == "":
		return fmt.Errorf("unknown role %d", s.Role)
	case s.Summary == "" || len(s.Summary) > maxSummary || !clean(s.Summary, ""):
		return fmt.Errorf("the summary must be one line of at most %d bytes without control characters", maxSummary)
	case len(s.Doc) > maxDoc || !clean(s.Doc, "\n\t"):
		return fmt.Errorf("the doc must be at most %d KiB of text without control characters", maxDoc>>10)
	case hasParts && len(s.Parts) == 0:
		return fmt.Errorf("a %s must declare the parts of a site that it handles", role)
	case !slices.Contains([]string{"", "mysql", "postgres", "sqlite"}, s.Dialect):
		return fmt.Errorf("dialect %.40q is not mysql, postgres or sqlite", s.Dialect)
	case s.Dialect != "" && !slices.Contains(s.Parts, stage.DB):
		return errors.New("it has a dialect, but db is not among its parts")
	case s.Seals && s.Role != pb.Role_ROLE_BYTE_TRANSFORM:
		return errors.New("only a byte transform can seal")
	}
	if err := protocol.GoodFacts(s.SecretFacts, s.Role); err != nil {
		return err
	}
	parts := []string{stage.DB, stage.Filedir, stage.Dataroot, stage.Site}
	for i, part := range s.Parts {
		if !slices.Contains(parts, part) {
			return fmt.Errorf("part %.40q is not one of %s", part, strings.Join(parts, ", "))
		}
		if slices.Contains(s.Parts[:i], part) {
			return fmt.Errorf("part %s is listed twice", part)
		}
	}
	if err := validateTexts(s.Settings); err != nil {
		return err
	}
	for _, f := range s.Settings {
		if role == stage.RoleStorage && slices.Contains([]string{"snapshot", "passphrase", "identity", "create"}, f.GetName()) {
			return fmt.Errorf("setting %s: the name is reserved; vault adds this setting to storages used as a source", f.GetName())
		}
	}
	return nil
}

// validateTexts finds texts with control characters, including those inside objects.
func validateTexts(settings []*pb.Setting) error {
	for _, f := range settings {
		for _, text := range append([]string{f.GetHelp(), f.GetExample(), f.GetDefault(), f.GetMin(), f.GetMax()}, f.GetOneOf()...) {
			if !clean(text, "\n\t") {
				return fmt.Errorf("setting %.60q has a text with control characters", f.GetName())
			}
		}
		if err := validateTexts(f.GetFields()); err != nil {
			return err
		}
	}
	return nil
}

// clean reports whether text is UTF-8 without control characters, except those in but.
func clean(text, but string) bool {
	return utf8.ValidString(text) && !strings.ContainsFunc(text, func(r rune) bool {
		return !unicode.IsPrint(r) && !strings.ContainsRune(but, r)
	})
}
