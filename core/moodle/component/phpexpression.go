package component

// expression reads an expression as far as it is constant: a value, strings put
// together, sums. It is undecided otherwise, and the reader may then stand anywhere
// in it.
func (r *reader) expression() any {
	left := r.operand()
	for {
		operator := r.peek()
		if !operator.is(".") && !operator.is("+") && !operator.is("-") {
			return left
		}
		r.at++
		left = operate(operator, left, r.operand())
	}
}

func operate(operator token, left, right any) any {
	if operator.text == "." {
		a, okA := text(left)
		b, okB := text(right)
		if !okA || !okB {
			return undecided{operator.line}
		}
		return a + b
	}
	a, okA := left.(int64)
	b, okB := right.(int64)
	const limit = 1 << 62
	if !okA || !okB || a > limit || a < -limit || b > limit || b < -limit {
		return undecided{operator.line}
	}
	if operator.text == "-" {
		b = -b
	}
	return a + b
}

func (r *reader) operand() any {
	t := r.take()
	r.depth++
	defer func() { r.depth-- }()
	if r.depth > maxNesting {
		return undecided{t.line}
	}
	switch {
	case t.kind == tokenNumber:
		if v, ok := number(t.text); ok {
			return v
		}
	case t.kind == tokenString:
		return t.text
	case t.is("["):
		return r.elements("]")
	case t.word("array") && r.accept("("):
		return r.elements(")")
	case t.is("("):
		if r.cast() {
			return r.operand()
		}
		v := r.expression()
		if r.accept(")") {
			return v
		}
	case t.is("-"):
		if n, ok := r.operand().(int64); ok {
			return -n
		}
	case t.word("new"):
		r.create()
		return undecided{t.line}
	case t.kind == tokenVariable:
		return r.variable(t)
	case t.kind == tokenName:
		if v, ok := constant(t.text); ok && !r.peek().is("(") && !r.peek().is("::") {
			return v
		}
	}
	return undecided{t.line}
}

// cast passes a cast that changes nothing of an array: (array), (object).
func (r *reader) cast() bool {
	if r.at+1 < len(r.tokens) && (r.peek().word("array") || r.peek().word("object")) && r.tokens[r.at+1].is(")") {
		r.at += 2
		return true
	}
	return false
}

// create passes the rest of new stdClass().
func (r *reader) create() {
	if r.peek().kind == tokenName {
		r.at++
	}
	if r.accept("(") {
		r.accept(")")
	}
}

// variable is the value of a variable that was assigned before.
func (r *reader) variable(t token) any {
	name := t.text
	if r.peek().is("->") && r.at+1 < len(r.tokens) && r.tokens[r.at+1].kind == tokenName {
		name += "->" + r.tokens[r.at+1].text
		r.at += 2
	}
	v, ok := r.vars[name]
	if next := r.peek(); !ok || next.is("[") || next.is("->") || next.is("(") {
		return undecided{t.line}
	}
	return v
}

// elements reads the elements of an array up to its end.
func (r *reader) elements(end string) any {
	list := array{}
	index := map[any]int{}
	next := int64(0)
	for !r.accept(end) {
		value := r.expression()
		var key any = next
		if r.accept("=>") {
			key, value = value, r.expression()
		}
		switch k := normalKey(key).(type) {
		case int64:
			key = k
			if k >= next {
				next = k + 1
			}
		case string:
			key = k
		default:
			return undecided{r.peek().line}
		}
		if i, ok := index[key]; ok {
			list[i].value = value
		} else {
			index[key] = len(list)
			list = append(list, element{key, value})
		}
		if !r.accept(",") {
			if r.accept(end) {
				return list
			}
			return undecided{r.peek().line}
		}
	}
	return list
}
