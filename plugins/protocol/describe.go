package protocol

import (
	"errors"
	"fmt"
	"regexp"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/stage"
	pb "github.com/lmsvault/vault/plugins/protocol/v1"
)

// MaxBlob is the maximum size in bytes of an object or chunk that is sent, and thus of what
// each side must be able to hold. The packs of a repository and the largest row that a
// database sends are smaller.
const MaxBlob = 1<<30 + 64<<20

// StageMessage returns the message that describes a stage to the host.
func StageMessage(i stage.Info, role pb.Role, fields []config.Field) *pb.Stage {
	s := &pb.Stage{Name: i.Name, Role: role, Summary: i.Summary, Doc: i.Doc, Parts: i.Parts, Dialect: i.Dialect, Seals: i.Seals, SecretFacts: i.SecretFacts}
	s.Settings = settings(fields)
	return s
}

// maxFacts is the maximum number of secret facts that a stage can need.
const maxFacts = 64

// GoodFacts checks the names of the secret facts that a stage of a role needs.
func GoodFacts(names []string, role pb.Role) error {
	switch {
	case len(names) == 0:
		return nil
	case role != pb.Role_ROLE_SINK && role != pb.Role_ROLE_RECORD_TRANSFORM && role != pb.Role_ROLE_ACTION:
		return errors.New("only a sink, a transform of rows or an action can need secret facts")
	case len(names) > maxFacts:
		return fmt.Errorf("%d secret facts, the maximum is %d", len(names), maxFacts)
	}
	for _, name := range names {
		if !goodFact.MatchString(name) {
			return fmt.Errorf("secret fact %.60q must begin with %s and consist of a-z, 0-9 and _", name, stage.SecretFacts)
		}
	}
	return nil
}

var goodFact = regexp.MustCompile(`^` + stage.SecretFacts + `[a-z0-9_]{1,100}$`)

func settings(fields []config.Field) []*pb.Setting {
	var all []*pb.Setting
	for _, f := range fields {
		all = append(all, &pb.Setting{
			Name: f.Name, Type: string(f.Type), Required: f.Required, Default: f.Default, Help: f.Help,
			Example: f.Example, OneOf: f.OneOf, Min: f.Min, Max: f.Max, Place: f.Place,
			Fields: settings(f.Fields), Outer: uint32(f.Outer),
		})
	}
	return all
}

// Fields returns the settings that a stage declares.
func Fields(s *pb.Stage) []config.Field { return fields(s.Settings) }

func fields(settings []*pb.Setting) []config.Field {
	var all []config.Field
	for _, f := range settings {
		all = append(all, config.Field{
			Name: f.GetName(), Type: config.Type(f.GetType()), Required: f.GetRequired(), Default: f.GetDefault(), Help: f.GetHelp(),
			Example: f.GetExample(), OneOf: f.GetOneOf(), Min: f.GetMin(), Max: f.GetMax(), Place: f.GetPlace(),
			Fields: fields(f.GetFields()), Outer: int(min(f.GetOuter(), 1<<16)),
		})
	}
	return all
}

// Problems returns each error of a configuration with the setting that it concerns.
func Problems(err error) []*pb.Problem {
	var all []*pb.Problem
	for _, e := range config.Split(err) {
		key, _ := config.KeyOf(e)
		all = append(all, &pb.Problem{Key: key, Message: text(e.Error())})
	}
	return all
}

// Problem is the inverse of Problems.
func Problem(all []*pb.Problem) error {
	var errs []error
	for _, p := range all {
		if p.GetKey() == "" {
			errs = append(errs, errors.New(p.GetMessage()))
			continue
		}
		errs = append(errs, config.At(p.GetKey(), "%s", p.GetMessage()))
	}
	return errors.Join(errs...)
}
