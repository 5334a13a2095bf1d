package component

import (
	"strings"
)

// tokenKind is a class of PHP tokens.
type tokenKind int

const (
	tokenEnd      tokenKind = iota
	tokenVariable           // $name; text is name
	tokenName               // an identifier, a keyword or a constant
	tokenNumber
	tokenString // text is the value
	tokenOpaque // a string with variables in it
	tokenSymbol
)

type token struct {
	kind tokenKind
	text string
	line int
}

func (t token) is(symbol string) bool { return t.kind == tokenSymbol && t.text == symbol }

// word reports whether t is a keyword or a function, in any case.
func (t token) word(name string) bool { return t.kind == tokenName && strings.EqualFold(t.text, name) }

// maxTokens bounds the memory that a PHP file takes.
const maxTokens = 1 << 20

// scanner splits a PHP file into tokens. It never fails: what it doesn't know is a symbol.
type scanner struct {
	src  string
	at   int
	line int
}

// tokens returns the tokens of a PHP file, without comments and text outside PHP.
func tokens(src string) []token {
	s := &scanner{src: src, line: 1}
	var all []token
	s.html()
	for len(all) < maxTokens {
		t := s.next()
		if t.kind == tokenEnd {
			break
		}
		all = append(all, t)
	}
	return all
}

func (s *scanner) rest() string { return s.src[s.at:] }

func (s *scanner) skip(n int) string {
	text := s.src[s.at : s.at+n]
	s.at += n
	s.line += strings.Count(text, "\n")
	return text
}

// html skips to the next opening tag.
func (s *scanner) html() {
	for _, tag := range []string{"<?php", "<?=", "<?"} {
		if i := strings.Index(s.rest(), tag); i >= 0 {
			s.skip(i + len(tag))
			return
		}
	}
	s.skip(len(s.rest()))
}

func isSpace(c byte) bool {
	return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f' || c == '\v'
}
func isDigit(c byte) bool { return '0' <= c && c <= '9' }
func isNameStart(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '_' || c >= 0x80
}

func (s *scanner) blank() {
	for {
		rest := s.rest()
		switch {
		case rest == "":
			return
		case isSpace(rest[0]):
			s.skip(1)
		case strings.HasPrefix(rest, "/*"):
			n := strings.Index(rest[2:], "*/")
			if n < 0 {
				n = len(rest) - 4
			}
			s.skip(n + 4)
		case strings.HasPrefix(rest, "//"), rest[0] == '#' && !strings.HasPrefix(rest, "#["):
			n := strings.IndexAny(rest, "\r\n")
			if n < 0 {
				n = len(rest)
			}
			if tag := strings.Index(rest[:n], "?>"); tag >= 0 {
				n = tag
			}
			s.skip(n)
		default:
			return
		}
	}
}

var symbols = []string{"<=>", "===", "!==", "...", "??=", "**=", "<<=", ">>=", "?->", "->", "=>", "::", "??", "&&", "||", "==", "!=", "<=", ">=", "+=", "-=", "*=", "/=", ".=", "++", "--", "**"}

func (s *scanner) next() token {
	s.blank()
	rest, line := s.rest(), s.line
	if rest == "" {
		return token{tokenEnd, "", line}
	}
	switch c := rest[0]; {
	case strings.HasPrefix(rest, "?>"):
		s.skip(2)
		s.html()
		return token{tokenSymbol, ";", line}
	case c == '$' && len(rest) > 1 && isNameStart(rest[1]):
		return token{tokenVariable, s.skip(1 + nameLength(rest[1:]))[1:], line}
	case isNameStart(c) || c == '\\':
		return token{tokenName, s.skip(nameLength(rest)), line}
	case isDigit(c) || c == '.' && len(rest) > 1 && isDigit(rest[1]):
		return token{tokenNumber, s.skip(numberLength(rest)), line}
	case c == '\'' || c == '"':
		return s.quoted(c)
	case strings.HasPrefix(rest, "<<<"):
		return s.heredoc()
	}
	for _, symbol := range symbols {
		if strings.HasPrefix(rest, symbol) {
			return token{tokenSymbol, s.skip(len(symbol)), line}
		}
	}
	return token{tokenSymbol, s.skip(1), line}
}

func nameLength(s string) int {
	n := 1
	for n < len(s) && (isNameStart(s[n]) || isDigit(s[n]) || s[n] == '\\') {
		n++
	}
	return n
}

func numberLength(s string) int {
	n := 1
	for n < len(s) {
		c := s[n]
		sign := (c == '+' || c == '-') && (s[n-1] == 'e' || s[n-1] == 'E') && !strings.HasPrefix(s, "0x") && !strings.HasPrefix(s, "0X")
		if !isDigit(c) && !isNameStart(c) && c != '.' && !sign {
			break
		}
		n++
	}
	return n
}

// quoted reads a string in quotes. One that isn't closed ends with the file.
func (s *scanner) quoted(quote byte) token {
	line, rest := s.line, s.rest()
	end := 1
	for end < len(rest) && rest[end] != quote {
		if rest[end] == '\\' {
			end++
		}
		end++
	}
	if end >= len(rest) {
		s.skip(len(rest))
		return token{tokenOpaque, "", line}
	}
	body := s.skip(end + 1)[1:end]
	if quote == '\'' {
		return token{tokenString, strings.NewReplacer(`\\`, `\`, `\'`, `'`).Replace(body), line}
	}
	return double(body, line)
}

// double reads the inside of a string in double quotes, without the rarer escapes.
func double(body string, line int) token {
	if strings.Contains(strings.NewReplacer(`\\`, "", `\$`, "").Replace(body), "$") {
		return token{tokenOpaque, "", line}
	}
	plain := strings.NewReplacer(`\\`, `\`, `\"`, `"`, `\$`, `$`, `\n`, "\n", `\t`, "\t", `\r`, "\r")
	if left := strings.NewReplacer(`\\`, "", `\"`, "", `\$`, "", `\n`, "", `\t`, "", `\r`, "").Replace(body); strings.Contains(left, `\`) {
		return token{tokenOpaque, "", line}
	}
	return token{tokenString, plain.Replace(body), line}
}

// heredoc skips a heredoc or nowdoc: no version is written in one.
func (s *scanner) heredoc() token {
	line, rest := s.line, s.rest()
	label := strings.Trim(strings.TrimSpace(rest[3:]), `'"`)
	if label == "" || !isNameStart(label[0]) {
		return token{tokenSymbol, s.skip(1), line}
	}
	label = label[:nameLength(label)]
	first, body, _ := strings.Cut(rest, "\n")
	n := len(first) + 1
	for body != "" {
		text, more, _ := strings.Cut(body, "\n")
		trimmed := strings.TrimLeft(text, " \t")
		if after, ok := strings.CutPrefix(trimmed, label); ok && (after == "" || !isNameStart(after[0]) && !isDigit(after[0])) {
			s.skip(n + len(text) - len(after))
			return token{tokenOpaque, "", line}
		}
		n += len(text) + 1
		body = more
	}
	s.skip(len(rest))
	return token{tokenOpaque, "", line}
}
