package pipeline_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/pipeline"
)

// compiled is the schema of pipelines, read by a validator that is not ours.
func compiled(t testing.TB) *jsonschema.Schema {
	t.Helper()
	s, err := pipeline.Schema(registry(t))
	if err != nil {
		t.Fatal(err)
	}
	return compile(t, s)
}

func compile(t testing.TB, s *config.Schema) *jsonschema.Schema {
	t.Helper()
	text, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("pipeline.schema.json", doc); err != nil {
		t.Fatal(err)
	}
	compiled, err := c.Compile("pipeline.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return compiled
}

// document is a YAML file as a validator of JSON takes it.
func document(t testing.TB, text []byte) any {
	t.Helper()
	var v any
	if err := yaml.Unmarshal(text, &v); err != nil {
		t.Fatal(err)
	}
	asJSON, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(asJSON))
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func TestSchemaAcceptsWhatTheDecoderAccepts(t *testing.T) {
	s := compiled(t)
	for _, text := range []string{nightly, `version: 1
workers: "${env:W}"
dry_run: "${DRY:-false}"
source: [{use: local, with: {dir: /x, snapshot: latest, passphrase: "${env:P}"}}]
transform: [{use: compress, with: {codec: "${CODEC}", level: "${LEVEL}"}}, {use: typemap}]
sink: [{use: sqlite, with: {path: /y}}]
`, isolated, selecting} {
		if err := s.Validate(document(t, []byte(text))); err != nil {
			t.Errorf("%s\n%v", text, err)
		}
	}
}

// selecting has conditions inside of conditions.
const selecting = `version: 1
select:
  exclude_tables: [sessions]
  structure_only: ["log*"]
  rows:
    - table: config_plugins
      except: {column: plugin, in: [mod_game, 7, true]}
    - table: task_adhoc
      only: {any: [{column: faildelay, equal: 0}, {all: [{column: faildelay, "null": true}, {any: [{column: x, prefix: "${P:-a}"}, {column: y, equal: "z"}]}]}]}
  exclude_files: [dataroot/cache]
source: [{use: files, with: {dir: /x}}]
sink: [{use: local, with: {dir: /y}}]
`

// The select section is decoded without loss, and the schema checks
// conditions at every depth.
func TestSelectIsDecodedAtEveryDepth(t *testing.T) {
	p, found := pipeline.Parse("p.yaml", []byte(selecting), pipeline.Options{Registry: registry(t)})
	if len(found.Of(config.Error)) > 0 {
		t.Fatal(found)
	}
	got, err := json.Marshal(p.Selection)
	want := `{"exclude_tables":["sessions"],"structure_only":["log*"],"rows":[` +
		`{"table":"config_plugins","except":{"column":"plugin","in":["mod_game","7","true"]}},` +
		`{"table":"task_adhoc","only":{"any":[{"column":"faildelay","in":["0"]},{"all":[{"column":"faildelay","null":true},` +
		`{"any":[{"column":"x","prefix":"a"},{"column":"y","in":["z"]}]}]}]}}],"exclude_files":["dataroot/cache"]}`
	if err != nil || string(got) != want {
		t.Errorf("selected is %s, %v\nwant %s", got, err, want)
	}
	s := compiled(t)
	for _, wrong := range []string{"column: y, equal: [z]", "colum: y, equal: z", `column: y, "null": 3`} {
		text := strings.Replace(selecting, `column: y, equal: "z"`, wrong, 1)
		if text == selecting || s.Validate(document(t, []byte(text))) == nil {
			t.Errorf("the schema accepts %s inside of conditions", wrong)
		}
	}
}

// What is wrong with these lies in the form of the file, so an editor can show it.
func TestSchemaRefusesWhatTheDecoderRefuses(t *testing.T) {
	s := compiled(t)
	for _, name := range []string{
		"accept-loss", "empty-values", "future-version", "isolation", "list-at-top", "missing", "no-sink", "no-version", "out-of-range",
		"select", "single-mapping", "unknown-keys", "unknown-stages", "wrong-types",
	} {
		text, err := os.ReadFile(filepath.Join("testdata/bad", name+".yaml"))
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Validate(document(t, text)); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}

// FuzzParse: whatever stands in a file, there is a pipeline or an error, at a
// place in the file, and no panic.
func FuzzParse(f *testing.F) {
	files, err := filepath.Glob("testdata/bad/*.yaml")
	if err != nil {
		f.Fatal(err)
	}
	for _, path := range files {
		text, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Add([]byte(nightly))
	stages := registry(f)
	f.Fuzz(func(t *testing.T, text []byte) {
		p, found := pipeline.Parse("f", text, pipeline.Options{Registry: stages, Values: config.Values{
			Offline: true, Env: func(string) (string, bool) { return "hunter2", true },
		}})
		if (p == nil) != (found.Err() != nil) {
			t.Errorf("pipeline %v and error %v", p, found.Err())
		}
		for _, f := range found {
			if f.Line < 1 || f.Column < 1 || f.Line > len(text)+1 || f.Message == "" || !slices.Contains([]config.Severity{config.Error, config.Warning}, f.Severity) {
				t.Errorf("found %+v", f)
			}
			if strings.Contains(f.String(), "hunter2") && !bytes.Contains(text, []byte("hunter2")) {
				t.Errorf("printed: %s", f)
			}
		}
	})
}
