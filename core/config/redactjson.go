package config

import (
	"bytes"
	"encoding/json"
)

// JSON returns JSON documents without the values: what it changes are texts,
// not the names of members, so that each document stays one that can be read.
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

// literal redacts a string of JSON.
func (r *Redactor) literal(text []byte) []byte {
	var value string
	if err := json.Unmarshal(text, &value); err != nil {
		return []byte(r.Redact(string(text))) // no JSON: there is nothing to keep whole
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

// endOfString is the length of the string of JSON that text begins with.
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
