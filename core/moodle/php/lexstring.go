package php

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// singleQuoted reads a string in which only \\ and \' are escapes.
func (l *lexer) singleQuoted() error {
	rest := l.rest()
	var b strings.Builder
	for n := 1; n < len(rest); n++ {
		switch c := rest[n]; {
		case c == '\\' && n+1 < len(rest) && (rest[n+1] == '\\' || rest[n+1] == '\''):
			n++
			b.WriteByte(rest[n])
		case c == '\'':
			l.add(tokString, b.String())
			l.skip(n + 1)
			return nil
		default:
			b.WriteByte(c)
		}
	}
	return l.fail("a string that begins with ' does not end")
}

func (l *lexer) doubleQuoted() error {
	line := l.line
	l.skip(1)
	parts, err := l.template('"')
	if err != nil {
		return err
	}
	if l.at >= len(l.src) {
		l.line = line
		return l.fail(`a string that begins with " does not end`)
	}
	l.skip(1)
	l.addTemplate(line, parts)
	return nil
}

// addTemplate adds a string with or without variables.
func (l *lexer) addTemplate(line int, parts []part) {
	t := token{kind: tokTemplate, line: line, parts: parts}
	if len(parts) == 0 {
		t = token{kind: tokString, line: line}
	} else if len(parts) == 1 && parts[0].tokens == nil {
		t = token{kind: tokString, line: line, text: parts[0].text}
	}
	l.tokens = append(l.tokens, t)
}

// template reads a string with escapes and variables up to a quote, which it does not
// read, or up to the end if quote is 0.
func (l *lexer) template(quote byte) (parts []part, err error) {
	var b strings.Builder
	flush := func() {
		if b.Len() > 0 {
			parts = append(parts, part{text: b.String()})
			b.Reset()
		}
	}
	for l.at < len(l.src) {
		rest := l.rest()
		switch c := rest[0]; {
		case c == quote && quote != 0:
			flush()
			return parts, nil
		case c == '\\':
			l.skip(escape(&b, rest, quote))
		case c == '$' && len(rest) > 1 && nameStart(rest[1]):
			flush()
			parts = append(parts, part{tokens: l.simpleVariable()})
		case strings.HasPrefix(rest, "{$"), strings.HasPrefix(rest, "${"):
			flush()
			tokens, err := l.expression()
			if err != nil {
				return nil, err
			}
			parts = append(parts, part{tokens: tokens})
		default:
			b.WriteByte(c)
			l.skip(1)
		}
	}
	flush()
	return parts, nil
}

// simpleVariable reads $name, $name[key] or $name->property in a string.
func (l *lexer) simpleVariable() []token {
	rest := l.rest()
	name := nameOf(rest[1:])
	tokens := []token{{kind: tokVariable, text: name, line: l.line}}
	operator := func(text string) { tokens = append(tokens, token{kind: tokOperator, text: text, line: l.line}) }
	n := 1 + len(name)
	switch after := rest[n:]; {
	case strings.HasPrefix(after, "->") && len(after) > 2 && nameStart(after[2]):
		property := nameOf(after[2:])
		operator("->")
		tokens = append(tokens, token{kind: tokName, text: property, line: l.line})
		n += 2 + len(property)
	case strings.HasPrefix(after, "["):
		end := strings.IndexByte(after[:min(len(after), 256)], ']')
		if end < 0 {
			break
		}
		key := after[1:end]
		t := token{kind: tokString, text: key, line: l.line}
		if strings.HasPrefix(key, "$") && nameOf(key[1:]) == key[1:] && len(key) > 1 {
			t = token{kind: tokVariable, text: key[1:], line: l.line}
		} else if nameOf(key) != key && strings.Trim(key, "-0123456789") != "" || key == "" {
			break // not a valid key in PHP: leave it as text
		}
		operator("[")
		tokens = append(tokens, t)
		operator("]")
		n += 1 + end
	}
	l.skip(n)
	return append(tokens, token{kind: tokEnd, line: l.line})
}

// expression reads {$…} or ${…} in a string.
func (l *lexer) expression() ([]token, error) {
	if l.depth++; l.depth > 10 {
		return nil, l.fail("strings are nested too deeply")
	}
	defer func() { l.depth-- }()
	outer := l.tokens
	defer func() { l.tokens = outer }()
	l.tokens = nil
	if strings.HasPrefix(l.rest(), "${") {
		l.skip(2)
		name := nameOf(l.rest())
		if name == "" {
			return nil, l.fail("a variable in a string has a name that is not written there")
		}
		l.add(tokVariable, name)
		l.skip(len(name))
	} else {
		l.skip(1)
	}
	for open := 0; l.at < len(l.src); {
		switch l.rest()[0] {
		case '{':
			open++
		case '}':
			if open == 0 {
				l.skip(1)
				l.add(tokEnd, "")
				return l.tokens, nil
			}
			open--
		}
		if err := l.next(); err != nil {
			return nil, err
		}
	}
	return nil, l.fail("an expression in a string does not end")
}

// escape writes the value of the escape at the beginning of text and returns the
// length of the escape.
func escape(b *strings.Builder, text string, quote byte) int {
	if len(text) < 2 {
		b.WriteByte('\\')
		return 1
	}
	c := text[1]
	if k := strings.IndexByte(`ntrvef\$`, c); k >= 0 {
		b.WriteByte("\n\t\r\v\x1b\f\\$"[k])
		return 2
	}
	switch {
	case c == quote && quote != 0:
		b.WriteByte(c)
		return 2
	case c == 'x':
		n := digits(text[2:], 16, 2)
		if v, err := strconv.ParseUint(text[2:2+n], 16, 8); err == nil {
			b.WriteByte(byte(v))
			return 2 + n
		}
	case c >= '0' && c <= '7':
		n := digits(text[1:], 8, 3)
		if v, err := strconv.ParseUint(text[1:1+n], 8, 16); err == nil {
			b.WriteByte(byte(v))
			return 1 + n
		}
	case strings.HasPrefix(text, `\u{`):
		end := strings.IndexByte(text[:min(len(text), 12)], '}')
		if end > 0 {
			if v, err := strconv.ParseUint(text[3:end], 16, 32); err == nil && v <= utf8.MaxRune {
				b.WriteRune(rune(v))
				return end + 1
			}
		}
	}
	b.WriteByte('\\')
	return 1
}

// digits counts the digits of a base at the beginning of text, up to most.
func digits(text string, base, most int) int {
	n := 0
	for n < len(text) && n < most {
		if _, err := strconv.ParseUint(text[n:n+1], base, 8); err != nil {
			break
		}
		n++
	}
	return n
}

// heredoc reads <<<NAME … NAME. If NAME is in single quotes, the text has no escapes
// or variables.
func (l *lexer) heredoc() error {
	line := l.line
	rest := l.rest()
	head := rest[3:]
	head = strings.TrimLeft(head, " \t")
	quote := byte(0)
	if head != "" && (head[0] == '\'' || head[0] == '"') {
		quote = head[0]
		head = head[1:]
	}
	label := nameOf(head)
	if label == "" {
		l.operator() // a shift
		return nil
	}
	head = head[len(label):]
	if quote != 0 {
		if !strings.HasPrefix(head, string(quote)) {
			return l.fail("the name after <<< has one quote only")
		}
		head = head[1:]
	}
	head = strings.TrimPrefix(head, "\r")
	if !strings.HasPrefix(head, "\n") {
		return l.fail("after <<< and the name the line must end")
	}
	l.skip(len(rest) - len(head) + 1)
	body, indent, length, ok := hereBody(l.rest(), label)
	if !ok {
		return l.fail("a text that begins with <<<%s does not end", label)
	}
	inner := &lexer{file: l.file, src: unindent(body, indent), line: l.line, depth: l.depth + 1}
	l.skip(length)
	if quote == '\'' {
		l.tokens = append(l.tokens, token{kind: tokString, text: inner.src, line: line})
		return nil
	}
	if inner.depth > 10 {
		return l.fail("strings are nested too deeply")
	}
	parts, err := inner.template(0)
	if err != nil {
		return err
	}
	l.addTemplate(line, parts)
	return nil
}

// hereBody finds the end of a heredoc. It returns its text, its indentation, and the
// length with the closing name.
func hereBody(text, label string) (body string, indent, length int, ok bool) {
	for from := 0; from <= len(text); {
		lineEnd := len(text)
		if k := strings.IndexByte(text[from:], '\n'); k >= 0 {
			lineEnd = from + k
		}
		line := text[from:lineEnd]
		trimmed := strings.TrimLeft(line, " \t")
		if nameOf(trimmed) == label {
			body = strings.TrimSuffix(strings.TrimSuffix(text[:from], "\n"), "\r")
			indent = len(line) - len(trimmed)
			return body, indent, from + indent + len(label), true
		}
		from = lineEnd + 1
	}
	return "", 0, 0, false
}

// unindent removes up to n spaces or tabs from the beginning of every line.
func unindent(text string, n int) string {
	if n == 0 {
		return text
	}
	lines := strings.Split(text, "\n")
	for k, line := range lines {
		cut := 0
		for cut < n && cut < len(line) && (line[cut] == ' ' || line[cut] == '\t') {
			cut++
		}
		lines[k] = line[cut:]
	}
	return strings.Join(lines, "\n")
}
