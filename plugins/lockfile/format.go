package lockfile

import (
	"bytes"
	"time"

	"go.yaml.in/yaml/v3"
)

const header = `# Plugins that the pipelines in this directory may use, each pinned by the SHA-256 of
# its file; nothing else is ever executed. Keep this file in version control and review
# its changes. It is written by "vault plugin install" and "vault plugin remove"; other
# comments are not kept.
`

// The structure of a lock file as written.
type (
	documentOut struct {
		Version int         `yaml:"version"`
		Plugins []pluginOut `yaml:"plugins"`
	}
	pluginOut struct {
		Name     string   `yaml:"name"`
		Version  string   `yaml:"version"`
		Protocol int      `yaml:"protocol"`
		SDK      string   `yaml:"sdk,omitempty"`
		Stages   []string `yaml:"stages"`
		Files    []pinOut `yaml:"files"`
	}
	pinOut struct {
		Platform string `yaml:"platform"`
		Path     string `yaml:"path"`
		SHA256   string `yaml:"sha256"`
		Pinned   string `yaml:"pinned"`
	}
)

// format returns the text of the lock file. It is always the same for the same plugins.
func (f *File) format() ([]byte, error) {
	f.sort()
	doc := documentOut{Version: formatVersion, Plugins: []pluginOut{}}
	for _, p := range f.Plugins {
		out := pluginOut{Name: p.Name, Version: p.Version, Protocol: p.Protocol, SDK: p.SDK}
		for _, s := range p.Stages {
			out.Stages = append(out.Stages, s.String())
		}
		for _, pin := range p.Pins {
			out.Files = append(out.Files, pinOut{pin.Platform, pin.Path, pin.SHA256, pin.Since.UTC().Format(time.RFC3339)})
		}
		doc.Plugins = append(doc.Plugins, out)
	}
	text := bytes.NewBufferString(header)
	e := yaml.NewEncoder(text)
	e.SetIndent(2)
	if err := e.Encode(doc); err != nil {
		return nil, err
	}
	return text.Bytes(), e.Close()
}
