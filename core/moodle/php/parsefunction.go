package php

import "strings"

// function parses a function, a closure or fn.
func (p *parser) function(at Pos) (*function, error) {
	fn := &function{Pos: at, arrow: strings.EqualFold(p.take().text, "fn")}
	p.accept("&")
	if p.peek().kind == tokName {
		fn.name = strings.ToLower(p.take().text)
	}
	var err error
	if fn.params, err = p.params(); err != nil {
		return nil, err
	}
	if p.acceptWord("use") {
		if fn.uses, err = p.params(); err != nil {
			return nil, err
		}
	}
	if p.accept(":") {
		p.typeName()
	}
	outer := p.yields
	p.yields = false
	if fn.arrow {
		if err := p.expect("=>"); err != nil {
			return nil, err
		}
		var value expr
		value, err = p.binary(assignment)
		fn.body = []stmt{&returnStmt{at, value}}
	} else {
		fn.body, err = p.block()
	}
	fn.generator, p.yields = p.yields, outer
	return fn, err
}

func (p *parser) params() (list []param, err error) {
	if err := p.expect("("); err != nil {
		return nil, err
	}
	for !p.accept(")") {
		if err := p.attributes(); err != nil {
			return nil, err
		}
		var one param
		p.typeName()
		one.byRef = p.accept("&")
		one.variadic = p.accept("...")
		if p.peek().kind != tokVariable {
			return nil, p.unexpected("in the parameters of a function")
		}
		one.name = p.take().text
		if p.accept("=") {
			if one.fallback, err = p.expr(); err != nil {
				return nil, err
			}
		}
		list = append(list, one)
		if !p.accept(",") && !p.peek().is(")") {
			return nil, p.unexpected("in the parameters of a function")
		}
	}
	return list, nil
}

// typeName skips a type: ?int, int|string, A&B.
func (p *parser) typeName() {
	for {
		t := p.peek()
		and := t.is("&") && !(p.ahead(1).kind == tokVariable || p.ahead(1).is("..."))
		if t.kind != tokName && !t.is("?") && !t.is("|") && !and {
			return
		}
		p.take()
	}
}
