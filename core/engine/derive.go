package engine

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/pipeline"
)

// derive sets the lists in the configuration of an action that the rest of the pipeline
// determines, unless the pipeline file sets them.
func derive(p *pipeline.Pipeline, cfg any) error {
	fields, err := config.Describe(cfg)
	if err != nil {
		return err
	}
	repositories, targets := p.Written()
	var accepted []string
	for kind, count := range p.Accept {
		accepted = append(accepted, fmt.Sprintf("%s=%d", kind, count))
	}
	slices.Sort(accepted)
	derived := map[string][]string{config.PlaceRepositories: repositories, config.PlaceTargets: targets, config.PlaceAccepted: accepted}
	if !slices.ContainsFunc(fields, func(f config.Field) bool { _, ok := derived[f.Place]; return ok }) {
		return nil
	}
	raw, err := config.Encode(cfg)
	if err != nil {
		return err
	}
	settings := map[string]json.RawMessage{}
	if err := json.Unmarshal(raw, &settings); err != nil {
		return err
	}
	for _, f := range fields {
		list, ok := derived[f.Place]
		if _, set := settings[f.Name]; !ok || set || len(list) == 0 {
			continue
		}
		if settings[f.Name], err = json.Marshal(list); err != nil {
			return err
		}
	}
	if raw, err = json.Marshal(settings); err != nil {
		return err
	}
	return config.Assign(raw, cfg)
}
