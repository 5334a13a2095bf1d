package config

// ownWord reports whether word is a keyword of Vault's messages, results and settings.
// A Redactor does not replace it: with the passphrase "vault" every message would be
// unreadable, and the position of *** would reveal it anyway.
func ownWord(word string) bool {
	switch word {
	case "vault", "moodle", "root", "localhost",
		"mysql", "mariadb", "postgres", "sqlite", "local", "files", "dataroot", "filedir", "sample",
		"compress", "encrypt", "typemap", "zstd", "lz4", "age",
		"source", "sink", "storage", "transform", "plugin", "pipeline", "name", "site", "snapshot",
		"repository", "passphrase", "identity", "secret", "password", "key", "dsn",
		"run", "plan", "begin", "phase", "moving", "unit", "note", "loss", "done", "failed", "error", "warning",
		"check", "prepare", "read", "write", "finish", "prove", "proven",
		"latest", "backup", "restore", "database", "table", "view", "row", "column",
		"index", "default", "constraint", "trigger", "routine", "file", "dir", "directory", "symlink", "document",
		"missing_file", "unreadable_file", "changed_file", "corrupt_file", "special_file", "file_time", "outside_link", "stored_data", "missing_part",
		"signing_key", "signers", "recipients", "accept_loss", "create", "replace", "exclude_tables", "exclude_files", "structure_only", "select", "prefix", "workers", "memory",
		"the", "and", "for", "not", "with", "from", "true", "false", "null":
		return true
	}
	return false
}
