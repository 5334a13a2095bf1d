package php

// expr is an expression, stmt a statement.
type (
	expr interface{ pos() Pos }
	stmt interface{ pos() Pos }
)

func (p Pos) pos() Pos { return p }

// Expressions.
type (
	literal struct { // a string or a number
		Pos
		value Value
	}
	template struct { // a string that contains variables
		Pos
		parts []expr
	}
	constant struct {
		Pos
		name string
	}
	variable struct { // $name, or ${of}
		Pos
		name string
		of   expr
	}
	index struct { // base[key]; key is nil in base[]
		Pos
		base, key expr
	}
	property struct { // base->name, or base->{of}
		Pos
		base expr
		name string
		of   expr
	}
	arrayLiteral struct { // also the left side of [$a, $b] = …
		Pos
		items []arrayItem
	}
	unary struct { // operators before the operand, casts as "(int)"
		Pos
		op      string
		operand expr
	}
	binary struct {
		Pos
		op          string
		left, right expr
	}
	ternary struct { // yes is nil in cond ?: no
		Pos
		cond, yes, no expr
	}
	assign struct { // op is "" or the operator of +=, .=, ??= …
		Pos
		op     string
		target expr
		value  expr
		ref    bool // =&
	}
	step struct { // ++ and --
		Pos
		target expr
		by     int64
		after  bool // the result is the old value
	}
	issetOf struct {
		Pos
		of []expr
	}
	call struct { // of a function by name, or of a value
		Pos
		name string
		of   expr
		args []argument
	}
	opaque struct { // methods, static members, new: parsed but never evaluated
		Pos
		what string // as in messages: "new X", "->name()"
		of   []expr // object and arguments
		make bool   // new stdClass
	}
	include struct {
		Pos
		path     expr
		once     bool
		required bool
	}
	exit struct { // exit, die, throw
		Pos
		with expr
	}
	match struct {
		Pos
		subject expr
		arms    []matchArm
	}
	closure struct {
		Pos
		fn *function
	}
)

type arrayItem struct {
	key, value  expr // value is nil for a skipped element of a list
	ref, spread bool
}

type argument struct {
	value  expr
	spread bool
}

type matchArm struct {
	when  []expr // nil for default
	value expr
}

type function struct {
	Pos
	name      string
	params    []param
	uses      []param // of a closure
	arrow     bool    // fn: has access to the outer variables
	generator bool    // contains yield
	body      []stmt
}

type param struct {
	name     string
	byRef    bool
	variadic bool
	fallback expr
}

// Statements.
type (
	exprStmt struct {
		Pos
		of expr
	}
	block struct {
		Pos
		list []stmt
	}
	ifStmt struct {
		Pos
		cond      expr
		then, els []stmt
	}
	loop struct { // while, do, for
		Pos
		init, cond, after []expr // cond: the last one decides; an empty list is true
		body              []stmt
		bodyFirst         bool
	}
	foreach struct {
		Pos
		over, key, value expr
		ref              bool
		body             []stmt
	}
	switchStmt struct {
		Pos
		subject expr
		cases   []switchCase
	}
	jump struct { // break, continue
		Pos
		brk    bool
		levels int
	}
	returnStmt struct {
		Pos
		value expr
	}
	unsetStmt struct {
		Pos
		of []expr
	}
	globalStmt struct {
		Pos
		names []expr
	}
	staticStmt struct {
		Pos
		names []string
	}
	constStmt struct {
		Pos
		name  string
		value expr
	}
	functionStmt struct {
		Pos
		fn *function
	}
	tryStmt struct {
		Pos
		body    []stmt
		catches [][]stmt
		finally []stmt
	}
	classStmt struct { // its code is not evaluated
		Pos
		globals bool // uses global variables
	}
)

type switchCase struct {
	when expr // nil for default
	body []stmt
}
