// Package lockfile manages the plugins that the pipelines of a directory may use: those
// pinned by SHA-256 in its vault.lock.yaml. No other file in the directory is ever
// executed.
//
// The lock file is in the same directory as the pipeline files; parent and child
// directories are not searched. The plugins' files are below it in vault-plugins. Start
// with Load, Install and Plugin.Program.
package lockfile
