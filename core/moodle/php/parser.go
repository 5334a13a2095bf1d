package php

import (
	"fmt"
	"strings"
)

// parser builds a tree from tokens.
type parser struct {
	file   string
	tokens []token
	at     int
	depth  int
	// yields is set if the function being parsed contains yield.
	yields bool
	// hidden is set if code that is not evaluated (of classes) uses global variables.
	hidden bool
}

func parse(file, src string) (list []stmt, hidden bool, err error) {
	tokens, err := lex(file, src)
	if err != nil {
		return nil, false, err
	}
	p := &parser{file: file, tokens: tokens}
	for p.peek().kind != tokEnd {
		s, err := p.statement()
		if err != nil {
			return nil, false, err
		}
		list = append(list, s)
	}
	return list, p.hidden, nil
}

func (p *parser) peek() token { return p.tokens[p.at] }

// ahead returns the token n after the next.
func (p *parser) ahead(n int) token { return p.tokens[min(p.at+n, len(p.tokens)-1)] }

func (p *parser) take() token {
	t := p.tokens[p.at]
	if p.at < len(p.tokens)-1 {
		p.at++
	}
	return t
}

func (p *parser) position() Pos { return Pos{p.file, p.peek().line} }

// accept consumes an operator if it is the next token.
func (p *parser) accept(operator string) bool {
	if p.peek().is(operator) {
		p.take()
		return true
	}
	return false
}

// word reports whether the next token is a keyword.
func (p *parser) word(words ...string) bool {
	t := p.peek()
	if t.kind != tokName {
		return false
	}
	for _, w := range words {
		if strings.EqualFold(t.text, w) {
			return true
		}
	}
	return false
}

func (p *parser) acceptWord(words ...string) bool {
	if p.word(words...) {
		p.take()
		return true
	}
	return false
}

func (p *parser) expect(operator string) error {
	if !p.accept(operator) {
		return p.unexpected("instead of " + operator)
	}
	return nil
}

func (p *parser) fail(format string, args ...any) error {
	return &SyntaxError{p.position(), fmt.Sprintf(format, args...)}
}

// keywords lists the names that messages may show; any other name may be a password
// with wrong quotes.
var keywords = []string{"if", "else", "elseif", "endif", "while", "for", "foreach", "switch", "case", "default", "return", "echo", "function", "class", "require_once", "require", "include", "array", "true", "false", "null"}

// unexpected returns an error for the next token, without text of the file.
func (p *parser) unexpected(where string) error {
	what := ""
	switch t := p.peek(); t.kind {
	case tokEnd:
		what = "the end of the file"
	case tokHTML:
		what = "text outside of <?php"
	case tokVariable:
		what = "a variable"
	case tokName:
		what = "a name"
		if isWord(t.text, keywords...) {
			what = t.text
		}
	case tokOperator:
		what = "an operator"
		if strings.Contains("; , = ( ) [ ] { } => ->", t.text) {
			what = t.text
		}
	case tokNumber:
		what = "a number"
	default:
		what = "a string"
	}
	return p.fail("unexpected %s %s", what, where)
}

// nest limits recursion; the caller calls the returned function when done.
func (p *parser) nest() (func(), error) {
	if p.depth++; p.depth > maxNesting {
		return nil, p.fail("the code is nested too deeply")
	}
	return func() { p.depth-- }, nil
}

// end consumes the semicolon of a statement; the end of the file or a closing tag
// replaces it.
func (p *parser) end() error {
	if p.peek().kind == tokEnd || p.peek().kind == tokHTML {
		return nil
	}
	return p.expect(";")
}

// body parses the body of a control statement: a statement, a block, or the
// statements between : and one of the closing keywords, which it does not consume.
func (p *parser) body(closing ...string) ([]stmt, error) {
	if len(closing) > 0 && p.accept(":") {
		var list []stmt
		for !p.word(closing...) {
			if p.peek().kind == tokEnd {
				return nil, p.unexpected("before " + closing[0])
			}
			s, err := p.statement()
			if err != nil {
				return nil, err
			}
			list = append(list, s)
		}
		return list, nil
	}
	s, err := p.statement()
	if err != nil {
		return nil, err
	}
	return []stmt{s}, nil
}

// block parses a list of statements in braces.
func (p *parser) block() ([]stmt, error) {
	if err := p.expect("{"); err != nil {
		return nil, err
	}
	var list []stmt
	for !p.accept("}") {
		if p.peek().kind == tokEnd {
			return nil, p.unexpected("before }")
		}
		s, err := p.statement()
		if err != nil {
			return nil, err
		}
		list = append(list, s)
	}
	return list, nil
}

func (p *parser) paren() (expr, error) {
	if err := p.expect("("); err != nil {
		return nil, err
	}
	e, err := p.expr()
	if err != nil {
		return nil, err
	}
	return e, p.expect(")")
}

// list parses expressions up to a closing operator, which it consumes.
func (p *parser) list(closing string) (list []expr, err error) {
	for !p.accept(closing) {
		e, err := p.expr()
		if err != nil {
			return nil, err
		}
		list = append(list, e)
		if !p.accept(",") && !p.peek().is(closing) {
			return nil, p.unexpected("in a list")
		}
	}
	return list, nil
}

// skipBraces skips { … } and records whether it uses global variables.
func (p *parser) skipBraces() (globals bool, err error) {
	for open := 0; ; {
		switch t := p.take(); {
		case t.kind == tokEnd:
			return false, p.unexpected("before }")
		case t.is("{"):
			open++
		case t.is("}"):
			if open--; open <= 0 {
				p.hidden = p.hidden || globals
				return globals, nil
			}
		case t.kind == tokVariable && t.text == "GLOBALS", t.kind == tokName && isWord(t.text, "global", "include", "include_once", "require", "require_once", "define", "putenv", "eval"):
			globals = true
		}
	}
}

func isWord(text string, words ...string) bool {
	for _, w := range words {
		if strings.EqualFold(text, w) {
			return true
		}
	}
	return false
}

// attributes skips #[…].
func (p *parser) attributes() error {
	for p.peek().is("#") && p.ahead(1).is("[") {
		p.take()
		for open := 0; ; {
			t := p.take()
			if t.kind == tokEnd {
				return p.unexpected("before ]")
			}
			if t.is("[") {
				open++
			} else if t.is("]") {
				if open--; open == 0 {
					break
				}
			}
		}
	}
	return nil
}
