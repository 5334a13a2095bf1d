// Package manifest has what a snapshot is in a repository: its document, its lists of
// entries, its ID, and its signature.
package manifest
