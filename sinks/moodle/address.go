package moodle

import (
	"context"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/moodle/address"
	"github.com/lmsvault/vault/core/stage"
)

// addressSettings say whether the site's address is replaced in its texts.
type addressSettings struct {
	ReplaceAddress     bool   `key:"replace_address" help:"replace the address of the original site by that of the target, $CFG->wwwroot in its config.php, in all texts of the database; vault plan shows both"`
	ReplaceFrom        string `key:"replace_address_from" help:"with replace_address: the address to replace; default: that of the original site, as its config.php had it" example:"http://moodle.example.org/lms"`
	ReplaceOtherScheme bool   `key:"replace_other_scheme" help:"with replace_address: also replace the old address with https if it has http, and with http if it has https"`
}

// check checks the address.
func (c *addressSettings) check() error {
	switch {
	case !c.ReplaceAddress && c.ReplaceFrom != "":
		return config.At("replace_address_from", "replace_address_from has no effect without replace_address: true")
	case !c.ReplaceAddress && c.ReplaceOtherScheme:
		return config.At("replace_other_scheme", "replace_other_scheme has no effect without replace_address: true")
	case c.ReplaceFrom == "":
		return nil
	}
	if _, err := address.Parse(c.ReplaceFrom); err != nil {
		return config.At("replace_address_from", "%w", err)
	}
	return nil
}

// newAddress adds the transform that replaces the address.
func (c *Config) newAddress(_ context.Context, t *target) error {
	if !c.ReplaceAddress {
		return nil
	}
	to, err := t.config.WWWRoot()
	if err != nil {
		return err
	}
	if _, err := address.Parse(to); err != nil {
		return config.At("replace_address", "config.php of the target: %w", err)
	}
	settings := map[string]any{"to": to, "other_scheme": c.ReplaceOtherScheme}
	if c.ReplaceFrom != "" {
		settings["from"] = c.ReplaceFrom
	}
	t.Transforms = append(t.Transforms, stage.Part{Name: "address", Use: "replace-address", Settings: settings})
	return nil
}
