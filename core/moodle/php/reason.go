package php

import (
	"fmt"
	"strings"
)

// Cause classifies why a value is unknown.
type Cause int

// The causes.
const (
	Server      Cause = iota // a value of the web server or the request; Name is its key
	Function                 // a function that is not evaluated; Name is its name
	Constant                 // a constant that nothing defines; Name is its name
	File                     // a file that cannot be read; Name is its path if that is known
	Code                     // something else that is not evaluated
	Limit                    // something too large or too long
	Conditional              // the branch taken depends on something unknown: Of
)

// Reason says why a value is unknown.
type Reason struct {
	Cause Cause
	Name  string
	Pos   Pos
	// Expr is the expression, with … in place of strings that may be secrets.
	Expr string
	// Problem describes briefly what is unknown, without a full stop.
	Problem string
	// Of is the underlying reason: of the condition for Conditional, and of the path
	// for a File whose path is unknown.
	Of *Reason
}

// String says what is unknown, where and why.
func (r *Reason) String() string {
	if r.Of != nil {
		return fmt.Sprintf("%s: %s: %s", r.Pos, r.Problem, r.Root().Problem)
	}
	return fmt.Sprintf("%s: %s", r.Pos, r.Problem)
}

// Root returns the innermost reason in the chain of Of.
func (r *Reason) Root() *Reason {
	for r.Of != nil {
		r = r.Of
	}
	return r
}

// maxShown is the maximum length of an expression in messages.
const maxShown = 80

// show formats an expression for messages. Strings and numbers become …, except for
// names: keys of the environment, of $_SERVER, names of constants.
func show(e expr) string {
	var b strings.Builder
	shower{&b, 0}.expr(e)
	if text := b.String(); len(text) > maxShown {
		cut := maxShown
		for cut > 0 && text[cut]&0xC0 == 0x80 {
			cut--
		}
		return text[:cut] + "…"
	}
	return b.String()
}

// constantName returns a name if it looks like a constant's: PHP before 8 treats a
// name without quotes as a string, which may be a password.
func constantName(name string) string {
	if isWord(name, "true", "false", "null", "__DIR__", "__FILE__") || strings.Trim(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_\\") == "" {
		return name
	}
	return "a constant"
}

type shower struct {
	*strings.Builder
	depth int
}

func (s shower) expr(e expr) {
	if s.depth++; s.depth > 12 || s.Len() > maxShown {
		s.WriteString("…")
		return
	}
	switch e := e.(type) {
	case *variable:
		s.WriteString("$" + e.name)
		if e.of != nil {
			s.WriteString("{…}")
		}
	case *constant:
		s.WriteString(constantName(e.name))
	case *index:
		s.expr(e.base)
		s.WriteString("[")
		if v, ok := e.base.(*variable); ok && isWord(v.name, "_SERVER", "_ENV", "GLOBALS") {
			s.name(e.key)
		} else if e.key != nil {
			s.expr(e.key)
		}
		s.WriteString("]")
	case *property:
		s.expr(e.base)
		s.WriteString("->" + e.name)
		if e.of != nil {
			s.WriteString("{…}")
		}
	case *call:
		s.WriteString(e.name)
		if e.of != nil {
			s.expr(e.of)
		}
		s.WriteString("(")
		for k, a := range e.args {
			if k > 0 {
				s.WriteString(", ")
			}
			if isWord(e.name, "getenv", "defined", "constant", "ini_get") {
				s.name(a.value)
			} else {
				s.expr(a.value)
			}
		}
		s.WriteString(")")
	case *unary:
		s.WriteString(e.op)
		s.expr(e.operand)
	case *binary:
		s.expr(e.left)
		s.WriteString(" " + e.op + " ")
		s.expr(e.right)
	case *ternary:
		s.expr(e.cond)
		s.WriteString(" ?")
		if e.yes != nil {
			s.WriteString(" ")
			s.expr(e.yes)
			s.WriteString(" ")
		}
		s.WriteString(": ")
		s.expr(e.no)
	case *opaque:
		s.WriteString(e.what)
	case *include:
		s.WriteString("require ")
		s.expr(e.path)
	case *issetOf:
		s.WriteString("isset(")
		for k, one := range e.of {
			if k > 0 {
				s.WriteString(", ")
			}
			s.expr(one)
		}
		s.WriteString(")")
	case *match:
		s.WriteString("match (")
		s.expr(e.subject)
		s.WriteString(")")
	default:
		s.WriteString("…")
	}
}

// name formats a key that is a name.
func (s shower) name(e expr) {
	if l, ok := e.(*literal); ok && l.value.kind == KindString && nameOf(l.value.s) == l.value.s {
		s.WriteString("'" + l.value.s + "'")
		return
	}
	if e != nil {
		s.expr(e)
	}
}
