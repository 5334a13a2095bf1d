package php

import (
	"fmt"
	"strings"
)

// lexer splits a file into tokens. It skips comments and white space, and ?> becomes
// a semicolon, as in PHP.
type lexer struct {
	file   string
	src    string
	at     int
	line   int
	depth  int // of strings within expressions within strings
	tokens []token
}

// maxNesting is the maximum depth of nested expressions, blocks and strings.
const maxNesting = 200

// operators lists the operators, longest first.
var operators = []string{
	"<<<=", "**=", "...", "<=>", "===", "!==", "<<=", ">>=", "??=", "?->",
	"++", "--", "->", "=>", "::", "==", "!=", "<>", "<=", ">=", "&&", "||", "??", "**", "<<", ">>",
	"+=", "-=", "*=", "/=", ".=", "%=", "&=", "|=", "^=",
}

func lex(file, src string) ([]token, error) {
	l := &lexer{file: file, src: src, line: 1}
	l.html()
	for l.at < len(l.src) {
		from, n := l.at, len(l.tokens)
		if err := l.next(); err != nil {
			return nil, err
		}
		for i := range l.tokens[n:] {
			l.tokens[n+i].from, l.tokens[n+i].to = from, l.at
		}
	}
	l.add(tokEnd, "")
	return l.tokens, nil
}

func (l *lexer) add(kind tokenKind, text string) {
	l.tokens = append(l.tokens, token{kind: kind, text: text, line: l.line})
}

func (l *lexer) fail(format string, args ...any) error {
	return &SyntaxError{Pos{l.file, l.line}, fmt.Sprintf(format, args...)}
}

// rest returns the text that has not been read.
func (l *lexer) rest() string { return l.src[l.at:] }

// skip skips n bytes and counts their lines.
func (l *lexer) skip(n int) {
	l.line += strings.Count(l.src[l.at:l.at+n], "\n")
	l.at += n
}

// html reads text up to the next opening tag.
func (l *lexer) html() {
	for from := l.at; ; from += 2 {
		k := strings.Index(l.src[from:], "<?")
		if k < 0 {
			break
		}
		from += k
		tag, echo := "<?", false
		switch rest := l.src[from:]; {
		case len(rest) >= 5 && strings.EqualFold(rest[:5], "<?php"):
			tag = rest[:5]
		case strings.HasPrefix(rest, "<?="):
			tag, echo = "<?=", true
		case strings.HasPrefix(rest, "<?xml"):
			continue
		}
		l.text(l.src[l.at:from])
		l.skip(from + len(tag) - l.at)
		if echo {
			l.add(tokName, "echo")
		}
		return
	}
	l.text(l.rest())
	l.skip(len(l.rest()))
}

func (l *lexer) text(text string) {
	if text != "" {
		l.add(tokHTML, "")
	}
}

// next reads a token, or the space or comment between two.
func (l *lexer) next() error {
	rest := l.rest()
	switch c := rest[0]; {
	case c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\v' || c == '\f' || c == 0:
		l.skip(1)
	case strings.HasPrefix(rest, "?>"):
		l.add(tokOperator, ";")
		l.skip(2)
		if strings.HasPrefix(l.rest(), "\r\n") {
			l.skip(2)
		} else if strings.HasPrefix(l.rest(), "\n") {
			l.skip(1)
		}
		l.html()
	case c == '#' && !strings.HasPrefix(rest, "#[") || strings.HasPrefix(rest, "//"):
		l.lineComment()
	case strings.HasPrefix(rest, "/*"):
		end := strings.Index(rest[2:], "*/")
		if end < 0 {
			return l.fail("a comment that begins with /* does not end")
		}
		l.skip(end + 4)
	case c == '$' && len(rest) > 1 && nameStart(rest[1]):
		name := nameOf(rest[1:])
		l.add(tokVariable, name)
		l.skip(1 + len(name))
	case nameStart(c) || c == '\\' && len(rest) > 1 && nameStart(rest[1]):
		l.name()
	case digit(c) || c == '.' && len(rest) > 1 && digit(rest[1]):
		n := numberLength(rest)
		l.add(tokNumber, rest[:n])
		l.skip(n)
	case c == '\'':
		return l.singleQuoted()
	case c == '"':
		return l.doubleQuoted()
	case c == '`':
		return l.fail("a command in backquotes is never run")
	case strings.HasPrefix(rest, "<<<"):
		return l.heredoc()
	default:
		l.operator()
	}
	return nil
}

// lineComment skips a comment that ends with its line, or with ?>.
func (l *lexer) lineComment() {
	rest := l.rest()
	end := strings.IndexAny(rest, "\r\n")
	if end < 0 {
		end = len(rest)
	}
	if tag := strings.Index(rest[:end], "?>"); tag >= 0 {
		end = tag
	}
	l.skip(end)
}

// name reads a name, with its namespace if it has one.
func (l *lexer) name() {
	rest, n := l.rest(), 0
	for n < len(rest) {
		if rest[n] == '\\' && n+1 < len(rest) && nameStart(rest[n+1]) {
			n++
		}
		part := nameOf(rest[n:])
		if part == "" {
			break
		}
		n += len(part)
	}
	l.add(tokName, rest[:n])
	l.skip(n)
}

func (l *lexer) operator() {
	rest := l.rest()
	for _, op := range operators {
		if strings.HasPrefix(rest, op) {
			l.add(tokOperator, op)
			l.skip(len(op))
			return
		}
	}
	l.add(tokOperator, rest[:1])
	l.skip(1)
}

func nameStart(c byte) bool {
	return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}

func digit(c byte) bool { return c >= '0' && c <= '9' }

// nameOf returns the name at the beginning of text.
func nameOf(text string) string {
	n := 0
	for n < len(text) && (nameStart(text[n]) || n > 0 && digit(text[n])) {
		n++
	}
	return text[:n]
}

// numberLength returns the length of the number at the beginning of text.
func numberLength(text string) int {
	if len(text) > 1 && text[0] == '0' && strings.IndexByte("xXbBoO", text[1]) >= 0 {
		n := 2
		for n < len(text) && (digit(text[n]) || text[n] == '_' || text[n] >= 'a' && text[n] <= 'f' || text[n] >= 'A' && text[n] <= 'F') {
			n++
		}
		return n
	}
	digits := func(n int) int {
		for n < len(text) && (digit(text[n]) || text[n] == '_') {
			n++
		}
		return n
	}
	n := digits(0)
	if n < len(text) && text[n] == '.' && !strings.HasPrefix(text[n:], "...") {
		n = digits(n + 1)
	}
	if n < len(text) && (text[n] == 'e' || text[n] == 'E') {
		k := n + 1
		if k < len(text) && (text[k] == '+' || text[k] == '-') {
			k++
		}
		if k < len(text) && digit(text[k]) {
			n = digits(k)
		}
	}
	return n
}
