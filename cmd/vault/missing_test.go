package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Only the command line narrows a check: a variable that is set for another purpose must
// not do so.
func TestSnapshotsAreSelectedByFlagsOnly(t *testing.T) {
	dir := t.TempDir()
	repo := filepath.Join(dir, "repo")
	vault(t, 0, nil, "run", written(t, "p.yaml", "version: 1\nsource: [{use: sample, with: {files: false}}]\nsink: [{use: local, with: {dir: "+repo+", create: true}}]\n"))
	vault(t, 0, nil, "run", written(t, "q.yaml", "version: 1\nsource: [{use: sample, with: {files: false}}]\nsink: [{use: local, with: {dir: "+repo+"}}]\n"))
	env := []string{"LMSVAULT_SNAPSHOT=1999", "LMSVAULT_SITE=none", "LMSVAULT_PIPELINE=p", "LMSVAULT_SIGNER=vault-signer-none"}
	if o := vault(t, 0, env, "verify", repo); !strings.Contains(o.stdout, "no damage found (checked 2 of 2 snapshots)") {
		t.Errorf("verify prints\n%s", o.stdout)
	}
	vault(t, 0, env, "ls", repo, "--pipeline", "q")
	if o := vault(t, 0, nil, "verify", repo, "--pipeline", "p"); !strings.Contains(o.stdout, "no damage found (checked 1 of 2 snapshots)") {
		t.Errorf("verify of one pipeline prints\n%s", o.stdout)
	}
	if o := vault(t, 0, nil, "verify", repo, "latest", "--pipeline", "p"); !strings.Contains(o.stdout, "no damage found (checked 1 of 2 snapshots)") {
		t.Errorf("verify of one snapshot prints\n%s", o.stdout)
	}
	for _, name := range []string{"snapshot", "site", "pipeline", "signer"} {
		for _, command := range []string{"show", "ls", "verify"} {
			if o := vault(t, 2, nil, command, repo, "--"+name, ""); !strings.Contains(o.stderr, "--"+name+" is empty") {
				t.Errorf("%s --%s '' prints\n%s", command, name, o.stderr)
			}
		}
		settings := written(t, "config.yaml", name+": p\n")
		if o := vault(t, 2, nil, "verify", repo, "--config", settings); !strings.Contains(o.stderr, name+" can only be a flag") {
			t.Errorf("verify with %s in its settings prints\n%s", name, o.stderr)
		}
	}
	empty := filepath.Join(dir, "empty")
	vault(t, 0, nil, "init-repository", empty)
	if o := vault(t, 0, nil, "verify", empty); !strings.Contains(o.stdout, "no damage found (the repository has no snapshots)") {
		t.Errorf("verify of an empty repository prints\n%s", o.stdout)
	}
}

// The pipeline file of a backup also opens its repository.
func TestVerifyUsesKeyOfEncryptStep(t *testing.T) {
	file := written(t, "p.yaml", "version: 1\nsource: [{use: sample, with: {files: false}}]\ntransform: [{use: encrypt, with: {passphrase: \"${env:KEY}\"}}]\n"+
		"sink: [{use: local, with: {dir: "+filepath.Join(t.TempDir(), "r")+", create: true}}]\n")
	vault(t, 0, []string{"KEY=a long passphrase"}, "run", file)
	for _, env := range []string{"KEY=a long passphrase", "LMSVAULT_PASSPHRASE=a long passphrase"} {
		if o := vault(t, 0, []string{env}, "verify", file); !strings.Contains(o.stdout, "no damage found (checked 1 of 1") {
			t.Errorf("verify prints\n%s", o.stdout)
		}
	}
	if o := vault(t, 3, []string{"KEY=another passphrase"}, "verify", file); !strings.Contains(o.stderr, "wrong passphrase") {
		t.Errorf("with another passphrase: got\n%s", o.stderr)
	}
}

// With every command, scripts can distinguish a wrong name (2) from a disk that is not
// mounted (3).
func TestMissingObjectsHaveOneExitCode(t *testing.T) {
	dir := t.TempDir()
	repo := filepath.Join(dir, "repo")
	vault(t, 0, nil, "run", written(t, "p.yaml", "version: 1\nsource: [{use: sample, with: {files: false}}]\nsink: [{use: local, with: {dir: "+repo+", create: true}}]\n"))
	empty := filepath.Join(dir, "empty")
	vault(t, 0, nil, "init-repository", empty)
	pipeline := func(source, sink string) string {
		return written(t, "x.yaml", "version: 1\nsource: [{use: "+source+"}]\nsink: [{use: "+sink+"}]\n")
	}
	from, to := "sample, with: {files: false}", "local, with: {dir: "+repo+"}"
	none, sqlite := filepath.Join(dir, "none"), "sqlite, with: {path: "+filepath.Join(dir, "s.sqlite")+"}"
	look := func(repo string, more ...string) [][]string {
		var calls [][]string
		for _, c := range [][]string{{"snapshots", repo}, {"show", repo}, {"ls", repo}, {"cat", repo, "db/config"}, {"verify", repo}} {
			calls = append(calls, append(c, more...))
		}
		return calls
	}
	work := func(file string) [][]string { return [][]string{{"plan", file}, {"run", file}} }
	for thing, c := range map[string]struct {
		code  int
		say   string
		calls [][]string
	}{
		"pipeline file": {2, "no such file", append(append(work(none+".yaml"), look(none+".yaml")...), []string{"lint", none + ".yaml"}, []string{"init-repository", none + ".yaml"})},
		"snapshot":      {2, "there is no snapshot", append(look(repo, "--snapshot", "1999")[1:], work(pipeline("local, with: {dir: "+repo+", snapshot: '1999'}", sqlite))...)},
		"site":          {2, "there is no snapshot of site", look(repo, "--site", "none")},
		"pipeline":      {2, `pipeline "p", site`, look(repo, "--pipeline", "none")},
		"any snapshot":  {2, "no finished snapshot yet", append(look(empty)[1:4], append(look(empty, "--snapshot", "latest")[1:], work(pipeline("local, with: {dir: "+empty+"}", sqlite))...)...)},
		"entry":         {2, "db/none", [][]string{{"cat", repo, "db/none"}, {"ls", repo, "db/none"}}},
		"passphrase":    {2, "no such file", look(repo, "--passphrase-file", none)},
		"identity":      {2, "no such file", look(repo, "--identity-file", none)},
		"settings":      {2, "no such file", look(repo, "--config", none)},
		"variable":      {2, "NOT_SET", append(work(pipeline(from, "local, with: {dir: '${env:NOT_SET}'}")), look(pipeline("local, with: {dir: '${env:NOT_SET}'}", sqlite))...)},
		"file of value": {2, "no such file", work(pipeline("sample, with: {prefix: '${file:"+none+"}'}", to))},
		"stage":         {2, "vault plugin install", work(pipeline("nosuchstage", to))},
		"plugin":        {2, "none", append(work(pipeline("./none", to)), []string{"stages", "./none"}, []string{"plugin", "info", "none"}, []string{"plugin", "verify", "none"}, []string{"plugin", "remove", "none"}, []string{"plugin", "install", "./none"}, []string{"plugin", "test", "./none"})},
		"repository":    {3, "there is no repository", append(append(append(look(none), look(pipeline("local, with: {dir: "+none+"}", sqlite))...), work(pipeline("local, with: {dir: "+none+"}", sqlite))...), work(pipeline(from, "local, with: {dir: "+none+"}"))...)},
		"directory":     {3, "no such file", append(work(pipeline("files, with: {dir: "+none+"}", to)), work(pipeline("dataroot, with: {dir: "+none+"}", to))...)},
		"database file": {3, "no such file", work(pipeline("sqlite, with: {path: "+none+"}", to))},
		"server":        {3, "", append(work(pipeline("mysql, with: {dsn: 'u:p@tcp(127.0.0.1:1)/x'}", to)), work(pipeline("postgres, with: {dsn: 'postgres://u:p@127.0.0.1:1/x'}", to))...)},
	} {
		t.Run(thing, func(t *testing.T) {
			for _, args := range c.calls {
				if o := vault(t, c.code, nil, args...); !strings.Contains(o.stdout+o.stderr, c.say) {
					t.Errorf("vault %s prints\n%s%s", strings.Join(args, " "), o.stdout, o.stderr)
				}
			}
		})
	}
	if _, err := os.Stat(none + ".yaml"); err == nil {
		t.Error("a repository was created in place of the pipeline file")
	}
}
