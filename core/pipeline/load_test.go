package pipeline_test

import (
	"testing"
	"time"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/pipeline"
	"github.com/lmsvault/vault/core/stage"
)

// environment is an environment for the references of a test's pipeline.
func environment(vars map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) { v, ok := vars[name]; return v, ok }
}

const nightly = `version: 1
name: nightly
workers: 3
memory: 1GiB
accept_loss: {view: 2}
source:
  - use: mysql
    with: {dsn: "${env:SITE_DSN}", prefix: "", lock_timeout: 1m}
  - use: files
    with: {dir: "/var/moodledata/filedir"}
transform:
  - use: compress
  - use: encrypt
    with: {recipients: ["age1x", "${KEY}"]}
sink:
  - use: local
    with: {dir: "${where:-/srv/backups}"}
`

func TestPipelineIsDecodedIntoStageConfigs(t *testing.T) {
	p, found := pipeline.Parse("nightly.yaml", []byte(nightly), pipeline.Options{Registry: registry(t), Values: config.Values{
		Set: map[string]string{"KEY": "age1y"}, Env: environment(map[string]string{"SITE_DSN": "u:p@tcp(db)/m"}),
	}})
	if len(found) > 0 {
		t.Fatal(found)
	}
	if p.Name != "nightly" || p.Workers != 3 || p.Memory != 1<<30 || p.DryRun || p.Accept[stage.LossView] != 2 {
		t.Errorf("settings are %+v", p)
	}
	if c := p.Source[0].Config.(*database); c.DSN.Reveal() != "u:p@tcp(db)/m" || c.Prefix != "" || time.Duration(c.Wait) != time.Minute {
		t.Errorf("mysql has %+v", c)
	}
	if c := p.Transform[0].Config.(*compress); *c != (compress{Codec: "zstd"}) {
		t.Errorf("compress has %+v", c)
	}
	if c := p.Transform[1].Config.(*encrypt); len(c.Recipients) != 2 || c.Recipients[1] != "age1y" {
		t.Errorf("encrypt has %+v", c)
	}
	if c := p.Sink[0].Config.(*folder); c.Dir != "/srv/backups" || p.Sink[0].From != nil {
		t.Errorf("local has %+v", p.Sink[0])
	}
	if at := p.Source[1].At; at != (config.Position{File: "nightly.yaml", Line: 9, Column: 5}) {
		t.Errorf("files stands at %s", at)
	}
}

func TestStorageAsSourceAcceptsSnapshotSettings(t *testing.T) {
	p, found := pipeline.Parse("restore.yaml", []byte(`version: 1
source:
  - use: local
    with: {dir: /srv/backups, snapshot: 3f2a, passphrase: "${env:P}"}
sink: [{use: sqlite, with: {path: /srv/site.sqlite}}, {use: files, with: {dir: /srv/f}}, {use: dataroot, with: {dir: /srv/d}}]
`), pipeline.Options{Registry: registry(t), Values: config.Values{Env: environment(map[string]string{"P": "open sesame"})}})
	if len(found) > 0 {
		t.Fatal(found)
	}
	from := p.Source[0].From
	if from.Snapshot != "3f2a" || from.Passphrase.Reveal() != "open sesame" || p.Source[0].Config.(*folder).Dir != "/srv/backups" {
		t.Errorf("local reads %+v", from)
	}
	if p.Name != "restore" || p.Workers != 0 || p.Memory != 256<<20 {
		t.Errorf("what is not said is %q, %d workers, %s", p.Name, p.Workers, p.Memory)
	}
}
