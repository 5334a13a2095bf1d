package mask

import (
	"net/netip"
	"strings"
)

// Kind is the kind of a value, which decides what its mask looks like.
type Kind string

// The kinds.
const (
	Auto     Kind = "auto"     // an e-mail address, an IP address, or a text, as the value looks
	Text     Kind = "text"     // letters and digits are replaced, other characters stay; HTML tags are removed
	Given    Kind = "given"    // a first name
	Family   Kind = "family"   // a last name
	FullName Kind = "fullname" // first and last name
	Account  Kind = "account"  // a username or another unique name
	Email    Kind = "email"
	Phone    Kind = "phone"
	IP       Kind = "ip"
	secret   Kind = "secret"   // is emptied
	password Kind = "password" // hash of a password
	picture  Kind = "picture"  // number of a picture: 0
	event    Kind = "event"    // JSON or serialized PHP with usernames and e-mail addresses
)

// kinds lists the kinds that settings may name.
var kinds = []Kind{Auto, Text, Given, Family, FullName, Account, Email, Phone, IP}

// notCached is what Moodle keeps instead of a hash for users whose password it does not
// know; no password fits it.
const notCached = "not cached"

// leastUnique is the number of characters that a unique mask needs.
const leastUnique = 32

// least returns the number of characters that a column must hold.
func (k Kind) least() int {
	switch k {
	case Account, Email:
		return leastUnique
	case password:
		return len(notCached)
	}
	return 1
}

// mask returns the mask of a value that is not NULL, of at most length characters; 0 for
// no limit.
func (m *masker) mask(k Kind, value string, length int) string {
	if strings.TrimSpace(value) == "" {
		return value
	}
	switch k {
	case Auto:
		switch {
		case len(value) == 1:
			return value // a switch, as in a profile field that is a checkbox
		case isEmail(value):
			return m.email(value)
		case isIP(value):
			return m.ip(value, length)
		}
		return m.text(value)
	case Given:
		return cut(m.name(value, given), length)
	case Family:
		return cut(m.name(value, family), length)
	case FullName:
		return cut(m.fullName(value), length)
	case Account:
		if isEmail(value) {
			return m.email(value)
		}
		return m.account(value)
	case Email:
		return m.email(value)
	case IP:
		return m.ip(value, length)
	case secret:
		return ""
	case password:
		return notCached
	case picture:
		return "0"
	case event:
		return m.event(value)
	}
	return m.text(value)
}

// cut shortens a text to length characters.
func cut(text string, length int) string {
	if runes := []rune(text); length > 0 && len(runes) > length {
		return string(runes[:length])
	}
	return text
}

func isEmail(value string) bool {
	name, host, ok := strings.Cut(value, "@")
	return ok && name != "" && host != "" && !strings.ContainsAny(value, "<> \t\r\n\"") && !strings.Contains(host, "@")
}

func isIP(value string) bool {
	if !strings.ContainsAny(value, ".:") || len(value) > 45 {
		return false
	}
	_, err := netip.ParseAddr(value)
	return err == nil
}
