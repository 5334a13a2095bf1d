package pipeline_test

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/pipeline"
)

const relative = `version: 1
source:
  - {use: files, with: {dir: filedir}}
  - {use: sqlite, with: {path: "${env:DB}"}}
  - {use: dataroot, with: {dir: /var/moodledata}}
transform:
  - {use: encrypt, with: {passphrase: "${file:keys/passphrase}"}}
sink:
  - {use: local, with: {dir: "${to}"}}
  - {use: local, with: {dir: "./~odd"}}
`

// Whatever directory cron starts in, a pipeline works on the same places.
func TestPathsAreRelativeToThePipelineFile(t *testing.T) {
	dir := t.TempDir()
	place(t, filepath.Join(dir, "site", "keys", "passphrase"), "open sesame\n")
	place(t, filepath.Join(dir, "site", "nightly.yaml"), relative)
	for name, from := range map[string]string{"another directory": t.TempDir(), "the folder above": dir, "the folder itself": filepath.Join(dir, "site")} {
		t.Run(name, func(t *testing.T) {
			t.Chdir(from)
			pipelineFile, err := filepath.Rel(from, filepath.Join(dir, "site", "nightly.yaml"))
			if err != nil {
				t.Fatal(err)
			}
			p, found, err := pipeline.Load(pipelineFile, pipeline.Options{Registry: registry(t), Values: config.Values{
				Set: map[string]string{"to": "../backups"}, Env: environment(map[string]string{"DB": "db/site.sqlite"}),
			}})
			if err != nil || len(found) > 0 {
				t.Fatal(err, found)
			}
			site := filepath.Join(dir, "site")
			for what, c := range map[string][2]string{
				"a literal":       {p.Source[0].Config.(*folder).Dir, site + "/filedir"},
				"a variable":      {p.Source[1].Config.(*file).Path, site + "/db/site.sqlite"},
				"an absolute one": {p.Source[2].Config.(*dataRoot).Dir, "/var/moodledata"},
				"a file":          {p.Transform[0].Config.(*encrypt).Passphrase.Reveal(), "open sesame"},
				"--set":           {p.Sink[0].Config.(*folder).Dir, dir + "/backups"},
				"an odd name":     {p.Sink[1].Config.(*folder).Dir, site + "/~odd"},
			} {
				if c[0] != c[1] {
					t.Errorf("%s is %s, want %s", what, c[0], c[1])
				}
			}
		})
	}
}

func TestAPipelineFromAPipeIsRelativeToTheWorkingDirectory(t *testing.T) {
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := write.WriteString("version: 1\nsource: [{use: files, with: {dir: filedir}}]\nsink: [{use: local, with: {dir: /srv/x}}]\n"); err != nil {
		t.Fatal(err)
	}
	if err := write.Close(); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	t.Chdir(dir)
	p, found, err := pipeline.Load(filepath.Join("/dev/fd", strconv.Itoa(int(read.Fd()))), pipeline.Options{Registry: registry(t)})
	if err != nil || p == nil {
		t.Fatal(err, found)
	}
	if got := p.Source[0].Config.(*folder).Dir; got != filepath.Join(dir, "filedir") {
		t.Errorf("files reads %s", got)
	}
	if err := read.Close(); err != nil {
		t.Fatal(err)
	}
}

// Who looks into a repository has neither the site nor what reaches it.
func TestStoragesOptionIgnoresOtherSteps(t *testing.T) {
	text := []byte(`version: 1
memory: "${env:MEMORY}"
source:
  - use: local
    with: {dir: "${env:REPO}", snapshot: "${snapshot}", passphrase: "${env:PASS}"}
sink:
  - {use: mysql, with: {dsn: "${env:SITE_DSN}"}}
  - {use: notinstalled, with: {any: "${file:/not/there}"}}
  - {use: files, with: {dir: "${env:SITE_DATAROOT}/filedir"}}
`)
	env := map[string]string{"REPO": "/srv/backups", "PASS": "open sesame"}
	o := pipeline.Options{Registry: registry(t), Storages: true, Values: config.Values{Env: environment(env)}}
	p, found := pipeline.Parse("restore.yaml", text, o)
	if p == nil || len(found) > 0 || len(p.Steps()) != 1 || p.Source[0].Config.(*folder).Dir != "/srv/backups" || p.Source[0].From.Passphrase.Reveal() != "open sesame" {
		t.Fatalf("%+v %v", p, found)
	}
	delete(env, "PASS")
	if _, found := pipeline.Parse("restore.yaml", text, o); len(found) != 1 || !strings.Contains(found[0].Message, "PASS") {
		t.Errorf("without the passphrase: %v", found)
	}
	o.HasKeys = true
	if p, found := pipeline.Parse("restore.yaml", text, o); p == nil || len(found) > 0 {
		t.Errorf("with a passphrase of the command line: %v", found)
	}
	delete(env, "REPO")
	if _, found := pipeline.Parse("restore.yaml", text, o); len(found) != 1 || !strings.Contains(found[0].Message, "REPO") {
		t.Errorf("without the directory: %v", found)
	}
}

func place(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
