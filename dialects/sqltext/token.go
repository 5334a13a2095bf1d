package sqltext

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Kind is the kind of a token.
type Kind int

// Kinds of tokens.
const (
	End        Kind = iota
	Word            // a keyword or unquoted name
	QuotedName      // a quoted name
	Text            // a string literal
	Number          // without a sign
	Symbol          // an operator or a parenthesis
)

// Token is one token of SQL.
type Token struct {
	Kind   Kind
	Text   string // the value of a name or literal, without quotes
	Raw    string // a literal as written, with its quotes
	Prefix string // prefix of a literal, in lower case: x, b, _utf8mb4
}

// Is reports whether the token is this keyword.
func (t Token) Is(keyword string) bool { return t.Kind == Word && strings.EqualFold(t.Text, keyword) }

// IsSymbol reports whether the token is this operator or parenthesis.
func (t Token) IsSymbol(s string) bool { return t.Kind == Symbol && t.Text == s }

// maxText is the maximum length of a text; no type, default or index needs more.
const maxText = 64 << 10

// Tokens splits text as the engine would, and rejects anything that cannot be part of
// one expression.
func (d *Dialect) Tokens(text string) ([]Token, error) {
	if len(text) > maxText {
		return nil, fmt.Errorf("longer than %d bytes", maxText)
	}
	if err := Value(text); err != nil {
		return nil, err
	}
	l := lexer{dialect: d, text: text}
	var list []Token
	for {
		t, err := l.next()
		if err != nil {
			return nil, err
		}
		if t.Kind == End {
			return list, nil
		}
		list = append(list, t)
	}
}

type lexer struct {
	dialect *Dialect
	text    string // remaining text
}

func (l *lexer) next() (Token, error) {
	l.text = strings.TrimLeft(l.text, " \t\r\n")
	if l.text == "" {
		return Token{}, nil
	}
	first, _ := utf8.DecodeRuneInString(l.text)
	switch {
	case first == '\'':
		return l.literal("")
	case strings.ContainsRune(l.dialect.Quotes, first):
		name, err := l.quoted(closing(l.text[0]), false)
		return Token{Kind: QuotedName, Text: name}, err
	case isDigit(first) || first == '.' && len(l.text) > 1 && isDigit(rune(l.text[1])):
		return l.number()
	case isLetter(first):
		word := l.text[:len(l.text)-len(strings.TrimLeftFunc(l.text, isInWord))]
		l.text = l.text[len(word):]
		if strings.HasPrefix(l.text, "'") {
			return l.literal(strings.ToLower(word))
		}
		return Token{Kind: Word, Text: word}, nil
	}
	return l.symbol()
}

func closing(quote byte) byte {
	if quote == '[' {
		return ']'
	}
	return quote
}

func isDigit(r rune) bool  { return r >= '0' && r <= '9' }
func isLetter(r rune) bool { return r == '_' || unicode.IsLetter(r) }
func isInWord(r rune) bool { return isLetter(r) || isDigit(r) || r == '$' }

func (l *lexer) literal(prefix string) (Token, error) {
	if prefix != "" && (l.dialect.Literal == nil || !l.dialect.Literal(prefix)) {
		return Token{}, fmt.Errorf("literals with the prefix %s are not allowed", prefix)
	}
	text := l.text
	value, err := l.quoted('\'', l.dialect.Backslash)
	return Token{Kind: Text, Text: value, Raw: text[:len(text)-len(l.text)], Prefix: prefix}, err
}

// quoted reads a quoted text in which a doubled closing quote stands for one. The
// value of a literal with backslashes keeps them.
func (l *lexer) quoted(end byte, backslash bool) (string, error) {
	var value strings.Builder
	for at := 1; at < len(l.text); at++ {
		c := l.text[at]
		switch {
		case c == '\\' && backslash:
			value.WriteByte(c)
			if at++; at == len(l.text) {
				continue
			}
			c = l.text[at]
		case c == end && end != ']' && at+1 < len(l.text) && l.text[at+1] == end:
			at++
		case c == end:
			l.text = l.text[at+1:]
			return value.String(), nil
		}
		value.WriteByte(c)
	}
	return "", fmt.Errorf("unterminated quote %c", l.text[0])
}

func (l *lexer) number() (Token, error) {
	rest := strings.TrimLeftFunc(l.text, func(r rune) bool { return isDigit(r) || r == '.' })
	if head := l.text[:len(l.text)-len(rest)]; strings.Count(head, ".") > 1 {
		return Token{}, fmt.Errorf("%s is not a number", head)
	}
	switch {
	case l.text[0] == '0' && len(rest) == len(l.text)-1 && rest != "" && rest[0]|0x20 == 'x':
		digits := rest[1:]
		if rest = strings.TrimLeft(digits, "0123456789abcdefABCDEF"); rest == digits {
			return Token{}, errors.New("0x is not a number")
		}
	case rest != "" && rest[0]|0x20 == 'e':
		exponent := strings.TrimLeft(rest[1:], "+-")
		after := strings.TrimLeft(exponent, "0123456789")
		if len(rest)-len(exponent) > 2 || len(after) == len(exponent) {
			return Token{}, fmt.Errorf("%s is not a number", l.text[:len(l.text)-len(exponent)])
		}
		rest = after
	}
	if r, _ := utf8.DecodeRuneInString(rest); isInWord(r) || r == '\'' {
		return Token{}, fmt.Errorf("unexpected %q after a number", r)
	}
	t := Token{Kind: Number, Text: l.text[:len(l.text)-len(rest)]}
	l.text = rest
	return t, nil
}

// operatorBytes are the characters of PostgreSQL's operators; single are parentheses
// and other symbols that stand alone.
const operatorBytes, single = "+-*/<>=~!@#%^&|?", "()[],."

func (l *lexer) symbol() (Token, error) {
	n := 1
	switch {
	case strings.HasPrefix(l.text, "::"):
		n = 2
	case strings.IndexByte(single, l.text[0]) >= 0:
	default:
		run := l.text[:len(l.text)-len(strings.TrimLeft(l.text, operatorBytes))]
		if strings.HasPrefix(run, "--") || strings.HasPrefix(run, "/*") {
			return Token{}, errors.New("comments are not allowed")
		}
		n = len(run)
		for !l.dialect.Postgres && n > 1 && !l.dialect.Operators[run[:n]] {
			n--
		}
		if n == 0 || !l.dialect.Operators[run[:n]] {
			if r, _ := utf8.DecodeRuneInString(l.text); run == "" {
				run = string(r)
			}
			return Token{}, fmt.Errorf("%q is not allowed", run)
		}
	}
	t := Token{Kind: Symbol, Text: l.text[:n]}
	l.text = l.text[n:]
	return t, nil
}
