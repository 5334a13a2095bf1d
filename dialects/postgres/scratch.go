package postgres

import (
	"crypto/sha256"
	"encoding/hex"
	"regexp"
)

// What a restore makes beside a site, and what it has put out of the way, have
// names of their own, so that nobody takes them for a part of any site:
//
//	vault_new_<site>_<run>_<table>  a table that is loaded
//	vault_new_<site>_<run>$<n>      what belongs to it: indexes, sequences, types
//	vault_old_<site>_<run>$<n>      what was replaced, until it is dropped
//
// <site> is made from the site's prefix.
var scratch = regexp.MustCompile(`^vault_(new|old)_[0-9a-f]{8}_`)

// IsScratch reports whether an object with this name is what a restore makes
// beside a site or has put out of the way.
func IsScratch(name string) bool { return scratch.MatchString(name) }

// Scratch returns the prefixes of the names of what restores of this site make
// beside it, and of what they have put out of the way.
func (s Site) Scratch() (made, old string) {
	sum := sha256.Sum256([]byte(s.Prefix))
	id := hex.EncodeToString(sum[:4]) + "_"
	return "vault_new_" + id, "vault_old_" + id
}

// Full returns the whole name of a table of the site. The server would cut one that
// is too long, which only tables that are made beside a site have: it ends with a
// checksum instead.
func (s Site) Full(table string) string {
	name := s.Prefix + table
	if len(name) <= maxName || !IsScratch(name) {
		return name
	}
	sum := sha256.Sum256([]byte(table))
	end := "~" + hex.EncodeToString(sum[:6])
	return cut(name, maxName-len(end)) + end
}
