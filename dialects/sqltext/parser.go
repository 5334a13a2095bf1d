package sqltext

import (
	"errors"
	"fmt"
	"strings"
)

// Parser parses one text. Each method parses what it is named after and returns an
// error if the text continues differently. It is used by one goroutine.
type Parser struct {
	dialect *Dialect
	columns func(name string) bool
	left    []Token
	depth   int
}

// Parse lexes a text for parsing. columns reports whether an expression may use a
// name as a column.
func (d *Dialect) Parse(text string, columns func(name string) bool) (*Parser, error) {
	list, err := d.Tokens(text)
	if err != nil {
		return nil, err
	}
	return &Parser{dialect: d, columns: columns, left: list}, nil
}

// Whole applies a rule to a whole text.
func (d *Dialect) Whole(text string, columns func(name string) bool, rule func(*Parser) error) error {
	p, err := d.Parse(text, columns)
	if err != nil {
		return err
	}
	if err := rule(p); err != nil {
		return err
	}
	return p.End()
}

// Peek returns the next token without consuming it.
func (p *Parser) Peek() Token {
	if len(p.left) == 0 {
		return Token{}
	}
	return p.left[0]
}

// Take consumes and returns the next token.
func (p *Parser) Take() Token {
	t := p.Peek()
	p.left = p.left[min(1, len(p.left)):]
	return t
}

// Accept consumes the next token if it is this keyword or symbol.
func (p *Parser) Accept(text string) bool {
	if t := p.Peek(); !t.Is(text) && !t.IsSymbol(text) {
		return false
	}
	p.Take()
	return true
}

// AcceptAll consumes the next tokens if they are these keywords.
func (p *Parser) AcceptAll(words ...string) bool {
	if len(p.left) < len(words) {
		return false
	}
	for i, word := range words {
		if !p.left[i].Is(word) {
			return false
		}
	}
	p.left = p.left[len(words):]
	return true
}

// Expect consumes this keyword or symbol.
func (p *Parser) Expect(text string) error {
	if !p.Accept(text) {
		return p.unexpected()
	}
	return nil
}

// End returns an error if any token is left.
func (p *Parser) End() error {
	if len(p.left) > 0 {
		return p.unexpected()
	}
	return nil
}

func (p *Parser) unexpected() error {
	switch t := p.Peek(); t.Kind {
	case End:
		return errors.New("unexpected end")
	case Text:
		return errors.New("unexpected literal")
	default:
		return fmt.Errorf("unexpected %.60q", t.Text)
	}
}

// Number consumes a number with an optional sign.
func (p *Parser) Number() error {
	if !p.Accept("-") {
		p.Accept("+")
	}
	if p.Peek().Kind != Number {
		return p.unexpected()
	}
	p.Take()
	return nil
}

// Identifier consumes a name, quoted or not, and returns it.
func (p *Parser) Identifier() (string, error) {
	if t := p.Peek(); t.Text == "" || t.Kind != QuotedName && (t.Kind != Word || reserved[strings.ToUpper(t.Text)]) {
		return "", p.unexpected()
	}
	return p.Take().Text, nil
}

// Qualified consumes a name with an optional schema.
func (p *Parser) Qualified() error {
	if _, err := p.Identifier(); err != nil || !p.Accept(".") {
		return err
	}
	_, err := p.Identifier()
	return err
}

// reserved lists reserved words and those that begin a statement; they are names only
// if quoted.
var reserved = Set(`ALL ALTER AS ATTACH BEGIN CALL COMMIT COPY CREATE DECLARE DELETE DETACH DO DROP DUMPFILE EXECUTE EXISTS FROM FUNCTION GRANT INHERITS INSERT INTO
	JOIN LIMIT LOAD ON ORDER OUTFILE PARTITION PRAGMA PROCEDURE PROGRAM REVOKE ROLLBACK SELECT SET TABLE TRIGGER TRUNCATE UNION UPDATE USING VACUUM VALUES VIEW WHERE WITH`)

// Column consumes the name of a column.
func (p *Parser) Column() error {
	t := p.Peek()
	name := t.Kind == QuotedName || t.Kind == Word && !reserved[strings.ToUpper(t.Text)]
	if !name || p.columns == nil || !p.columns(t.Text) {
		return p.unexpected()
	}
	p.Take()
	return nil
}

// List parses "(item, item …)".
func (p *Parser) List(item func() error) error {
	if err := p.Expect("("); err != nil {
		return err
	}
	for {
		if err := item(); err != nil {
			return err
		}
		if !p.Accept(",") {
			return p.Expect(")")
		}
	}
}

// function consumes a function name, if there is one, and returns it in lower case.
// The only schema allowed is pg_catalog, where only the server creates functions.
func (p *Parser) function() (string, bool) {
	at := 0
	if len(p.left) > 2 && p.left[0].Is("pg_catalog") && p.left[1].IsSymbol(".") {
		at = 2
	}
	if len(p.left) < at+2 || p.left[at].Kind != Word || !p.left[at+1].IsSymbol("(") {
		return "", false
	}
	name := strings.ToLower(p.left[at].Text)
	if !p.dialect.Functions[name] {
		return "", false
	}
	p.left = p.left[at+1:]
	return name, true
}
