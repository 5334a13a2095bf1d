package checkbackup

import (
	"context"

	"github.com/lmsvault/vault/core/moodle/check"
	"github.com/lmsvault/vault/core/moodle/override"
	"github.com/lmsvault/vault/core/stage"
)

// overrides lists the settings that config.php forces.
func overrides(ctx context.Context, s *site) ([]stage.ActionFinding, error) {
	php, err := s.configuration(ctx)
	if err != nil {
		return nil, err
	}
	if _, err := s.setting(ctx, "version"); err != nil { // reads all settings
		return nil, err
	}
	rows, err := s.db.Query(ctx, "SELECT plugin, name FROM {config_plugins}")
	if err != nil {
		return nil, err
	}
	type name struct{ plugin, name string }
	stored := map[name]bool{}
	for _, row := range rows {
		stored[name{row[0].String, row[1].String}] = true
	}
	list := override.List(php, func(plugin, setting string) bool {
		if plugin == "" {
			_, ok := s.settings[setting]
			return ok
		}
		return stored[name{plugin, setting}]
	})
	open := ""
	if why := php.Forced().Open; why != nil {
		open = why.Problem
	}
	return check.Overrides(list, open), nil
}
