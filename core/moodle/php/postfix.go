package php

import "strings"

// postfix parses the operators after an expression: keys, properties, calls.
func (p *parser) postfix(e expr) (expr, error) {
	for n := 0; ; n++ {
		if n > maxChain {
			return nil, p.fail("an expression is too long")
		}
		at := p.position()
		var err error
		switch t := p.peek(); {
		case t.is("["):
			p.take()
			if p.accept("]") {
				e = &index{at, e, nil}
				continue
			}
			var key expr
			if key, err = p.expr(); err != nil {
				return nil, err
			}
			e, err = &index{at, e, key}, p.expect("]")
		case t.is("->"), t.is("?->"):
			p.take()
			e, err = p.member(at, e)
		case t.is("::"):
			p.take()
			e, err = p.static(at, e)
		case t.is("("):
			p.take()
			var args []argument
			args, err = p.arguments()
			e = &call{Pos: at, of: e, args: args}
		default:
			return e, nil
		}
		if err != nil {
			return nil, err
		}
	}
}

// member parses a property, or the call of a method.
func (p *parser) member(at Pos, base expr) (expr, error) {
	e := &property{Pos: at, base: base}
	switch t := p.peek(); {
	case t.kind == tokName:
		e.name = p.take().text
	case t.kind == tokVariable:
		e.of = &variable{Pos: at, name: p.take().text}
	case t.is("{"):
		p.take()
		of, err := p.expr()
		if err != nil {
			return nil, err
		}
		e.of = of
		if err := p.expect("}"); err != nil {
			return nil, err
		}
	default:
		return nil, p.unexpected("after ->")
	}
	if !p.accept("(") {
		return e, nil
	}
	args, err := p.arguments()
	o := &opaque{Pos: at, what: e.name + "()", of: []expr{base}}
	for _, a := range args {
		o.of = append(o.of, a.value)
	}
	return o, err
}

// static parses the part after ::.
func (p *parser) static(at Pos, base expr) (expr, error) {
	o := &opaque{Pos: at, what: "::"}
	name := ""
	if c, ok := base.(*constant); ok {
		name = c.name
		o.what = name + "::"
	} else {
		o.of = append(o.of, base)
	}
	switch t := p.take(); {
	case t.kind == tokName:
		o.what += t.text
		if strings.EqualFold(t.text, "class") && name != "" {
			return &literal{at, String(strings.TrimPrefix(name, "\\"))}, nil
		}
	case t.kind == tokVariable:
		o.what += "$" + t.text
	case t.is("{"):
		if _, err := p.expr(); err != nil {
			return nil, err
		}
		if err := p.expect("}"); err != nil {
			return nil, err
		}
	default:
		return nil, p.unexpected("after ::")
	}
	if !p.accept("(") {
		return o, nil
	}
	o.what += "()"
	args, err := p.arguments()
	for _, a := range args {
		o.of = append(o.of, a.value)
	}
	return o, err
}
