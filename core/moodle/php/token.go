package php

type tokenKind int

const (
	tokEnd      tokenKind = iota
	tokHTML               // text outside of <?php … ?>
	tokVariable           // $name; text is the name
	tokName               // a keyword, a function, a constant; with its namespace
	tokNumber             // as written
	tokString             // text is the value
	tokTemplate           // a string with variables in it: parts
	tokOperator
)

type token struct {
	kind  tokenKind
	text  string
	line  int
	parts []part
	// Offsets in the file; not set for tokens within a string.
	from, to int
}

// part is a part of a string that contains variables: a text, or the tokens of an
// expression.
type part struct {
	text   string
	tokens []token
}

func (t token) is(operator string) bool { return t.kind == tokOperator && t.text == operator }
