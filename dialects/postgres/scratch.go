package postgres

import (
	"crypto/sha256"
	"encoding/hex"
	"regexp"
)

// Objects that a restore creates beside a site, and old objects that it renamed, have
// names that cannot be confused with part of a site:
//
//	vault_new_<site>_<run>_<table>  a table being loaded
//	vault_new_<site>_<run>$<n>      its indexes, sequences and types
//	vault_old_<site>_<run>$<n>      replaced objects, until they are dropped
//
// <site> is derived from the site's prefix.
var scratch = regexp.MustCompile(`^vault_(new|old)_[0-9a-f]{8}_`)

// IsScratch reports whether a name is that of an object created beside a site or of a
// renamed old one.
func IsScratch(name string) bool { return scratch.MatchString(name) }

// Scratch returns the name prefixes of objects that restores of this site create
// beside it, and of old objects that they renamed.
func (s Site) Scratch() (made, old string) {
	sum := sha256.Sum256([]byte(s.Prefix))
	id := hex.EncodeToString(sum[:4]) + "_"
	return "vault_new_" + id, "vault_old_" + id
}

// Full returns the full name of a table of the site. Names beside a site may be too
// long for the server; they end with a checksum instead of being truncated.
func (s Site) Full(table string) string {
	name := s.Prefix + table
	if len(name) <= maxName || !IsScratch(name) {
		return name
	}
	sum := sha256.Sum256([]byte(table))
	end := "~" + hex.EncodeToString(sum[:6])
	return cut(name, maxName-len(end)) + end
}
