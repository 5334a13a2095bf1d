// Package purgecaches implements the action that empties a site's caches after a restore.
package purgecaches

import (
	"context"

	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/dialects/site"
)

// Config is the configuration of the action.
type Config struct {
	site.Settings
}

// Stage returns the description of the action.
func Stage() stage.Stage {
	return stage.Stage{
		Info: stage.Info{
			Name: "purge-caches", Role: stage.RoleAction, Summary: "Empties a site's caches and sessions that are files.",
			Doc: `After its data was replaced, a site must not use what it has cached of the old data. The action empties the
directories cache, localcache and sessions of the data root, or those that config.php names instead
(cachedir, localcachedir, session_file_save_path), and cache stores of files below the data root. It removes no directory
itself and follows no symlink. PHP is not needed.

Cache stores on a server, such as Redis or Memcached, can't be emptied this way: a warning names each of them. So
are the local caches of other web servers; these notice the restored setting localcachedirpurged, which the transform
site-settings changes.`,
			Config: func() any { return &Config{} },
		},
		NewAction: stage.Typed(func(_ context.Context, c *Config, _ stage.Env) (stage.Action, error) { return &action{config: c}, nil }),
	}
}
