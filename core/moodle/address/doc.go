// Package address replaces the address of a site in the values of its database.
//
// A Replacer finds an address as Moodle and its plugins store it: as it is, without its
// scheme, in HTML, percent-encoded, and in JSON, PHP's serialize() and base64, also in each
// other. It changes nothing but the address and the lengths that depend on it. A value in
// which that can't be done safely is left, with the reason.
//
// New makes an Edit of all texts of a site, for transforms and for a live database.
package address

// Doc describes the replacement for users.
const Doc = `The address is replaced in every column of text of every table: as it is, without its scheme
(//moodle.example.org), in HTML, percent-encoded (http%3A%2F%2F), with escaped slashes (http:\/\/), and in JSON, values
of PHP's serialize() and base64, also in each other, as in the settings of blocks. Lengths in serialized values are
corrected; nothing else changes.

It is replaced only where it ends: http://moodle.example.org is neither part of http://moodle.example.org.uk nor of
http://moodle.example.org:8080. Upper and lower case differ. Texts that have the host name without slashes before
it, such as e-mail addresses, stay.`
