package siteconfig

import (
	"github.com/lmsvault/vault/core/moodle/php"
)

// Setting is one that config.php forces. Its value may be a secret: formatting a
// Setting does not print it.
type Setting struct {
	Plugin string // "" for Moodle's core
	Name   string
	Value  php.Value
	Pos    php.Pos
}

// Text is the value as Moodle's functions return it; ok is false where it is not
// known, and for arrays and objects.
func (s Setting) Text() (text string, ok bool) { return s.Value.Text() }

// Forced are the settings that config.php forces, in its order.
type Forced struct {
	Core    []Setting
	Plugins []Setting
	// Open is why there may be others than these; nil if there are not.
	Open *php.Reason
}

// forcedPlugins is the setting that holds those of plugins.
const forcedPlugins = "forced_plugin_settings"

// Forced lists every setting of config.php, those of the database included.
func (s *Site) Forced() Forced {
	f := Forced{Open: s.open}
	for _, p := range s.settings {
		if p.Name != forcedPlugins {
			f.Core = append(f.Core, Setting{Name: p.Name, Value: p.Value, Pos: p.Pos})
			continue
		}
		if f.Open == nil {
			f.Open = p.Value.Unknown()
		}
		for plugin, settings := range p.Value.Items {
			if f.Open == nil {
				f.Open = settings.Unknown()
			}
			for name, v := range settings.Items {
				f.Plugins = append(f.Plugins, Setting{plugin, name, v, p.Pos})
			}
		}
	}
	return f
}

// CoreSetting is a setting of Moodle's core that config.php forces.
func (f Forced) CoreSetting(name string) (Setting, bool) { return find(f.Core, "", name) }

// PluginSetting is a setting of a plugin that config.php forces.
func (f Forced) PluginSetting(plugin, name string) (Setting, bool) {
	return find(f.Plugins, plugin, name)
}

func find(list []Setting, plugin, name string) (Setting, bool) {
	for _, s := range list {
		if s.Plugin == plugin && s.Name == name {
			return s, true
		}
	}
	return Setting{}, false
}
