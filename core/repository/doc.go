// Package repository keeps snapshots of sites in a storage: content-addressed
// chunks in packs, an index, and a manifest for each snapshot, all passed
// through a chain of byte transforms (compress, encrypt). docs/repository.md
// describes the format.
//
// NewSink writes a snapshot, NewSource reads one for a restore; a Repository
// lists, shows and verifies them. Each owns the storage it is given and closes it.
//
// The packages below it are layers; each depends only on earlier ones: object (names and
// IDs), keyring (keys), lock, pack (chunks and their index), and manifest (snapshots and
// their entry lists).
package repository
