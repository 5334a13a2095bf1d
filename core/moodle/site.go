package moodle

import (
	"fmt"

	"github.com/lmsvault/vault/core/failure"
)

// Facts of a site. Sources of tables have the first ones, which they read from the tables;
// those of the code come from the source moodle.
const (
	SiteFact     = "site"            // config.siteidentifier
	SiteNameFact = "site_name"       // the full name of the site's own course
	VersionFact  = "moodle_version"  // config.version: 2024100706.00
	ReleaseFact  = "moodle_release"  // config.release: 4.5.6 (Build: 20250811)
	PluginsFact  = "moodle_plugins"  // JSON object of config_plugins.version by plugin
	AddressFact  = "wwwroot"         // $CFG->wwwroot
	DatarootFact = "moodle_dataroot" // $CFG->dataroot
	// AddonsFact is a JSON array of the installed plugins that Moodle's code doesn't contain.
	AddonsFact = "moodle_addons"
	// OverridesFact is the JSON of Overrides. The values may be passwords, so the name begins
	// with stage.SecretFacts.
	OverridesFact = "secret_config_overrides"
)

// Overrides are settings that config.php forces, with their values: of Moodle itself by
// name, and of plugins by plugin and name.
type Overrides struct {
	Core    map[string]string            `json:"core,omitempty"`
	Plugins map[string]map[string]string `json:"plugins,omitempty"`
}

// Site identifies a site. ID is "" if it is unknown, for example for tables that are
// not Moodle's.
type Site struct{ ID, Name string }

// SiteOf returns the site named in the facts of a source or a snapshot.
func SiteOf(facts map[string]string) Site {
	return Site{ID: facts[SiteFact], Name: facts[SiteNameFact]}
}

// Facts adds the site to the facts of a source.
func (s Site) Facts(facts map[string]string) {
	if s.ID != "" {
		facts[SiteFact] = s.ID
	}
	if s.Name != "" {
		facts[SiteNameFact] = s.Name
	}
}

// String returns the site's name and identifier, for messages.
func (s Site) String() string {
	switch {
	case s.ID == "":
		return "a site without an identifier"
	case s.Name == "":
		return s.ID
	}
	return fmt.Sprintf("%q (%s)", s.Name, s.ID)
}

// Replacing is embedded in the settings of table sinks.
type Replacing struct {
	OtherSite bool `key:"replace_other_site" help:"with replace: replace the target even if it holds another site, or if that cannot be determined"`
}

// Check refuses to replace a site with another one unless OtherSite is set.
func (r Replacing) Check(there Site, facts map[string]string) error {
	comes := SiteOf(facts)
	if r.OtherSite || there.ID == "" || there.ID == comes.ID {
		return nil
	}
	return failure.New(failure.Refused, "the target holds another site, %s, which %s would replace; check the target, or set replace_other_site: true", there, comes)
}
