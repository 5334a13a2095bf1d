package mask

import "unicode"

// frequent are scripts to try first.
var frequent = []string{"Latin", "Cyrillic", "Han", "Arabic", "Greek", "Hiragana", "Katakana", "Hangul", "Hebrew", "Devanagari", "Thai"}

// scriptOf returns the script of the first letter; nil if there is none.
func scriptOf(value string) (string, *unicode.RangeTable) {
	for _, r := range value {
		if !unicode.IsLetter(r) {
			continue
		}
		for _, name := range frequent {
			if unicode.Is(unicode.Scripts[name], r) {
				return name, unicode.Scripts[name]
			}
		}
		for name, table := range unicode.Scripts {
			if name != "Common" && name != "Inherited" && unicode.Is(table, r) {
				return name, table
			}
		}
	}
	return "", nil
}
