package php

import (
	"slices"
	"strings"
)

// Literal is a statement $VARIABLE->PROPERTY = VALUE; of a file, outside of all blocks and
// functions, whose value consists of literals. It is for programs that edit a file as text.
type Literal struct {
	Property string
	Line     int
	// Value is source[From:To].
	From, To int
	// End is behind the semicolon.
	End int
}

// Literals lists the assignments of literals to properties of a variable, and the
// properties that the file assigns in any other way, or more than once. Nothing is
// evaluated.
func Literals(file, source, variable string) (literals []Literal, others []string, err error) {
	tokens, err := lex(file, source)
	if err != nil {
		return nil, nil, err
	}
	count := map[string]int{}
	depth, plain := 0, !slices.ContainsFunc(tokens, endsBlock)
	for i, t := range tokens {
		switch {
		case t.is("{"), t.is("("), t.is("["):
			depth++
		case t.is("}"), t.is(")"), t.is("]"):
			depth--
		case !assigned(tokens, i, variable):
		default:
			name := tokens[i+2].text
			count[name]++
			if l, ok := literalAt(tokens, i); ok && plain && depth == 0 && begins(tokens[:i]) {
				literals = append(literals, l)
			} else {
				count[name]++
			}
		}
	}
	for name, n := range count {
		if n > 1 {
			others = append(others, name)
		}
	}
	slices.Sort(others)
	return slices.DeleteFunc(literals, func(l Literal) bool { return count[l.Property] > 1 }), others, nil
}

// endsBlock reports whether a token ends a block that has no braces, which Literals does
// not look into.
func endsBlock(t token) bool {
	return t.kind == tokName && slices.Contains([]string{"endif", "endfor", "endforeach", "endwhile", "endswitch", "enddeclare"}, strings.ToLower(t.text))
}

// begins reports whether a statement begins after tokens.
func begins(tokens []token) bool {
	if len(tokens) == 0 {
		return true
	}
	last := tokens[len(tokens)-1]
	return last.is(";") || last.is("}") || last.kind == tokHTML
}

// assigned reports whether a token begins $VARIABLE->NAME that is changed: followed by
// anything but what only reads it. It errs on the side of a change.
func assigned(tokens []token, i int, variable string) bool {
	if tokens[i].kind != tokVariable || tokens[i].text != variable || i+3 >= len(tokens) || !tokens[i+1].is("->") || tokens[i+2].kind != tokName {
		return false
	}
	next := tokens[i+3]
	if next.is("[") {
		return true
	}
	return next.kind == tokOperator && slices.Contains([]string{"=", ".=", "??=", "+=", "-=", "*=", "/=", "%=", "++", "--", "->"}, next.text)
}

// literalAt returns the statement that begins at a token, if it assigns a literal.
func literalAt(tokens []token, i int) (Literal, bool) {
	if !tokens[i+3].is("=") {
		return Literal{}, false
	}
	l := Literal{Property: tokens[i+2].text, Line: tokens[i].line}
	for k := i + 4; k < len(tokens); k++ {
		t := tokens[k]
		switch {
		case t.is(";"):
			l.End = t.to
			return l, k > i+4
		case t.kind == tokString, t.kind == tokNumber,
			t.kind == tokName && slices.Contains([]string{"true", "false", "null", "array"}, strings.ToLower(t.text)),
			t.kind == tokOperator && slices.Contains([]string{"[", "]", "(", ")", ",", "=>", "-"}, t.text):
		default:
			return l, false
		}
		if k == i+4 {
			l.From = t.from
		}
		l.To = t.to
	}
	return l, false
}
