package protocol

import (
	"errors"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/stage"
	pb "github.com/lmsvault/vault/plugins/protocol/v1"
)

// MaxBlob is the most bytes that travel as one object or chunk: what a side is
// ready to hold. A repository's packs and the largest row a database sends stay below.
const MaxBlob = 1<<30 + 64<<20

// StageMessage describes a stage to the host.
func StageMessage(i stage.Info, role pb.Role, fields []config.Field) *pb.Stage {
	s := &pb.Stage{Name: i.Name, Role: role, Summary: i.Summary, Doc: i.Doc, Parts: i.Parts, Dialect: i.Dialect, Seals: i.Seals}
	for _, f := range fields {
		s.Settings = append(s.Settings, &pb.Setting{
			Name: f.Name, Type: string(f.Type), Required: f.Required, Default: f.Default, Help: f.Help,
			Example: f.Example, OneOf: f.OneOf, Min: f.Min, Max: f.Max, Place: f.Place,
		})
	}
	return s
}

// Fields are the settings that a stage's message declares.
func Fields(s *pb.Stage) []config.Field {
	fields := make([]config.Field, len(s.Settings))
	for i, f := range s.Settings {
		fields[i] = config.Field{
			Name: f.Name, Type: config.Type(f.Type), Required: f.Required, Default: f.Default, Help: f.Help,
			Example: f.Example, OneOf: f.OneOf, Min: f.Min, Max: f.Max, Place: f.Place,
		}
	}
	return fields
}

// Problems tells of each error of a configuration, with the setting it is about.
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
