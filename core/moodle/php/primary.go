package php

import "strings"

// primary parses an expression without operators.
func (p *parser) primary() (expr, error) {
	at := p.position()
	t := p.peek()
	switch t.kind {
	case tokVariable:
		p.take()
		return &variable{Pos: at, name: t.text}, nil
	case tokNumber:
		p.take()
		return p.number(at, t.text)
	case tokString:
		p.take()
		return &literal{at, String(t.text)}, nil
	case tokTemplate:
		p.take()
		return p.template(at, t)
	case tokName:
		return p.named(at)
	case tokOperator:
		switch t.text {
		case "(":
			return p.paren()
		case "[":
			p.take()
			return p.array(at, "]")
		case "$":
			p.take()
			return p.variableVariable(at)
		case "#":
			if err := p.attributes(); err != nil {
				return nil, err
			}
			if !p.peek().is("#") {
				return p.primary()
			}
		}
	}
	return nil, p.unexpected("in an expression")
}

func (p *parser) variableVariable(at Pos) (expr, error) {
	done, err := p.nest()
	if err != nil {
		return nil, err
	}
	defer done()
	if p.accept("{") {
		of, err := p.expr()
		if err != nil {
			return nil, err
		}
		return &variable{Pos: at, of: of}, p.expect("}")
	}
	if p.accept("$") {
		of, err := p.variableVariable(at)
		return &variable{Pos: at, of: of}, err
	}
	if p.peek().kind != tokVariable {
		return nil, p.unexpected("after $")
	}
	return &variable{Pos: at, of: &variable{Pos: at, name: p.take().text}}, nil
}

// template parses the expressions in a string.
func (p *parser) template(at Pos, t token) (expr, error) {
	e := &template{Pos: at}
	for _, part := range t.parts {
		if part.tokens == nil {
			e.parts = append(e.parts, &literal{at, String(part.text)})
			continue
		}
		inner := &parser{file: p.file, tokens: part.tokens, depth: p.depth}
		one, err := inner.expr()
		if err != nil {
			return nil, err
		}
		if inner.peek().kind != tokEnd {
			return nil, inner.unexpected("in a string")
		}
		p.hidden = p.hidden || inner.hidden
		e.parts = append(e.parts, one)
	}
	return e, nil
}

// array parses the items of an array or a list up to its closing operator.
func (p *parser) array(at Pos, closing string) (expr, error) {
	e := &arrayLiteral{Pos: at}
	for !p.accept(closing) {
		if p.accept(",") {
			e.items = append(e.items, arrayItem{})
			continue
		}
		item := arrayItem{spread: p.accept("..."), ref: p.accept("&")}
		var err error
		if item.value, err = p.expr(); err != nil {
			return nil, err
		}
		if p.accept("=>") {
			item.key = item.value
			item.ref = p.accept("&")
			if item.value, err = p.expr(); err != nil {
				return nil, err
			}
		}
		e.items = append(e.items, item)
		if !p.accept(",") && !p.peek().is(closing) {
			return nil, p.unexpected("in an array")
		}
	}
	return e, nil
}

// named parses an expression that begins with a name: constants, calls, arrays,
// functions.
func (p *parser) named(at Pos) (expr, error) {
	name := p.take().text
	switch word := strings.ToLower(name); word {
	case "array", "list":
		if p.accept("(") {
			return p.array(at, ")")
		}
	case "isset", "empty":
		if err := p.expect("("); err != nil {
			return nil, err
		}
		of, err := p.list(")")
		if err != nil {
			return nil, err
		}
		if word == "empty" && len(of) == 1 {
			return &unary{at, "!", of[0]}, nil
		}
		return &issetOf{at, of}, nil
	case "match":
		if p.peek().is("(") {
			return p.match(at)
		}
	case "function", "fn":
		p.at--
		fn, err := p.function(at)
		return &closure{at, fn}, err
	case "static":
		if p.word("function", "fn") {
			return p.named(at)
		}
	case "eval":
		return &opaque{Pos: at, what: "eval"}, p.skipParens()
	}
	if p.accept("(") {
		args, err := p.arguments()
		return &call{Pos: at, name: strings.ToLower(unqualified(name)), args: args}, err
	}
	return &constant{at, name}, nil
}

// unqualified returns a name without its namespace, which PHP ignores if it contains
// no such function or constant.
func unqualified(name string) string { return name[strings.LastIndexByte(name, '\\')+1:] }

func (p *parser) skipParens() error {
	for open := 0; ; {
		switch t := p.take(); {
		case t.kind == tokEnd:
			return p.unexpected("before )")
		case t.is("("):
			open++
		case t.is(")"):
			if open--; open <= 0 {
				return nil
			}
		}
	}
}

func (p *parser) match(at Pos) (expr, error) {
	subject, err := p.paren()
	if err != nil {
		return nil, err
	}
	e := &match{Pos: at, subject: subject}
	if err := p.expect("{"); err != nil {
		return nil, err
	}
	for !p.accept("}") {
		var arm matchArm
		if p.word("default") {
			p.take()
			p.accept(",")
			err = p.expect("=>")
		} else {
			arm.when, err = p.list("=>")
		}
		if err != nil {
			return nil, err
		}
		if arm.value, err = p.expr(); err != nil {
			return nil, err
		}
		e.arms = append(e.arms, arm)
		if !p.accept(",") && !p.peek().is("}") {
			return nil, p.unexpected("in match")
		}
	}
	return e, nil
}
