package clone

import (
	"html"
	"strings"
	"unicode/utf8"
)

// What surrounds the banner in the setting additionalhtmltopofbody.
const (
	bannerBegin = "<!-- Vault: copy of a site -->"
	bannerEnd   = "<!-- /Vault -->"
)

// bannerRules shows on every page that the site is a copy.
func bannerRules(s *Config, _ *Options) ([]rule, error) {
	block := bannerBegin + `<div role="note" style="background:#b3261e;color:#fff;padding:.5em 1em;text-align:center;font-weight:bold">` +
		html.EscapeString(s.BannerText) + `</div>` + bannerEnd
	rules := []rule{changeSetting("additionalhtmltopofbody", func(text string) string { return block + withoutBanner(text) })}
	if s.NamePrefix != "" {
		rules = append(rules, rule{table: "course", where: []match{is("category", "0")}, set: []assignment{
			{column: "fullname", value: func(text string, length int) string { return prefixed(s.NamePrefix, text, length) }},
		}})
	}
	return rules, nil
}

// withoutBanner removes an earlier banner.
func withoutBanner(text string) string {
	before, rest, ok := strings.Cut(text, bannerBegin)
	if !ok {
		return text
	}
	if _, after, ok := strings.Cut(rest, bannerEnd); ok {
		return before + after
	}
	return text
}

// prefixed puts a prefix before a text once, cut to length characters.
func prefixed(prefix, text string, length int) string {
	if strings.HasPrefix(text, prefix) {
		return text
	}
	text = prefix + text
	if length > 0 && utf8.RuneCountInString(text) > length {
		text = string([]rune(text)[:length])
	}
	return text
}
