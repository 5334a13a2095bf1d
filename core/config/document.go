package config

import (
	"bytes"
	"errors"
	"io"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

var (
	yamlLine = regexp.MustCompile(`^(?:line (\d+): )?(.*)`)
	anchor   = regexp.MustCompile(`^unknown anchor '(.*)' referenced$`)
)

// Document parses the text of a file as one YAML document. Findings do not quote the
// text. The node is nil if a finding is an error or the file is empty.
func Document(file string, text []byte) (*yaml.Node, Findings) {
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	var doc, second yaml.Node
	err := decoder.Decode(&doc)
	if errors.Is(err, io.EOF) {
		return nil, nil
	}
	if err == nil {
		if err = decoder.Decode(&second); err == nil {
			at := Position{file, max(second.Line, 1), max(second.Column, 1)}
			return nil, Findings{{Position: at, Severity: Error, Message: "the file contains more than one YAML document", Suggestion: "use a file for each"}}
		}
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, Findings{notYAML(file, text, err)}
	}
	return doc.Content[0], nil
}

// notYAML explains an error of the YAML library, which may quote the text.
func notYAML(file string, text []byte, err error) Finding {
	f := Finding{Position: Position{file, 1, 1}, Severity: Error, Suggestion: "check indentation, colons and quotes there and in the line before"}
	m := yamlLine.FindStringSubmatch(strings.TrimPrefix(err.Error(), "yaml: "))
	if line, err := strconv.Atoi(m[1]); err == nil {
		f.Line = line
	}
	a := anchor.FindStringSubmatch(m[2])
	switch {
	case a != nil:
		f.Line, f.Column = whereOf(string(text), "*"+a[1])
		f.Message, f.Suggestion = `the value starts with "*", which YAML reads as an alias`, "quote it"
	case strings.HasPrefix(m[2], "could not find expected ':'"):
		f.Message, f.Suggestion = "invalid YAML: a line is not KEY: VALUE", "add a space after the colon, and check indentation and quotes there and in the line before"
	case strings.ContainsAny(m[2], "\"`") || strings.Contains(m[2], " '") && !strings.HasPrefix(m[2], "did not find expected"):
		f.Message = "invalid YAML"
	default:
		f.Message = "invalid YAML: " + m[2]
	}
	return f
}

// whereOf returns the line and column of a value that begins with word.
func whereOf(text, word string) (line, column int) {
	for i := 0; ; i += len(word) {
		next := strings.Index(text[i:], word)
		if next < 0 {
			return 1, 1
		}
		i += next
		before := text[strings.LastIndexByte(text[:i], '\n')+1 : i]
		if before == "" || strings.ContainsAny(before[len(before)-1:], " \t[{,") {
			return strings.Count(text[:i], "\n") + 1, len([]rune(before)) + 1
		}
	}
}
