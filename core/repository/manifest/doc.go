// Package manifest defines the format of snapshots in a repository: the manifest, entry
// lists, snapshot IDs and signatures.
package manifest
