package plugincmd

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"

	"github.com/lmsvault/vault/cmd/vault/cli"
	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/pipeline"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/plugins/host"
)

// testedProgram finds the program at a path, or that of an installed plugin. A path may
// also name the stage.
func testedProgram(a *cli.App, ctx context.Context, name string, stageName *string) (host.Program, error) {
	if strings.Contains(name, "/") {
		p, ofPath, err := a.Plugins(ctx).Program(name, ".")
		if errors.Is(err, pipeline.ErrNoPlugin) {
			err = failure.New(failure.Usage, "file %s does not exist", name)
		}
		if *stageName == "" {
			*stageName = ofPath
		}
		return p, err
	}
	lock, err := a.Lock(a.Settings.GetString("pipelines"))
	if err != nil {
		return host.Program{}, err
	}
	p, err := lock.Known(name)
	if err != nil {
		if _, bad := os.Stat(name); bad == nil {
			err = fmt.Errorf("%w; if the file %s here is meant, write ./%s", err, name, name)
		}
		return host.Program{}, err
	}
	if _, err := a.Plugins(ctx).Ask(p, pipeline.Isolation{}); err != nil {
		return host.Program{}, err
	}
	return p.Program()
}

// testSettings decodes the settings for the test and checks that the test may use them.
func testSettings(a *cli.App, cmd *cobra.Command, o trial, p host.Program, s stage.Stage) (any, host.Program, error) {
	given, err := cli.Sets(cmd)
	if err != nil {
		return nil, p, err
	}
	var settings any
	if o.config == "" {
		settings, err = defaultSettings(s)
	} else {
		settings, p, err = fileSettings(a, cmd.Context(), o.config, given, p, s)
	}
	if err != nil {
		return nil, p, err
	}
	key, err := overwriting(settings)
	if err == nil && s.Role == stage.RoleSink && key != "" && !o.yes {
		err = failure.New(failure.Usage, "sink %s would replace the contents of its target, because of the setting %s; to continue: --yes", s.Name, key)
	}
	return settings, p, err
}

// defaultSettings returns the settings of a stage that requires none.
func defaultSettings(s stage.Stage) (any, error) {
	settings := s.Config()
	fields, err := config.Describe(settings)
	if err != nil {
		return nil, err
	}
	var missing, example []string
	for _, f := range fields {
		if f.Required {
			missing = append(missing, f.Name)
			example = append(example, fmt.Sprintf("  %s: %s  # %s", f.Name, exampleOf(f), cli.Plain(strings.ReplaceAll(f.Help, "\n", " "))))
		}
	}
	if len(missing) > 0 {
		return nil, failure.New(failure.Usage, "%s %s can't be tested without settings: %s\nwrite a file such as try.yaml and give it with --config try.yaml:\n\n%s\n",
			s.Role, s.Name, strings.Join(missing, ", "), strings.Join(example, "\n"))
	}
	d := config.Decoder{File: "the defaults of " + s.Name}
	return settings, d.Decode(&yaml.Node{Kind: yaml.MappingNode}, settings).Err()
}

// exampleOf returns an example of a setting's value.
func exampleOf(f config.Field) string {
	switch {
	case f.Example != "":
		return f.Example
	case len(f.OneOf) > 0:
		return f.OneOf[0]
	case f.Place == "dir":
		return "/tmp/try"
	}
	switch f.Type {
	case config.Number:
		return max("1", f.Min)
	case config.Switch:
		return "true"
	case config.List, config.Scalars, config.Groups:
		return "[…]"
	case config.Texts, config.Keyring, config.Named:
		return "{NAME: …}"
	case config.Group:
		return "{…}"
	case config.Hidden:
		return "${env:" + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_")) + "}"
	case config.Bytes:
		return "1MiB"
	case config.Span:
		return "10s"
	}
	return "…"
}

// fileSettings decodes the settings in a file, which is a pipeline or has only settings.
func fileSettings(a *cli.App, ctx context.Context, file string, given map[string]string, p host.Program, s stage.Stage) (any, host.Program, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		if path := new(fs.PathError); errors.As(err, &path) {
			err = path.Err
		}
		return nil, p, failure.New(failure.Usage, "%s can't be read: %w", file, err)
	}
	root, found := config.Document(file, text)
	if err := found.Err(); err != nil {
		return nil, p, err
	}
	if root == nil {
		root = &yaml.Node{Kind: yaml.MappingNode}
	}
	root = config.Resolve(root)
	if isPipeline(root) {
		return stepSettings(a, ctx, file, given, p, s)
	}
	d := config.Decoder{File: file, Values: config.Values{Set: given, Dir: filepath.Dir(file)}}
	settings := s.Config()
	if err := d.Decode(root, settings).Err(); err != nil {
		return nil, p, fmt.Errorf("the settings of %s %s can't be used\n%w", s.Role, s.Name, err)
	}
	return settings, p, nil
}

// isPipeline reports whether a document is a pipeline, as opposed to settings.
func isPipeline(root *yaml.Node) bool {
	keys := map[string]bool{}
	for i := 0; i+1 < len(root.Content); i += 2 {
		keys[root.Content[i].Value] = true
	}
	return keys["version"] && (keys["source"] || keys["sink"])
}

// stepSettings returns the settings of the first step in a pipeline that uses the plugin's
// stage s, and the program with the step's settings for its process.
func stepSettings(a *cli.App, ctx context.Context, file string, given map[string]string, p host.Program, s stage.Stage) (any, host.Program, error) {
	o, err := a.Options(ctx)
	if err != nil {
		return nil, p, err
	}
	seen := &noticed{Plugins: a.Plugins(ctx), made: map[any]pipeline.Isolation{}}
	o.Plugins, o.Values = seen, config.Values{Set: given}
	read, found, err := pipeline.Load(file, o)
	if err != nil {
		return nil, p, err
	}
	if err := found.Err(); err != nil {
		return nil, p, failure.New(failure.Usage, "the pipeline can't be used\n%w", err)
	}
	for _, step := range read.Steps() {
		how, ok := seen.made[step.Config]
		if ok && step.Stage.Name == s.Name && step.Stage.Role == s.Role {
			p.Env = slices.Clone(how.Env)
			return step.Config, p, nil
		}
	}
	return nil, p, failure.New(failure.Usage, "no step of %s uses %s %s of this plugin; add one with use: and the program's path, or give a file with the settings only", file, s.Role, s.Name)
}

// noticed records which settings belong to stages of plugins.
type noticed struct {
	*cli.Plugins
	made map[any]pipeline.Isolation
}

// Find implements the interface of package pipeline.
func (n *noticed) Find(role stage.Role, use, base string, how pipeline.Isolation) (stage.Stage, string, error) {
	s, notice, err := n.Plugins.Find(role, use, base, how)
	if err != nil {
		return s, notice, err
	}
	build := s.Config
	s.Config = func() any {
		settings := build()
		n.made[settings] = how
		return settings
	}
	return s, notice, nil
}

// overwriting returns the setting that allows replacing existing data, or "" if none does.
func overwriting(settings any) (string, error) {
	text, err := config.Encode(settings)
	if err != nil {
		return "", err
	}
	values := map[string]any{}
	if err := json.Unmarshal(text, &values); err != nil {
		return "", fmt.Errorf("the settings: %w", err)
	}
	words := []string{"replace", "overwrite", "truncate", "drop"}
	for key, value := range values {
		word, _ := value.(string)
		if value == true && slices.ContainsFunc(words, func(w string) bool { return strings.Contains(key, w) }) || slices.Contains(words, word) {
			return key, nil
		}
	}
	return "", nil
}
