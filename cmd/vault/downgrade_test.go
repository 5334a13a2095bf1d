package main

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/lmsvault/vault/core/repository"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/storages/local"
)

// With a passphrase, an unencrypted repository is refused: an attacker could have replaced
// the encrypted one with it.
func TestClearRepositoryIsRefusedWithAPassphrase(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "repository")
	storage, err := local.Stage().NewStorage(t.Context(), &local.Config{Dir: dir}, stage.Env{})
	if err != nil {
		t.Fatal(err)
	}
	sink := repository.NewSink(storage, repository.SinkConfig{Create: true})
	if err := sink.Begin(t.Context(), &stage.Plan{Pipeline: "forged"}); err != nil {
		t.Fatal(err)
	}
	if err := sink.Finish(t.Context(), &stage.Outcome{}); err != nil {
		t.Fatal(err)
	}
	if err := sink.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	file := written(t, "p", "secret\n")
	for _, command := range []string{"snapshots", "verify", "ls", "show"} {
		vault(t, 0, nil, command, dir)
		for what, o := range map[string]outcome{
			"LMSVAULT_PASSPHRASE": vault(t, 3, []string{"LMSVAULT_PASSPHRASE=secret"}, command, dir),
			"--passphrase-file":   vault(t, 3, nil, command, dir, "--passphrase-file", file),
		} {
			if !strings.Contains(o.stderr, "is not encrypted, but a passphrase") || strings.Contains(o.stdout, "forged") {
				t.Errorf("%s with %s: %s%s", command, what, o.stdout, o.stderr)
			}
		}
	}
}
