package restore

import (
	"strings"

	"github.com/lmsvault/vault/core/moodle"
)

// same reports whether the target is the site that the backup was made of, and if not, why.
func (t *target) same(facts map[string]string) (why string, ok bool) {
	comes, address := moodle.SiteOf(facts), strings.TrimRight(facts[moodle.AddressFact], "/")
	switch {
	case t.Site.ID == "":
		return "the target has tables, but it is unknown which site they belong to", false
	case comes.ID == "":
		return "it is unknown which site the backup was made of", false
	case t.Site.ID != comes.ID:
		return "the target is another site than that of the backup: the site identifiers differ", false
	case address != "" && t.WWWRoot != "" && address != t.WWWRoot:
		return "the target has another address than the site of the backup", false
	}
	return "", true
}

// names returns what replace_site may be to name the target.
func (t *target) names() []string {
	var names []string
	for _, name := range []string{t.WWWRoot, t.Site.ID} {
		if name != "" {
			names = append(names, name)
		}
	}
	if names == nil {
		names = append(names, t.Place)
	}
	return names
}
