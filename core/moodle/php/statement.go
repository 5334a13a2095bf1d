package php

import (
	"strings"
)

// statement parses one statement.
func (p *parser) statement() (stmt, error) {
	done, err := p.nest()
	if err != nil {
		return nil, err
	}
	defer done()
	if err := p.attributes(); err != nil {
		return nil, err
	}
	at := p.position()
	t := p.peek()
	switch {
	case t.kind == tokHTML:
		p.take()
		return &block{Pos: at}, nil
	case t.is(";"):
		p.take()
		return &block{Pos: at}, nil
	case t.is("{"):
		list, err := p.block()
		return &block{at, list}, err
	case t.kind == tokName && !p.ahead(1).is("::"):
		if s, known, err := p.keyword(at, strings.ToLower(t.text)); known || err != nil {
			return s, err
		}
	}
	e, err := p.expr()
	if err != nil {
		return nil, err
	}
	return &exprStmt{at, e}, p.end()
}

// keyword parses a statement that begins with a keyword; known is false for others.
func (p *parser) keyword(at Pos, word string) (s stmt, known bool, err error) {
	next := p.ahead(1)
	switch word {
	case "if":
		p.take()
		s, err = p.ifStatement(at)
	case "while":
		p.take()
		cond, err := p.paren()
		if err != nil {
			return nil, true, err
		}
		body, err := p.loopBody("endwhile")
		return &loop{Pos: at, cond: []expr{cond}, body: body}, true, err
	case "do":
		p.take()
		s, err = p.doStatement(at)
	case "for":
		p.take()
		s, err = p.forStatement(at)
	case "foreach":
		p.take()
		s, err = p.foreachStatement(at)
	case "switch":
		p.take()
		s, err = p.switchStatement(at)
	case "break", "continue":
		p.take()
		s, err = p.jumpStatement(at, word == "break")
	case "return":
		p.take()
		s, err = p.returnStatement(at)
	case "echo":
		p.take()
		s, err = p.expressions(at)
	case "global":
		p.take()
		s, err = p.globalStatement(at)
	case "unset":
		p.take()
		if err := p.expect("("); err != nil {
			return nil, true, err
		}
		list, err := p.list(")")
		if err != nil {
			return nil, true, err
		}
		return &unsetStmt{at, list}, true, p.end()
	case "static":
		if next.kind != tokVariable {
			return nil, false, nil
		}
		p.take()
		s, err = p.staticStatement(at)
	case "const":
		p.take()
		s, err = p.constStatement(at)
	case "function":
		if next.kind != tokName && !(next.is("&") && p.ahead(2).kind == tokName) {
			return nil, false, nil
		}
		fn, err := p.function(at)
		if err != nil {
			return nil, true, err
		}
		return &functionStmt{at, fn}, true, nil
	case "try":
		p.take()
		s, err = p.tryStatement(at)
	case "abstract", "final", "readonly", "class", "interface", "trait", "enum":
		if next.kind != tokName {
			return nil, false, nil
		}
		globals, err := p.skipBraces()
		return &classStmt{at, globals}, true, err
	case "namespace", "use", "declare", "goto", "__halt_compiler":
		s, err = p.declaration(at, word)
	default:
		return nil, false, nil
	}
	return s, true, err
}

func (p *parser) ifStatement(at Pos) (stmt, error) {
	cond, err := p.paren()
	if err != nil {
		return nil, err
	}
	alternative := p.peek().is(":")
	then, err := p.body("elseif", "else", "endif")
	if err != nil {
		return nil, err
	}
	s := &ifStmt{Pos: at, cond: cond, then: then}
	elseAt := p.position()
	switch {
	case p.acceptWord("elseif"), p.word("else") && p.ahead(1).kind == tokName && strings.EqualFold(p.ahead(1).text, "if") && p.acceptWord("else") && p.acceptWord("if"):
		done, err := p.nest()
		if err != nil {
			return nil, err
		}
		defer done()
		els, err := p.ifStatement(elseAt)
		if err != nil {
			return nil, err
		}
		s.els = []stmt{els}
		return s, nil // the innermost has taken endif
	case p.acceptWord("else"):
		if s.els, err = p.body("endif"); err != nil {
			return nil, err
		}
	}
	if alternative {
		if !p.acceptWord("endif") {
			return nil, p.unexpected("instead of endif")
		}
		return s, p.end()
	}
	return s, nil
}

func (p *parser) returnStatement(at Pos) (stmt, error) {
	s := &returnStmt{Pos: at}
	if t := p.peek(); t.is(";") || t.kind == tokEnd || t.kind == tokHTML {
		return s, p.end()
	}
	var err error
	if s.value, err = p.expr(); err != nil {
		return nil, err
	}
	return s, p.end()
}

// expressions parses a list of expressions that are only evaluated, as in echo.
func (p *parser) expressions(at Pos) (stmt, error) {
	b := &block{Pos: at}
	for {
		e, err := p.expr()
		if err != nil {
			return nil, err
		}
		b.list = append(b.list, &exprStmt{at, e})
		if !p.accept(",") {
			return b, p.end()
		}
	}
}

func (p *parser) globalStatement(at Pos) (stmt, error) {
	s := &globalStmt{Pos: at}
	for {
		e, err := p.expr()
		if err != nil {
			return nil, err
		}
		s.names = append(s.names, e)
		if !p.accept(",") {
			return s, p.end()
		}
	}
}

func (p *parser) staticStatement(at Pos) (stmt, error) {
	s := &staticStmt{Pos: at}
	for {
		if p.peek().kind != tokVariable {
			return nil, p.unexpected("after static")
		}
		s.names = append(s.names, p.take().text)
		if p.accept("=") {
			if _, err := p.expr(); err != nil {
				return nil, err
			}
		}
		if !p.accept(",") {
			return s, p.end()
		}
	}
}

func (p *parser) constStatement(at Pos) (stmt, error) {
	b := &block{Pos: at}
	for {
		t := p.take()
		if t.kind != tokName {
			return nil, p.unexpected("after const")
		}
		if err := p.expect("="); err != nil {
			return nil, err
		}
		e, err := p.expr()
		if err != nil {
			return nil, err
		}
		b.list = append(b.list, &constStmt{at, t.text, e})
		if !p.accept(",") {
			return b, p.end()
		}
	}
}

func (p *parser) tryStatement(at Pos) (stmt, error) {
	s := &tryStmt{Pos: at}
	var err error
	if s.body, err = p.block(); err != nil {
		return nil, err
	}
	for {
		switch {
		case p.acceptWord("catch"):
			if err := p.expect("("); err != nil {
				return nil, err
			}
			for !p.accept(")") {
				if p.take().kind == tokEnd {
					return nil, p.unexpected("in catch")
				}
			}
			body, err := p.block()
			if err != nil {
				return nil, err
			}
			s.catches = append(s.catches, body)
		case p.acceptWord("finally"):
			if s.finally, err = p.block(); err != nil {
				return nil, err
			}
		default:
			return s, nil
		}
	}
}

// declaration skips declarations that do not affect values.
func (p *parser) declaration(at Pos, word string) (stmt, error) {
	switch word {
	case "goto":
		return nil, p.fail("goto is not supported")
	case "__halt_compiler":
		p.at = len(p.tokens) - 1
		return &block{Pos: at}, nil
	}
	for !p.peek().is(";") && p.peek().kind != tokEnd {
		if word == "namespace" && p.peek().is("{") {
			list, err := p.block()
			return &block{at, list}, err
		}
		if word == "use" && p.peek().is("{") {
			if _, err := p.skipBraces(); err != nil {
				return nil, err
			}
			continue
		}
		p.take()
	}
	return &block{Pos: at}, p.end()
}
