package address

import (
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// jsonStrings returns the bounds of the contents of all strings in s, if it is a JSON
// document.
func jsonStrings(s string) (bounds [][2]int, ok bool) {
	start := strings.TrimLeft(s, " \t\r\n")
	if start == "" || strings.IndexByte(`{["`, start[0]) < 0 || !json.Valid([]byte(s)) {
		return nil, false
	}
	for i := 0; i < len(s); i++ {
		if s[i] != '"' {
			continue
		}
		from := i + 1
		for i = from; s[i] != '"'; i++ {
			if s[i] == '\\' {
				i++
			}
		}
		bounds = append(bounds, [2]int{from, i})
	}
	return bounds, true
}

// json returns the changes of a JSON document with strings.
func (r *Replacer) json(s string, strs [][2]int, depth int) ([]change, error) {
	var all []change
	for _, b := range strs {
		raw := s[b[0]:b[1]]
		if !r.may(raw) {
			continue
		}
		text, at := unescape(raw)
		changes, err := r.scan(text, depth+1)
		if err != nil {
			return nil, err
		}
		for _, c := range changes {
			from, to := at[c.from], at[c.to]
			slash := slashOf(s, raw, text, at, c)
			if escape(text[c.from:c.to], slash) != raw[from:to] {
				return nil, errors.New("the address in JSON is written with unusual escapes")
			}
			all = append(all, change{b[0] + from, b[0] + to, escape(c.text, slash)})
		}
	}
	return all, nil
}

// unescape returns the text of a JSON string, and for each byte of it, and its end, where
// it begins in raw.
func unescape(raw string) (string, []int) {
	text := make([]byte, 0, len(raw))
	at := make([]int, 0, len(raw)+1)
	add := func(from int, bytes ...byte) {
		for range bytes {
			at = append(at, from)
		}
		text = append(text, bytes...)
	}
	for i := 0; i < len(raw); {
		from := i
		if raw[i] != '\\' {
			add(from, raw[i])
			i++
			continue
		}
		i += 2
		switch c := raw[from+1]; c {
		case 'n':
			add(from, '\n')
		case 'r':
			add(from, '\r')
		case 't':
			add(from, '\t')
		case 'b':
			add(from, '\b')
		case 'f':
			add(from, '\f')
		case 'u':
			unit := hex4(raw[i:])
			i += 4
			if utf16.IsSurrogate(unit) {
				other := rune(-1)
				if strings.HasPrefix(raw[i:], `\u`) {
					other = hex4(raw[i+2:])
				}
				if unit = utf16.DecodeRune(unit, other); unit != utf8.RuneError {
					i += 6
				}
			}
			add(from, utf8.AppendRune(nil, unit)...)
		default:
			add(from, c)
		}
	}
	return string(text), append(at, len(raw))
}

// hex4 reads four hex digits, which are there.
func hex4(s string) rune {
	n, err := strconv.ParseUint(s[:min(4, len(s))], 16, 32)
	if err != nil {
		return utf8.RuneError
	}
	return rune(n)
}

// slashOf returns how the JSON document s writes slashes: in the bytes that c changes, else
// anywhere, else as PHP does.
func slashOf(s, raw, text string, at []int, c change) string {
	if i := strings.IndexByte(text[c.from:c.to], '/'); i >= 0 {
		i += c.from
		return raw[at[i]:at[i+1]]
	}
	if strings.Contains(s, `\/`) || !strings.Contains(s, "/") {
		return `\/`
	}
	return "/"
}

// escape returns a text, which has only printable ASCII characters, as part of a JSON
// string.
func escape(text, slash string) string {
	return strings.NewReplacer(`\`, `\\`, `"`, `\"`, "/", slash).Replace(text)
}
