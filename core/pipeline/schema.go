package pipeline

import (
	"fmt"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/stage"
)

// Schema returns the JSON Schema of pipeline files that use the stages of registry.
func Schema(registry *stage.Registry) (*config.Schema, error) {
	fields, err := config.Describe(&document{}, &Settings{})
	if err != nil {
		return nil, err
	}
	s := config.Object(fields)
	s.Dialect = "https://json-schema.org/draft/2020-12/schema"
	s.Title = "Vault pipeline"
	version := s.Properties["version"]
	*version = config.Schema{Const: Version, Description: version.Description}
	for _, role := range []stage.Role{stage.RoleSource, stage.RoleTransform, stage.RoleSink} {
		item, err := stepSchema(registry, role)
		if err != nil {
			return nil, err
		}
		list := s.Properties[string(role)]
		list.Type, list.Items, list.Examples = "array", item, nil
		if role != stage.RoleTransform {
			list.MinItems = 1
		}
	}
	for list, keys := range map[string]any{"before": &beforeKeys{}, "after": &afterKeys{}} {
		item, err := stepSchema(registry, stage.RoleAction, keys)
		if err != nil {
			return nil, err
		}
		s.Properties[list].Type, s.Properties[list].Items = "array", item
	}
	selecting, err := config.Describe(&selectKeys{})
	if err != nil {
		return nil, err
	}
	chosen := config.Object(selecting)
	chosen.Description = s.Properties["select"].Description
	s.Properties["select"] = chosen
	zero := int64(0)
	accept := s.Properties["accept_loss"]
	accept.Type, accept.Properties, accept.Others = "object", map[string]*config.Schema{}, false
	for _, kind := range stage.LossKinds() {
		accept.Properties[string(kind)] = &config.Schema{Type: "integer", Minimum: &zero}
	}
	s.Link()
	return s, nil
}

// stepSchema describes an item of a list, whose settings depend on use. more are additional
// keys of the item.
func stepSchema(registry *stage.Registry, role stage.Role, more ...any) (*config.Schema, error) {
	fields, err := config.Describe(append(more, &use{})...)
	if err != nil {
		return nil, err
	}
	item := config.Object(fields)
	name := item.Properties["use"]
	*name = config.Schema{Description: name.Description, OneOf: []*config.Schema{{Type: "string", Pattern: "/", Description: "the path of a plugin's program, relative to this file's folder"}}}
	for _, s := range registry.All() {
		if !s.CanStand(role) {
			continue
		}
		fields, err := Fields(s, role)
		if err != nil {
			return nil, err
		}
		with := config.Object(fields)
		then := &config.Schema{Properties: map[string]*config.Schema{"with": with}}
		if len(with.Required) > 0 {
			then.Required = []string{"with"}
		}
		name.OneOf = append(name.OneOf, &config.Schema{Const: s.Name, Description: s.Summary})
		item.AllOf = append(item.AllOf, &config.Schema{
			If:   &config.Schema{Properties: map[string]*config.Schema{"use": {Const: s.Name}}, Required: []string{"use"}},
			Then: then,
		})
	}
	return item, nil
}

// Fields returns the settings of a stage in a role. With RoleStorage they include those of
// a source and of a sink.
func Fields(s stage.Stage, role stage.Role) ([]config.Field, error) {
	targets := []any{s.Config()}
	if role != stage.RoleSink && s.Role == stage.RoleStorage {
		targets = append(targets, &SnapshotConfig{})
	}
	if role != stage.RoleSource && s.Role == stage.RoleStorage {
		targets = append(targets, &RepositoryConfig{})
	}
	if role == stage.RoleSink && s.Role == stage.RoleSink && !replaces(targets...) {
		targets = append(targets, &TargetConfig{})
	}
	fields, err := config.Describe(targets...)
	if err != nil {
		return nil, fmt.Errorf("stage %s: %w", s.Name, err)
	}
	return fields, nil
}
