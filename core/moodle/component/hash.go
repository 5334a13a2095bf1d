package component

import (
	"crypto/sha1"
	"fmt"
	"strings"
)

// VersionsHash returns the value of the setting allversionshash for a site on which
// all of this code is installed: the SHA-1 of PHP's serialization of all versions. It
// fails if the version of any plugin is unknown.
func (c *Code) VersionsHash() (string, error) {
	text, err := c.serializedVersions()
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%x", sha1.Sum([]byte(text))), nil
}

func (c *Code) serializedVersions() (string, error) {
	var b strings.Builder
	n := 0
	add := func(component string, v Version) error {
		text, err := v.serialize()
		if err != nil {
			return fmt.Errorf("the version of %s: %w", component, err)
		}
		n++
		b.WriteString(serializeString(component) + text)
		return nil
	}
	if err := add(Core, c.Version); err != nil {
		return "", err
	}
	for _, p := range c.Plugins {
		if p.Deprecated {
			continue
		}
		if !p.Known {
			return "", fmt.Errorf("the version of %s is unknown; see the problem reported for %s", p.Component, p.Dir)
		}
		if err := add(p.Component, p.Version); err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("a:%d:{%s}", n, b.String()), nil
}
