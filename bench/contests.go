package main

import (
	"context"
	"os"
)

// contests lists what is measured. Every program runs with its defaults, including
// its number of threads; each starts from scratch, except for the second backup of
// files.
func contests(s *site) []contest {
	remove := func(name string) func(context.Context) error {
		return func(context.Context) error { return os.RemoveAll(s.path(name)) }
	}
	sizeOf := func(name string) func() (int64, error) {
		return func() (int64, error) { return size(s.path(name)) }
	}
	vault := func(pipeline string, set ...string) func(context.Context) (cost, error) {
		return func(ctx context.Context) (cost, error) { return s.run(ctx, pipeline, set...) }
	}
	command := func(name string, args ...string) func(context.Context) (cost, error) {
		return func(ctx context.Context) (cost, error) { return measure(ctx, s.env(), name, args...) }
	}
	dump := "set -o pipefail; mysqldump --defaults-extra-file=" + s.path("client.cnf") + " --single-transaction --quick " + database + " | gzip -1 >" + s.path("dump.gz")
	restic := []string{"--quiet", "--repo", s.path("restic"), "backup", s.path("site/filedir")}
	return []contest{
		{name: "MariaDB backup", input: s.dbBytes, entries: []entry{
			{name: "vault, zstd, encrypted", prepare: remove("vault-db"), work: vault("database", "repository="+s.path("vault-db")), size: sizeOf("vault-db")},
			{name: "mysqldump | gzip -1", prepare: remove("dump.gz"), work: command("bash", "-c", dump), size: sizeOf("dump.gz")},
			{name: "mydumper -c", prepare: remove("mydumper"), size: sizeOf("mydumper"),
				work: command("mydumper", "--defaults-file="+s.path("client.cnf"), "-c", "-B", database, "-o", s.path("mydumper"))},
		}},
		{name: "MariaDB to PostgreSQL", input: s.dbBytes, entries: []entry{
			{name: "vault, proven", prepare: s.emptyTarget, work: vault("migrate")},
			{name: "pgloader", prepare: s.emptyTarget, work: command("pgloader", "--on-error-stop", s.path("pgloader.load"))},
		}},
		{name: "files, first backup", input: s.fileBytes, entries: []entry{
			{name: "vault, zstd, encrypted", prepare: remove("vault-files"), size: sizeOf("vault-files"),
				work: vault("files", "site="+s.path("site"), "repository="+s.path("vault-files"))},
			{name: "restic", prepare: s.newRestic, work: command("restic", restic...), size: sizeOf("restic")},
		}},
		// Continues with the results of the contest before.
		{name: "files, second backup, unchanged", input: s.fileBytes, entries: []entry{
			{name: "vault, zstd, encrypted", work: vault("files", "site="+s.path("site"), "repository="+s.path("vault-files")), size: sizeOf("vault-files")},
			{name: "restic", work: command("restic", restic...), size: sizeOf("restic")},
		}},
		// The cost of process borders: the peers are Vault's own stages in other
		// processes.
		{name: "border: files, first backup", input: s.fileBytes, entries: []entry{
			{name: "all in one process", prepare: remove("vault-files"), size: sizeOf("vault-files"),
				work: vault("files", "site="+s.path("site"), "repository="+s.path("vault-files"))},
			{name: "each stage in its own process", prepare: remove("vault-isolated"), size: sizeOf("vault-isolated"),
				work: vault("files-isolated", "site="+s.path("site"), "repository="+s.path("vault-isolated"))},
		}},
	}
}

func (s *site) newRestic(ctx context.Context) error {
	for _, name := range []string{"restic", "restic.cache"} {
		if err := os.RemoveAll(s.path(name)); err != nil {
			return err
		}
	}
	_, err := measure(ctx, s.env(), "restic", "--quiet", "--repo", s.path("restic"), "init")
	return err
}
