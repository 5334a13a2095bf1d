package site

import (
	"context"
	"errors"
	"fmt"

	"github.com/lmsvault/vault/core/moodle/siteconfig"
)

// Proxy returns the proxy through which the site reaches other servers, by config.php and
// by the settings in its database.
func (s *Site) Proxy(ctx context.Context) (_ siteconfig.Proxy, err error) {
	d, err := s.Open(ctx)
	if err != nil {
		return siteconfig.Proxy{}, err
	}
	defer func() { err = errors.Join(err, d.Close(context.WithoutCancel(ctx))) }()
	stored, err := d.Settings(ctx, "")
	if err != nil {
		return siteconfig.Proxy{}, fmt.Errorf("reading the site's settings: %w", err)
	}
	return s.Site.Proxy(func(name string) string { return stored[name] })
}
