package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lmsvault/vault/internal/servers"
)

// Bad input results in a clear message and the right exit code, and changes nothing.
func TestBadInputIsRefusedClearly(t *testing.T) {
	p := at(t)
	must(t, p.env, "run", p.backupPipeline(t))
	maria := servers.MariaDB(t)
	broken := strings.Replace(maria.DSN, ":", ":canary", 1)
	for _, c := range []struct {
		name, pipeline string
		env            []string
		code           int
		says           []string
		never          string
	}{
		{"wrong passphrase", p.restorePipeline(t, `{use: sqlite, with: {path: "${env:TO}"}}`), []string{"PASS=no", "TO=" + p.dir + "/x.sqlite"}, 3, []string{"wrong passphrase"}, "PASS"},
		{"wrong passphrase for a backup", p.backupPipeline(t), []string{"PASS=no"}, 3, []string{"wrong passphrase"}, ""},
		{"unknown snapshot", pipelineFile(t, fmt.Sprintf("version: 1\nsource: [{use: local, with: {dir: %s/repo, snapshot: ffffff, passphrase: \"${env:PASS}\"}}]\nsink: [{use: sqlite, with: {path: %s/x.sqlite}}]\n", p.dir, p.dir)), p.env, 2, []string{"ffffff"}, ""},
		{"no repository", pipelineFile(t, fmt.Sprintf("version: 1\nsource: [{use: local, with: {dir: %s/data}}]\nsink: [{use: sqlite, with: {path: %s/x.sqlite}}]\n", p.dir, p.dir)), p.env, 3, []string{"repository"}, ""},
		{"target not empty", p.restorePipeline(t, fmt.Sprintf("{use: sqlite, with: {path: %s/site.sqlite}}", p.dir)), p.env, 3, []string{"replace: true"}, ""},
		{"wrong database password", pipelineFile(t, "version: 1\nsource: [{use: mysql, with: {dsn: \"${env:DSN}\"}}]\nsink: [{use: sqlite, with: {path: /nowhere/x.sqlite}}]\n"), []string{"DSN=" + broken}, 3, []string{"password"}, "canary"},
		{"unreachable server", pipelineFile(t, "version: 1\nsource: [{use: postgres, with: {dsn: \"${env:DSN}\"}}]\nsink: [{use: sqlite, with: {path: /nowhere/x.sqlite}}]\n"), []string{"DSN=postgres://u:topsecret@127.0.0.1:1/x"}, 3, []string{"127.0.0.1"}, "topsecret"},
		{"no tables", pipelineFile(t, "version: 1\nsource: [{use: mysql, with: {dsn: \"${env:DSN}\"}}]\nsink: [{use: sqlite, with: {path: "+p.dir+"/y.sqlite}}]\n"), []string{"DSN=" + maria.DSN}, 3, []string{"prefix"}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			out := vault(t, c.env, "run", c.pipeline)
			if out.code != c.code {
				t.Errorf("exit %d, want %d", out.code, c.code)
			}
			for _, word := range c.says {
				if !strings.Contains(out.stderr, word) {
					t.Errorf("the message does not contain %q", word)
				}
			}
			if strings.Contains(out.stderr, "goroutine ") || c.never != "" && strings.Contains(out.stderr+out.stdout, c.never) {
				t.Errorf("the message contains forbidden text")
			}
			t.Logf("%s", out.stderr)
		})
	}
	must(t, p.env, "verify", filepath.Join(p.dir, "repo"))
	if left, err := filepath.Glob(p.dir + "/[xy].sqlite*"); err != nil || left != nil {
		t.Errorf("refused restores left %v, %v", left, err)
	}
	if _, err := os.Stat(filepath.Join(p.dir, "site.sqlite")); err != nil {
		t.Error(err)
	}
}
