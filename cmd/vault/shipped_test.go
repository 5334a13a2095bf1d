package main

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"

	"github.com/lmsvault/vault/builtin"
	"github.com/lmsvault/vault/cmd/vault/stagecmd"
	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/pipeline"
	"github.com/lmsvault/vault/pipelines"
	"github.com/lmsvault/vault/sources/sample"
)

// shipped lists the names of the pipeline files that come with the program.
func shipped(t *testing.T) []string {
	t.Helper()
	names, err := fs.Glob(pipelines.Files, "*.yaml")
	if err != nil || len(names) < 8 {
		t.Fatalf("%v: %v", err, names)
	}
	return names
}

func text(t *testing.T, name string) []byte {
	t.Helper()
	b, err := pipelines.Files.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestShippedPipelinesRunWithDocumentedEnvironment(t *testing.T) {
	stages, err := builtin.Stages()
	if err != nil {
		t.Fatal(err)
	}
	code := sample.Code{Dir: filepath.Join(t.TempDir(), "moodle"), Address: sample.Address, Database: "/SITE/site.sqlite", Dataroot: "/SITE/dataroot", Prefix: "mdl_"}
	if err := code.Write(); err != nil {
		t.Fatal(err)
	}
	for _, name := range shipped(t) {
		content := string(text(t, name))
		asked := map[string]bool{}
		o := pipeline.Options{Registry: stages, Values: config.Values{
			Env: func(v string) (string, bool) {
				asked[v] = true
				if v == "MOODLE_DIR" || v == "COPY_DIR" {
					return code.Dir, true
				}
				return "/" + v, true
			},
		}}
		if strings.Contains(content, "${dir}") {
			o.Values.Set = map[string]string{"dir": "/demo"}
		}
		if p, found := pipeline.Parse(name, []byte(content), o); p == nil || len(found.Of(config.Warning))+len(found.Of(config.Error)) > 0 || p.Name != strings.TrimSuffix(name, ".yaml") {
			t.Errorf("%s: %v", name, found)
		}
		for v := range asked {
			if !strings.Contains(content, "#   "+v+" ") && !strings.Contains(content, "${env:"+v+":-") && !strings.Contains(content, "environment variables of backup-local.yaml") {
				t.Errorf("%s doesn't document %s", name, v)
			}
		}
		if !strings.Contains(content, "pipelines/"+name) {
			t.Errorf("%s doesn't say how to run it", name)
		}
	}
}

func TestShippedPipelinesMatchSchema(t *testing.T) {
	o := vault(t, 0, nil, "schema")
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(o.stdout))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("pipeline.schema.json", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("pipeline.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range shipped(t) {
		var v any
		if err := yaml.Unmarshal(text(t, name), &v); err != nil {
			t.Fatal(err)
		}
		asJSON, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		instance, err := jsonschema.UnmarshalJSON(bytes.NewReader(asJSON))
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(instance); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

const pages = "../../docs/stages"

func TestPagesOfStagesAreCurrent(t *testing.T) {
	stages, err := builtin.Stages()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, s := range stages.All() {
		want, err := stagecmd.Page(s)
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(filepath.Join(pages, stagecmd.PageName(s)))
		if err != nil || string(got) != want {
			t.Errorf("%s is not current: run go generate ./cmd/vault (%v)", stagecmd.PageName(s), err)
		}
		names = append(names, stagecmd.PageName(s))
	}
	there, err := os.ReadDir(pages)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range there {
		if !slices.Contains(names, f.Name()) {
			t.Errorf("%s is not the page of a stage", f.Name())
		}
	}
}

func TestEverySettingHasHelp(t *testing.T) {
	stages, err := builtin.Stages()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range stages.All() {
		d, err := stagecmd.DescribedOf(s)
		if err != nil {
			t.Error(err)
		}
		if s.Summary == "" || s.Doc == "" {
			t.Errorf("%s %s has summary %q and doc %q", s.Role, s.Name, s.Summary, s.Doc)
		}
		for _, f := range d.Settings {
			if f.Help == "" || f.Required && f.Example == "" && f.Default == "" {
				t.Errorf("%s %s: setting %s has no help or no example", s.Role, s.Name, f.Name)
			}
		}
	}
	if o := vault(t, 0, nil, "stages"); strings.Count(o.stdout, "\n") != len(stages.All()) {
		t.Errorf("vault stages lists\n%s", o.stdout)
	}
	if o := vault(t, 0, nil, "stages", "compress"); !strings.Contains(o.stdout, "codec (text, one of zstd, lz4, default zstd)") {
		t.Errorf("vault stages compress prints\n%s", o.stdout)
	}
}
