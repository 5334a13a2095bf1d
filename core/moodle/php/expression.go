package php

import (
	"math"
	"strconv"
	"strings"
)

// maxChain is the maximum number of consecutive operators in one expression.
const maxChain = 3000

// level is the precedence of an operator, as in PHP 8.
var level = map[string]int{
	"or": 1, "xor": 2, "and": 3,
	"?": 5, "??": 6, "||": 7, "&&": 8, "|": 9, "^": 10, "&": 11,
	"==": 12, "!=": 12, "<>": 12, "===": 12, "!==": 12, "<=>": 12,
	"<": 13, "<=": 13, ">": 13, ">=": 13,
	".": 14, "<<": 15, ">>": 15, "+": 16, "-": 16, "*": 17, "/": 17, "%": 17,
	"instanceof": 19, "**": 21,
}

// Levels of operators that are not binary.
const (
	lowest     = 1
	assignment = 4
	prefix     = 20
)

var assignments = map[string]bool{
	"=": true, "+=": true, "-=": true, "*=": true, "/=": true, ".=": true, "%=": true, "&=": true, "|=": true,
	"^=": true, "<<=": true, ">>=": true, "**=": true, "??=": true,
}

func (p *parser) expr() (expr, error) { return p.binary(lowest) }

// binary parses an expression of operators whose precedence is at least least.
func (p *parser) binary(least int) (expr, error) {
	done, err := p.nest()
	if err != nil {
		return nil, err
	}
	defer done()
	left, err := p.unary()
	if err != nil {
		return nil, err
	}
	for n := 0; ; n++ {
		op := p.operatorText()
		l := level[op]
		if l == 0 || l < least {
			return left, nil
		}
		if n >= maxChain {
			return nil, p.fail("an expression has more than %d operators in a row", maxChain)
		}
		at := p.position()
		p.take()
		if left, err = p.infix(at, op, l, left); err != nil {
			return nil, err
		}
	}
}

func (p *parser) operatorText() string {
	switch t := p.peek(); t.kind {
	case tokOperator:
		return t.text
	case tokName:
		return strings.ToLower(t.text)
	}
	return ""
}

func (p *parser) infix(at Pos, op string, l int, left expr) (expr, error) {
	switch op {
	case "?":
		if p.accept(":") {
			no, err := p.binary(l + 1)
			return &ternary{at, left, nil, no}, err
		}
		yes, err := p.binary(assignment)
		if err != nil {
			return nil, err
		}
		if err := p.expect(":"); err != nil {
			return nil, err
		}
		no, err := p.binary(l + 1)
		return &ternary{at, left, yes, no}, err
	case "??", "**": // from right to left
		right, err := p.binary(l)
		return &binary{at, op, left, right}, err
	case "instanceof":
		right, err := p.unary()
		return &opaque{Pos: at, what: "instanceof", of: []expr{left, right}}, err
	}
	right, err := p.binary(l + 1)
	return &binary{at, op, left, right}, err
}

var casts = map[string]string{
	"int": "int", "integer": "int", "bool": "bool", "boolean": "bool", "float": "float", "double": "float", "real": "float",
	"string": "string", "binary": "string", "array": "array", "object": "object", "unset": "unset",
}

func (p *parser) unary() (expr, error) {
	done, err := p.nest()
	if err != nil {
		return nil, err
	}
	defer done()
	at := p.position()
	t := p.peek()
	if t.kind == tokOperator {
		switch t.text {
		case "!", "-", "+", "~", "@", "&":
			p.take()
			operand, err := p.binary(prefix)
			return &unary{at, t.text, operand}, err
		case "++", "--":
			p.take()
			operand, err := p.binary(prefix)
			by := int64(1)
			if t.text == "--" {
				by = -1
			}
			return &step{at, operand, by, false}, err
		case "(":
			if name := p.ahead(1); name.kind == tokName && p.ahead(2).is(")") && casts[strings.ToLower(name.text)] != "" {
				p.take()
				p.take()
				p.take()
				operand, err := p.binary(prefix)
				return &unary{at, "(" + casts[strings.ToLower(name.text)] + ")", operand}, err
			}
		}
	}
	if t.kind == tokName {
		if e, known, err := p.wordExpression(at, strings.ToLower(t.text)); known || err != nil {
			return e, err
		}
	}
	e, err := p.primary()
	if err != nil {
		return nil, err
	}
	if e, err = p.postfix(e); err != nil {
		return nil, err
	}
	return p.assigned(e)
}

// assigned parses the rest of an assignment after its target.
func (p *parser) assigned(target expr) (expr, error) {
	at := p.position()
	t := p.peek()
	if t.kind != tokOperator {
		return target, nil
	}
	if t.text == "++" || t.text == "--" {
		p.take()
		by := int64(1)
		if t.text == "--" {
			by = -1
		}
		return &step{at, target, by, true}, nil
	}
	if !assignments[t.text] {
		return target, nil
	}
	switch target.(type) {
	case *variable, *index, *property, *arrayLiteral, *opaque:
	default:
		return nil, p.fail("a value is assigned to what is no variable")
	}
	p.take()
	a := &assign{Pos: at, op: strings.TrimSuffix(t.text, "="), target: target}
	a.ref = t.text == "=" && p.accept("&")
	var err error
	a.value, err = p.binary(assignment)
	return a, err
}

// wordExpression parses an expression that begins with a keyword.
func (p *parser) wordExpression(at Pos, word string) (e expr, known bool, err error) {
	switch word {
	case "include", "include_once", "require", "require_once":
		p.take()
		path, err := p.binary(assignment)
		return &include{at, path, strings.HasSuffix(word, "_once"), strings.HasPrefix(word, "require")}, true, err
	case "print", "clone", "yield":
		p.take()
		if word == "yield" {
			p.yields = true
			if t := p.peek(); t.is(";") || t.is(")") || t.is("]") || t.is(",") {
				return &opaque{Pos: at, what: word}, true, nil
			}
			p.acceptWord("from")
		}
		operand, err := p.binary(assignment)
		return &opaque{Pos: at, what: word, of: []expr{operand}}, true, err
	case "throw":
		p.take()
		operand, err := p.binary(lowest)
		return &exit{at, operand}, true, err
	case "exit", "die":
		p.take()
		x := &exit{Pos: at}
		if p.accept("(") {
			list, err := p.list(")")
			if err != nil {
				return nil, true, err
			}
			if len(list) > 0 {
				x.with = list[0]
			}
		}
		return x, true, nil
	case "new":
		e, err := p.newExpression(at)
		if err != nil {
			return nil, true, err
		}
		e, err = p.postfix(e)
		return e, true, err
	}
	return nil, false, nil
}

func (p *parser) newExpression(at Pos) (expr, error) {
	p.take()
	if err := p.attributes(); err != nil {
		return nil, err
	}
	e := &opaque{Pos: at, what: "new"}
	switch t := p.peek(); {
	case p.word("class"):
		p.take()
		if p.accept("(") {
			if _, err := p.arguments(); err != nil {
				return nil, err
			}
		}
		_, err := p.skipBraces()
		return e, err
	case t.kind == tokName:
		p.take()
		e.what = "new " + t.text
		e.make = isWord(strings.TrimPrefix(t.text, "\\"), "stdClass", "object")
	case t.is("("):
		of, err := p.paren()
		if err != nil {
			return nil, err
		}
		e.of = append(e.of, of)
	default:
		of, err := p.primary()
		if err != nil {
			return nil, err
		}
		e.of = append(e.of, of)
	}
	if p.accept("(") {
		args, err := p.arguments()
		if err != nil {
			return nil, err
		}
		for _, a := range args {
			e.of = append(e.of, a.value)
		}
	}
	return e, nil
}

// arguments parses the arguments of a call, after the opening parenthesis.
func (p *parser) arguments() (list []argument, err error) {
	for !p.accept(")") {
		a := argument{spread: p.accept("...")}
		if a.spread && p.peek().is(")") {
			continue // f(...): the function itself
		}
		if p.peek().kind == tokName && p.ahead(1).is(":") && !p.ahead(1).is("::") {
			p.take() // a named argument; its position is unknown
			p.take()
			a.spread = true
		}
		if a.value, err = p.expr(); err != nil {
			return nil, err
		}
		list = append(list, a)
		if !p.accept(",") && !p.peek().is(")") {
			return nil, p.unexpected("in the arguments of a call")
		}
	}
	return list, nil
}

func (p *parser) number(at Pos, text string) (expr, error) {
	clean := strings.ReplaceAll(text, "_", "")
	if !strings.ContainsAny(clean, ".eE") || strings.HasPrefix(clean, "0x") || strings.HasPrefix(clean, "0X") {
		if len(clean) > 1 && clean[0] == '0' && digit(clean[1]) {
			clean = "0o" + clean[1:] // 0755
		}
		n, err := strconv.ParseInt(clean, 0, 64)
		if err == nil {
			return &literal{at, Int(n)}, nil
		}
		if u, err := strconv.ParseUint(clean, 0, 64); err == nil {
			return &literal{at, Float(float64(u))}, nil
		}
	}
	f, err := strconv.ParseFloat(clean, 64)
	if err != nil && !math.IsInf(f, 0) {
		return nil, p.fail("a number that cannot be read")
	}
	return &literal{at, Float(f)}, nil
}
