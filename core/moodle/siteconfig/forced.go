package siteconfig

import (
	"github.com/lmsvault/vault/core/moodle/php"
)

// Setting is a setting that config.php forces. Its value may be a secret, so
// formatting a Setting does not print it.
type Setting struct {
	Plugin string // "" for Moodle's core
	Name   string
	Value  php.Value
	Pos    php.Pos
}

// Text returns the value as Moodle's functions return it; ok is false if the value is
// unknown, an array or an object.
func (s Setting) Text() (text string, ok bool) { return s.Value.Text() }

// Forced lists the settings that config.php forces, in its order.
type Forced struct {
	Core    []Setting
	Plugins []Setting
	// Open is the reason why there may be further settings; nil if there are none.
	Open *php.Reason
}

// forcedPlugins is the setting that holds the forced settings of plugins.
const forcedPlugins = "forced_plugin_settings"

// Forced returns every setting of config.php, including those of the database.
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

// CoreSetting returns a setting of Moodle's core that config.php forces.
func (f Forced) CoreSetting(name string) (Setting, bool) { return find(f.Core, "", name) }

// PluginSetting returns a setting of a plugin that config.php forces.
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
