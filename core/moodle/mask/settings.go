package mask

import (
	"slices"
	"strings"

	"github.com/lmsvault/vault/core/config"
)

// Settings say what to mask. Stages embed it.
type Settings struct {
	Key  config.Secret `key:"key" required:"true" help:"secret key of the masks, at least 16 characters; whoever has it can test whether a mask belongs to a value" example:"${file:/etc/vault/mask-key}"`
	Keep []string      `key:"keep" default:"guest admin" help:"usernames of users who are not masked, with their passwords, so that somebody can log in"`

	Names        bool `key:"names" default:"true" help:"mask names of users"`
	Accounts     bool `key:"accounts" default:"true" help:"mask usernames and ID numbers of users"`
	Emails       bool `key:"emails" default:"true" help:"mask e-mail addresses, in all tables"`
	Phones       bool `key:"phones" default:"true" help:"mask phone numbers"`
	Addresses    bool `key:"addresses" default:"true" help:"mask institution, department, address and city"`
	IPs          bool `key:"ips" default:"true" help:"mask IP addresses, in all tables"`
	Descriptions bool `key:"descriptions" default:"true" help:"mask what users say about themselves"`
	Profiles     bool `key:"profiles" default:"true" help:"mask the values of profile fields"`
	Secrets      bool `key:"secrets" default:"true" help:"drop sessions, tokens and devices, and replace hashes of passwords by one that no password fits"`
	Pictures     bool `key:"pictures" default:"true" help:"drop the pictures of users"`

	Columns map[string]string `key:"columns" help:"more text columns, as table.column without the prefix, and what they hold: auto, text, given, family, fullname, account, email, phone or ip" example:"{local_crm_person.mobile: phone, local_crm_person.notes: text}"`
}

// leastKey is the number of bytes of the shortest key.
const leastKey = 16

// Validate checks the settings.
func (s *Settings) Validate() error {
	if len(s.Key.Reveal()) < leastKey {
		return config.At("key", "key must have at least %d characters; with a short one, masks can be tested against a list of names", leastKey)
	}
	for name, kind := range s.Columns {
		table, column, ok := strings.Cut(name, ".")
		if !ok || table == "" || column == "" {
			return config.At("columns", "a key of columns is not of the form table.column")
		}
		if !slices.Contains(kinds, Kind(kind)) {
			return config.At("columns", "a column must be auto, text, given, family, fullname, account, email, phone or ip")
		}
	}
	return nil
}
