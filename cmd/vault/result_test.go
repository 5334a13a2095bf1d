package main

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/lmsvault/vault/cmd/vault/cli"
	"github.com/lmsvault/vault/core/run"
)

func TestProofsNameExceptions(t *testing.T) {
	tables := []run.TableResult{{Target: "postgres", Table: "a", Rows: 1, Refused: 1200}, {Target: "postgres", Table: "b", Changed: true}}
	var well, ill strings.Builder
	files := []run.FilesResult{{Target: "files", Part: "filedir", Files: 1200, Bytes: 3 << 20}}
	cli.Proofs(&well, &run.Result{Tables: tables, Files: files}, true)
	if want := "verified: postgres: 2 tables, 1 row, identical to the source, except 1 table as changed by transforms and 1,200 refused rows\n" +
		"verified: files: 1,200 files (3.0 MiB) of filedir, identical to the source\n"; well.String() != want {
		t.Errorf("got %q, want %q", well.String(), want)
	}
	tables[1].Faults = []string{"missing index on x"}
	cli.Proofs(&ill, &run.Result{Tables: tables}, false)
	if want := "NOT VERIFIED: postgres: table b: missing index on x\n"; ill.String() != want {
		t.Errorf("failed run: got %q, want %q", ill.String(), want)
	}
}

func TestDryRunReportsNoSnapshot(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "repo")
	args := []string{"run", written(t, "p.yaml", small), "--set", "dir=" + dir}
	o := vault(t, 0, nil, append(args, "--dry-run")...)
	if !strings.Contains(o.stdout, "a snapshot would have") || strings.Contains(o.stdout, "; stored") || strings.Contains(o.stdout, "\nsnapshot ") {
		t.Errorf("a dry run prints\n%s", o.stdout)
	}
	vault(t, 0, nil, args...)
	if o := vault(t, 0, nil, "snapshots", dir); !strings.Contains(o.stdout, "LACKS\n") {
		t.Errorf("snapshots prints\n%s", o.stdout)
	}
}
