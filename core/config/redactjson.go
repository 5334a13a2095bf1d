package config

import (
	"bytes"
	"encoding/json"
)

// JSON returns JSON documents with the values replaced. It changes strings but not the
// names of members, so each document remains valid.
func (r *Redactor) JSON(text []byte) []byte {
	var out bytes.Buffer
	for len(text) > 0 {
		begin := bytes.IndexByte(text, '"')
		if begin < 0 {
			break
		}
		out.Write(text[:begin])
		text = text[begin:]
		end := endOfString(text)
		literal := text[:end]
		text = text[end:]
		if !bytes.HasPrefix(bytes.TrimLeft(text, " \t\r\n"), []byte(":")) {
			literal = r.literal(literal)
		}
		out.Write(literal)
	}
	out.Write(text)
	return out.Bytes()
}

// literal redacts a JSON string.
func (r *Redactor) literal(text []byte) []byte {
	var value string
	if err := json.Unmarshal(text, &value); err != nil {
		return []byte(r.Redact(string(text))) // not a JSON string: no syntax to preserve
	}
	hidden := r.Redact(value)
	if hidden == value {
		return text
	}
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	if err := e.Encode(hidden); err != nil {
		return []byte(`"` + redacted + `"`)
	}
	return bytes.TrimSpace(out.Bytes())
}

// endOfString returns the length of the JSON string at the beginning of text.
func endOfString(text []byte) int {
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(text)
}
