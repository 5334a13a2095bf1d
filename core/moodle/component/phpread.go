package component

import "strings"

// variables are what a PHP file leaves in its variables, by name; a property of an
// object is NAME->PROPERTY.
type variables map[string]any

// maxNesting bounds how deep arrays and parentheses nest.
const maxNesting = 64

// reader reads assignments of constant values. Every other statement is passed
// over, and what it assigns becomes undecided.
type reader struct {
	tokens []token
	at     int
	depth  int
	vars   variables
}

// readVariables reads a file such as version.php. It never fails: a value that
// can't be decided is one of type undecided.
func readVariables(src []byte) variables {
	r := &reader{tokens: tokens(string(src)), vars: variables{}}
	for r.peek().kind != tokenEnd {
		r.statement()
	}
	return r.vars
}

// readList finds the array literal that a function assigns first, as the function
// standard_plugins_list in Moodle's plugin manager does.
func readList(src []byte, function string) (array, bool) {
	r := &reader{tokens: tokens(string(src)), vars: variables{}}
	for ; r.at+1 < len(r.tokens); r.at++ {
		if r.tokens[r.at].word("function") && r.tokens[r.at+1].word(function) {
			break
		}
	}
	for ; r.at < len(r.tokens); r.at++ {
		if r.peek().is("=") {
			r.at++
			list, ok := r.expression().(array)
			return list, ok
		}
	}
	return nil, false
}

func (r *reader) peek() token {
	if r.at < len(r.tokens) {
		return r.tokens[r.at]
	}
	line := 1
	if n := len(r.tokens); n > 0 {
		line = r.tokens[n-1].line
	}
	return token{tokenEnd, "", line}
}

func (r *reader) take() token {
	t := r.peek()
	r.at++
	return t
}

func (r *reader) accept(symbol string) bool {
	if r.peek().is(symbol) {
		r.at++
		return true
	}
	return false
}

// statement reads one statement.
func (r *reader) statement() {
	start := r.at
	if name, keys, ok := r.target(); ok && r.accept("=") {
		object := r.peek().word("new")
		value := r.expression()
		if r.accept(";") || r.peek().kind == tokenEnd {
			if object && len(keys) == 0 {
				r.forget(name) // an object that has no properties yet
				return
			}
			r.assign(name, keys, value)
			return
		}
	}
	r.at = start
	r.pass()
}

// target reads what stands left of an assignment: a variable or its property, and keys.
func (r *reader) target() (name string, keys []any, ok bool) {
	if r.peek().kind != tokenVariable {
		return "", nil, false
	}
	name = r.take().text
	if r.accept("->") {
		property := r.take()
		if property.kind != tokenName {
			return "", nil, false
		}
		name += "->" + property.text
	}
	for r.accept("[") {
		if r.accept("]") {
			keys = append(keys, nil) // the next free key
			continue
		}
		key := r.expression()
		if !r.accept("]") {
			return "", nil, false
		}
		keys = append(keys, key)
	}
	return name, keys, true
}

func (r *reader) assign(name string, keys []any, value any) {
	if len(keys) == 0 {
		r.vars[name] = value
		return
	}
	list, ok := r.vars[name].(array)
	if !ok && r.vars[name] != nil || len(keys) > 1 {
		r.vars[name] = undecided{r.peek().line}
		return
	}
	key := keys[0]
	switch key.(type) {
	case nil:
		key = list.next()
	case string, int64:
	default:
		r.vars[name] = undecided{r.peek().line}
		return
	}
	r.vars[name] = list.set(key, value)
}

// forget removes the properties of an object.
func (r *reader) forget(object string) {
	for name := range r.vars {
		if strings.HasPrefix(name, object+"->") {
			delete(r.vars, name)
		}
	}
}

// pass skips a statement, with the block or the branches that belong to it. What is
// assigned in it is undecided from then on.
func (r *reader) pass() {
	depth := 0
	for {
		t := r.peek()
		switch {
		case t.kind == tokenEnd:
			return
		case t.kind == tokenVariable:
			r.doubt()
			continue
		case t.is("(") || t.is("[") || t.is("{"):
			depth++
		case t.is(")") || t.is("]") || t.is("}"):
			depth--
			if depth <= 0 && t.is("}") {
				r.at++
				return
			}
		case t.is(";") && depth <= 0:
			r.at++
			return
		}
		r.at++
	}
}

// doubt passes a variable and makes it undecided if it is assigned to.
func (r *reader) doubt() {
	start := r.at
	name, keys, ok := r.target()
	next := r.peek()
	assigned := next.kind == tokenSymbol && strings.HasSuffix(next.text, "=") && !strings.ContainsAny(next.text[:1], "=!<>") ||
		next.is("=") || next.is("++") || next.is("--")
	if !ok || !assigned {
		r.at = start + 1
		return
	}
	if next.is("=") && len(keys) == 0 && r.at+1 < len(r.tokens) && r.tokens[r.at+1].word("new") {
		return // if (!isset($plugin)) { $plugin = new stdClass(); }
	}
	r.vars[name] = undecided{next.line}
}
