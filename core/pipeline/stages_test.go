package pipeline_test

import (
	"context"
	"errors"
	"testing"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/stage"
)

type database struct {
	DSN    config.Secret   `key:"dsn" required:"true" help:"where the database is" example:"user:password@tcp(db:3306)/moodle"`
	Prefix string          `key:"prefix" default:"mdl_" help:"what names of tables begin with"`
	Wait   config.Duration `key:"lock_timeout" default:"10s" max:"1h" help:"how long to wait"`
}

type folder struct {
	Dir string `key:"dir" required:"true" help:"the folder" example:"/srv/x"`
}

type dataRoot struct {
	Dir    string   `key:"dir" required:"true" help:"the folder" example:"/srv/x"`
	Follow []string `key:"follow" help:"Links that are read as directories."`
}

func (d *dataRoot) Followed() []string { return d.Follow }

type file struct {
	Path string `key:"path" required:"true" help:"the file" example:"/srv/site.sqlite"`
}

type compress struct {
	Codec string `key:"codec" default:"zstd" oneof:"zstd lz4" help:"the method"`
	Level int    `key:"level" min:"1" max:"19" help:"how hard to try"`
}

type encrypt struct {
	Recipients []string      `key:"recipients" help:"age recipients"`
	Passphrase config.Secret `key:"passphrase" help:"a passphrase"`
}

func (e *encrypt) Validate() error {
	if len(e.Recipients) == 0 && e.Passphrase.IsZero() {
		return errors.New("needs recipients or a passphrase")
	}
	if e.Passphrase.Reveal() == "short" {
		return config.At("passphrase", "passphrase %s is too short", e.Passphrase.Reveal())
	}
	return nil
}

type program struct {
	Argv  []string                 `key:"argv" required:"true" help:"what to run" example:"[true]"`
	Env   map[string]string        `key:"env" help:"variables"`
	Keys  map[string]config.Secret `key:"keys" help:"secrets"`
	Limit map[string]limit         `key:"limits" help:"limits by name"`
}

type limit struct {
	Most config.Literal `key:"most" help:"a value"`
	Low  []limit        `key:"low" help:"lower ones"`
}

type typemap struct {
	Strict bool `key:"strict" default:"true" help:"refuse what is not exact"`
}

// registry has stages like the built-in ones, which this package can't import.
func registry(t testing.TB) *stage.Registry {
	t.Helper()
	record := func(context.Context, any, stage.Env) (stage.RecordTransform, error) { return nil, nil }
	bytes := func(context.Context, any, stage.Env) (stage.ByteTransform, error) { return nil, nil }
	db, files, rest := []string{stage.DB}, []string{stage.Filedir}, []string{stage.Dataroot}
	info := func(name string, role stage.Role, parts []string, cfg func() any) stage.Info {
		return stage.Info{Name: name, Role: role, Summary: "The stage " + name + ".", Parts: parts, Config: cfg}
	}
	dsn := func() any { return &database{} }
	dir := func() any { return &folder{} }
	one := func() any { return &file{} }
	seal := info("encrypt", stage.RoleTransform, nil, func() any { return &encrypt{} })
	seal.Seals = true
	var stages []stage.Stage
	for _, role := range []stage.Role{stage.RoleSource, stage.RoleSink} {
		stages = append(stages,
			stage.Stage{Info: info("mysql", role, db, dsn)}, stage.Stage{Info: info("postgres", role, db, dsn)},
			stage.Stage{Info: info("sqlite", role, db, one)},
			stage.Stage{Info: info("files", role, files, dir)}, stage.Stage{Info: info("dataroot", role, rest, func() any { return &dataRoot{} })})
	}
	r, err := stage.NewRegistry(append(stages,
		stage.Stage{Info: info("sample", stage.RoleSource, []string{stage.DB, stage.Filedir, stage.Dataroot}, func() any { return &struct{}{} })},
		stage.Stage{Info: info("local", stage.RoleStorage, nil, dir)},
		stage.Stage{Info: info("command", stage.RoleAction, nil, func() any { return &program{} })},
		stage.Stage{Info: info("compress", stage.RoleTransform, nil, func() any { return &compress{} }), NewBytes: bytes},
		stage.Stage{Info: seal, NewBytes: bytes},
		stage.Stage{Info: info("typemap", stage.RoleTransform, db, func() any { return &typemap{} }), NewRecord: record})...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}
