// Package address replaces the address of a site in the values of its database.
//
// A Replacer finds an address as Moodle and its plugins store it: as it is, without its
// scheme, in HTML, percent-encoded, and in JSON, PHP's serialize() and base64, also in each
// other. It changes nothing but the address and the lengths that depend on it. A value in
// which that can't be done safely is left, with the reason.
//
// New makes an Edit of all texts of a site, for transforms and for a live database.
package address
