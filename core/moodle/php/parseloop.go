package php

import (
	"strconv"
)

// loopBody parses the body of a loop, with its closing keyword if it has one.
func (p *parser) loopBody(closing string) ([]stmt, error) {
	alternative := p.peek().is(":")
	body, err := p.body(closing)
	if err == nil && alternative {
		p.take()
		err = p.end()
	}
	return body, err
}

func (p *parser) doStatement(at Pos) (stmt, error) {
	body, err := p.body()
	if err != nil {
		return nil, err
	}
	if !p.acceptWord("while") {
		return nil, p.unexpected("instead of while")
	}
	cond, err := p.paren()
	if err != nil {
		return nil, err
	}
	return &loop{Pos: at, cond: []expr{cond}, body: body, bodyFirst: true}, p.end()
}

func (p *parser) forStatement(at Pos) (stmt, error) {
	s := &loop{Pos: at}
	err := p.expect("(")
	for _, part := range []struct {
		list    *[]expr
		closing string
	}{{&s.init, ";"}, {&s.cond, ";"}, {&s.after, ")"}} {
		if err != nil {
			return nil, err
		}
		*part.list, err = p.list(part.closing)
	}
	if err != nil {
		return nil, err
	}
	s.body, err = p.loopBody("endfor")
	return s, err
}

func (p *parser) foreachStatement(at Pos) (stmt, error) {
	if err := p.expect("("); err != nil {
		return nil, err
	}
	s := &foreach{Pos: at}
	var err error
	if s.over, err = p.expr(); err != nil {
		return nil, err
	}
	if !p.acceptWord("as") {
		return nil, p.unexpected("instead of as")
	}
	target := func() (expr, error) {
		s.ref = p.accept("&")
		return p.expr()
	}
	if s.value, err = target(); err != nil {
		return nil, err
	}
	if p.accept("=>") {
		s.key = s.value
		if s.value, err = target(); err != nil {
			return nil, err
		}
	}
	if err := p.expect(")"); err != nil {
		return nil, err
	}
	s.body, err = p.loopBody("endforeach")
	return s, err
}

func (p *parser) switchStatement(at Pos) (stmt, error) {
	subject, err := p.paren()
	if err != nil {
		return nil, err
	}
	s := &switchStmt{Pos: at, subject: subject}
	braces := p.accept("{")
	if !braces {
		if err := p.expect(":"); err != nil {
			return nil, err
		}
	}
	for {
		switch {
		case braces && p.accept("}"):
			return s, nil
		case !braces && p.acceptWord("endswitch"):
			return s, p.end()
		case p.accept(";"), p.peek().kind == tokHTML && p.take().kind == tokHTML:
		case p.acceptWord("case"):
			when, err := p.expr()
			if err != nil {
				return nil, err
			}
			s.cases = append(s.cases, switchCase{when: when})
		case p.acceptWord("default"):
			s.cases = append(s.cases, switchCase{})
		default:
			return nil, p.unexpected("in switch")
		}
		if len(s.cases) == 0 {
			continue
		}
		if !p.accept(":") && !p.accept(";") {
			return nil, p.unexpected("after case")
		}
		c := &s.cases[len(s.cases)-1]
		for !p.word("case", "default", "endswitch") && !p.peek().is("}") {
			if p.peek().kind == tokEnd {
				return nil, p.unexpected("in switch")
			}
			one, err := p.statement()
			if err != nil {
				return nil, err
			}
			c.body = append(c.body, one)
		}
	}
}

func (p *parser) jumpStatement(at Pos, brk bool) (stmt, error) {
	s := &jump{at, brk, 1}
	if p.peek().kind == tokNumber {
		n, err := strconv.Atoi(p.take().text)
		if err != nil || n < 1 || n > maxNesting {
			return nil, p.fail("a number of levels that no loop has")
		}
		s.levels = n
	}
	return s, p.end()
}
