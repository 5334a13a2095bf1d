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

// The most that a plugin may declare. What settings may hold, config.Dynamic knows.
const (
	maxStages  = 64
	maxSummary = 400 // bytes
	maxDoc     = 64 << 10
)

var (
	goodName = regexp.MustCompile(`^[a-z][a-z0-9-]{0,39}$`)
)

// validate finds what is wrong with what a plugin says of itself.
func validate(r *pb.DescribeResponse) error {
	switch {
	case !goodName.MatchString(r.Name):
		return fmt.Errorf("its name %.60q is not of a-z, 0-9 and -, beginning with a letter, 40 characters at most", r.Name)
	case !protocol.GoodVersion(r.Version):
		return fmt.Errorf("its version %.60q is not like 1.2.3", r.Version)
	case len(r.Sdk) > maxSummary || !clean(r.Sdk, ""):
		return errors.New("the version of its SDK is too long, or has control characters")
	case len(r.Stages) == 0:
		return errors.New("it has no stages")
	case len(r.Stages) > maxStages:
		return fmt.Errorf("it has %d stages, and at most %d may be", len(r.Stages), maxStages)
	}
	var names []string
	for _, s := range r.Stages {
		if !goodName.MatchString(s.GetName()) {
			return fmt.Errorf("stage %.60q: the name is not of a-z, 0-9 and -, beginning with a letter, 40 characters at most", s.GetName())
		}
		if err := validateStage(s); err != nil {
			return fmt.Errorf("stage %s: %w", s.Name, err)
		}
		for _, place := range places(roleOf(s.Role)) {
			name := place + " " + s.Name
			if slices.Contains(names, name) {
				return fmt.Errorf("stage %s: two stages of this name can stand as a %s", s.Name, place)
			}
			names = append(names, name)
		}
	}
	return nil
}

// places lists where in a pipeline a stage of a role can stand.
func places(r stage.Role) []string {
	if r == stage.RoleStorage {
		return []string{string(stage.RoleSource), string(stage.RoleSink)}
	}
	return []string{string(r)}
}

func validateStage(s *pb.Stage) error {
	role := roleOf(s.Role)
	carries := role == stage.RoleSource || role == stage.RoleSink
	switch {
	case role == "":
		return fmt.Errorf("its role %d is unknown to this vault", s.Role)
	case s.Summary == "" || len(s.Summary) > maxSummary || !clean(s.Summary, ""):
		return fmt.Errorf("its summary must be one line of at most %d bytes without control characters", maxSummary)
	case len(s.Doc) > maxDoc || !clean(s.Doc, "\n\t"):
		return fmt.Errorf("its doc must be at most %d KiB of text without control characters", maxDoc>>10)
	case carries && len(s.Parts) == 0:
		return fmt.Errorf("a %s must say which parts of a site it is for", role)
	case !slices.Contains([]string{"", "mysql", "postgres", "sqlite"}, s.Dialect):
		return fmt.Errorf("its dialect %.40q is none of mysql, postgres, sqlite", s.Dialect)
	case s.Dialect != "" && !slices.Contains(s.Parts, stage.DB):
		return errors.New("it has a dialect, and the part db is not among its parts")
	case s.Seals && s.Role != pb.Role_ROLE_BYTE_TRANSFORM:
		return errors.New("only a transform of bytes can seal")
	}
	parts := []string{stage.DB, stage.Filedir, stage.Dataroot, stage.Site}
	for i, part := range s.Parts {
		if !slices.Contains(parts, part) {
			return fmt.Errorf("its part %.40q is none of %s", part, strings.Join(parts, ", "))
		}
		if slices.Contains(s.Parts[:i], part) {
			return fmt.Errorf("its part %s is there twice", part)
		}
	}
	if err := validateTexts(s.Settings); err != nil {
		return err
	}
	for _, f := range s.Settings {
		if role == stage.RoleStorage && slices.Contains([]string{"snapshot", "passphrase", "identity", "create"}, f.GetName()) {
			return fmt.Errorf("setting %s: a storage as a source has one of this name from vault", f.GetName())
		}
	}
	return nil
}

// validateTexts finds texts that can't be shown, in objects too.
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

// clean tells whether text is UTF-8 that moves no terminal's cursor, but for
// the characters that may be.
func clean(text, but string) bool {
	return utf8.ValidString(text) && !strings.ContainsFunc(text, func(r rune) bool {
		return !unicode.IsPrint(r) && !strings.ContainsRune(but, r)
	})
}
