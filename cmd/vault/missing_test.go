package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A script tells a slip in a name (2) from a disk that is not mounted (3), whichever
// command it runs.
func TestAMissingThingHasOneExitCode(t *testing.T) {
	dir := t.TempDir()
	repo := filepath.Join(dir, "repo")
	vault(t, 0, nil, "run", written(t, "p.yaml", "version: 1\nsource: [{use: sample, with: {files: false}}]\nsink: [{use: local, with: {dir: "+repo+", create: true}}]\n"))
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
		"site":          {2, "there is no snapshot of site", look(repo, "--site", "none")[1:4]},
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
					t.Errorf("vault %s says\n%s%s", strings.Join(args, " "), o.stdout, o.stderr)
				}
			}
		})
	}
	if _, err := os.Stat(none + ".yaml"); err == nil {
		t.Error("a missing pipeline file was made a repository")
	}
}
