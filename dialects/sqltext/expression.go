package sqltext

import (
	"errors"
	"strings"
)

// maxDepth is the maximum nesting depth of parentheses.
const maxDepth = 100

// Expression parses operands with operators in between. Precedence does not affect
// what is allowed where, so it is ignored.
func (p *Parser) Expression() error {
	if p.depth++; p.depth > maxDepth {
		return errors.New("nested too deeply")
	}
	defer func() { p.depth-- }()
	for {
		for p.prefix() {
		}
		if err := p.Operand(); err != nil {
			return err
		}
		more, err := p.infix()
		if err != nil || !more {
			return err
		}
	}
}

func (p *Parser) prefix() bool {
	if t := p.Peek(); t.Kind != Word && t.Kind != Symbol || !p.dialect.Unary[strings.ToUpper(t.Text)] {
		return false
	}
	p.Take()
	return true
}

// infix parses what follows an operand, up to an operator that needs another operand.
func (p *Parser) infix() (more bool, err error) {
	for {
		switch t := p.Peek(); {
		case p.Accept("COLLATE"):
			err = p.Qualified()
		case p.dialect.Postgres && p.Accept("::"):
			err = p.dialect.Type(p)
		case p.dialect.Postgres && p.Accept("["):
			if err = p.Expression(); err == nil {
				err = p.Expect("]")
			}
		case p.Accept("ISNULL"), p.Accept("NOTNULL"):
		case p.Accept("IS"):
			p.Accept("NOT")
			if p.AcceptAll("DISTINCT", "FROM") {
				return true, nil
			}
			if !p.Accept("NULL") && !p.Accept("TRUE") && !p.Accept("FALSE") && !p.Accept("UNKNOWN") {
				return false, p.unexpected()
			}
		case p.AcceptAll("AT", "TIME", "ZONE"), p.AcceptAll("SIMILAR", "TO"):
			return true, nil
		case t.Kind == Symbol && p.dialect.Operators[t.Text]:
			p.Take()
			return true, nil
		default:
			negated := p.Accept("NOT")
			if t := p.Peek(); t.Kind == Word && p.dialect.Words[strings.ToUpper(t.Text)] {
				p.Take()
				return true, nil
			}
			if negated {
				return false, p.unexpected()
			}
			return false, nil
		}
		if err != nil {
			return false, err
		}
	}
}

// Operand parses a literal, a column, a call or a parenthesised expression.
func (p *Parser) Operand() error {
	t := p.Peek()
	switch t.Kind {
	case Text, Number:
		p.Take()
		return nil
	case QuotedName:
		return p.Column()
	case Symbol:
		return p.List(p.Expression)
	case End:
		return p.unexpected()
	}
	upper := strings.ToUpper(t.Text)
	switch {
	case p.Accept("CASE"):
		return p.cases()
	case len(p.left) > 1 && p.left[1].IsSymbol("(") && (upper == "CAST" || upper == "EXTRACT"):
		p.Take()
		return p.special(upper)
	case p.dialect.Postgres && upper == "ARRAY":
		p.Take()
		return p.array()
	case p.dialect.Intervals && p.Accept("INTERVAL"):
		if err := p.Expression(); err != nil {
			return err
		}
		return p.unit()
	case p.dialect.Constants[upper]:
		p.Take()
		return p.precision()
	}
	if name, ok := p.function(); ok {
		return p.arguments(name)
	}
	if len(p.left) > 1 && p.left[1].IsSymbol("(") {
		return errors.New("function " + t.Text + " is not allowed")
	}
	return p.Column()
}

// precision parses the optional parentheses after CURRENT_TIMESTAMP.
func (p *Parser) precision() error {
	if !p.Accept("(") || p.Accept(")") {
		return nil
	}
	if err := p.Number(); err != nil {
		return err
	}
	return p.Expect(")")
}

func (p *Parser) cases() error {
	if !p.Peek().Is("WHEN") {
		if err := p.Expression(); err != nil {
			return err
		}
	}
	for p.Accept("WHEN") {
		if err := p.Expression(); err != nil {
			return err
		}
		if err := p.Expect("THEN"); err != nil {
			return err
		}
		if err := p.Expression(); err != nil {
			return err
		}
	}
	if p.Accept("ELSE") {
		if err := p.Expression(); err != nil {
			return err
		}
	}
	return p.Expect("END")
}

// special parses CAST(… AS type) and EXTRACT(field FROM …).
func (p *Parser) special(name string) error {
	if err := p.Expect("("); err != nil {
		return err
	}
	if name == "EXTRACT" {
		if err := p.unit(); err != nil {
			return err
		}
		if err := p.Expect("FROM"); err != nil {
			return err
		}
		if err := p.Expression(); err != nil {
			return err
		}
		return p.Expect(")")
	}
	if err := p.Expression(); err != nil {
		return err
	}
	if err := p.Expect("AS"); err != nil {
		return err
	}
	if err := p.dialect.Type(p); err != nil {
		return err
	}
	return p.Expect(")")
}

var units = Set(`MICROSECOND MILLISECONDS SECOND MINUTE HOUR DAY WEEK MONTH QUARTER YEAR DECADE CENTURY MILLENNIUM EPOCH DOW DOY ISODOW ISOYEAR
	SECOND_MICROSECOND MINUTE_MICROSECOND MINUTE_SECOND HOUR_MICROSECOND HOUR_SECOND HOUR_MINUTE DAY_MICROSECOND DAY_SECOND DAY_MINUTE DAY_HOUR YEAR_MONTH`)

func (p *Parser) unit() error {
	if t := p.Peek(); t.Kind != Word || !units[strings.ToUpper(t.Text)] {
		return p.unexpected()
	}
	p.Take()
	return nil
}

// array parses ARRAY[…], which may be empty or contain other arrays.
func (p *Parser) array() error {
	if err := p.Expect("["); err != nil {
		return err
	}
	for !p.Accept("]") {
		if err := p.Expression(); err != nil {
			return err
		}
		if !p.Accept(",") && !p.Peek().IsSymbol("]") {
			return p.unexpected()
		}
	}
	return nil
}

// arguments parses the parentheses of a call. Keywords may separate arguments, as
// some SQL functions require: SUBSTRING(x FROM 1 FOR 2).
func (p *Parser) arguments(name string) error {
	if err := p.Expect("("); err != nil {
		return err
	}
	if p.Accept(")") {
		return nil
	}
	worded := name == "substring" || name == "substr" || name == "trim" || name == "overlay"
	if worded && (p.Accept("BOTH") || p.Accept("LEADING") || p.Accept("TRAILING")) {
		p.Accept("FROM")
	}
	for {
		if len(p.left) > 1 && p.left[0].Kind == Word && p.left[1].IsSymbol("=>") { // make_interval(days => 1)
			p.left = p.left[2:]
		}
		if err := p.Expression(); err != nil {
			return err
		}
		switch {
		case p.Accept(","), worded && (p.Accept("FROM") || p.Accept("FOR") || p.Accept("PLACING")):
		case p.Accept("USING"): // a character set
			if _, err := p.Identifier(); err != nil {
				return err
			}
			return p.Expect(")")
		case name == "json_value" && p.Accept("RETURNING"):
			if err := p.dialect.Type(p); err != nil {
				return err
			}
			return p.Expect(")")
		default:
			return p.Expect(")")
		}
	}
}
