package php

import (
	"fmt"
)

// Pos is a line of a file.
type Pos struct {
	File string
	Line int // from 1; 0 where there is no position
}

// String returns FILE:LINE.
func (p Pos) String() string { return fmt.Sprintf("%s:%d", p.File, p.Line) }

// SyntaxError reports PHP that cannot be parsed, because it is invalid or because
// this package does not support it.
type SyntaxError struct {
	Pos     Pos
	Problem string
}

func (e *SyntaxError) Error() string { return e.Pos.String() + ": " + e.Problem }
