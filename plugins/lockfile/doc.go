// Package lockfile knows which plugins the pipelines of a folder may use: those
// that its vault.lock.yaml pins by the SHA-256 of their files. Nothing else in
// the folder is ever executed.
//
// The lock file lies in the folder of the pipeline files, and only there: other
// folders, above or below, are not looked at. The plugins' files lie below it, in
// vault-plugins.
package lockfile
