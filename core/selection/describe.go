package selection

import (
	"fmt"
	"strings"
)

// String describes the condition, as in: component is "x" or "y".
func (c *Condition) String() string {
	if list, word := c.All, " and "; len(list) > 0 || len(c.Any) > 0 {
		if len(list) == 0 {
			list, word = c.Any, " or "
		}
		parts := make([]string, len(list))
		for i := range list {
			parts[i] = list[i].String()
			if len(list[i].All)+len(list[i].Any) > 0 {
				parts[i] = "(" + parts[i] + ")"
			}
		}
		return strings.Join(parts, word)
	}
	switch {
	case c.Null:
		return c.Column + " is null"
	case c.Prefix != "":
		return fmt.Sprintf("%s begins with %q", c.Column, c.Prefix)
	}
	quoted := make([]string, len(c.In))
	for i, v := range c.In {
		quoted[i] = fmt.Sprintf("%q", v)
	}
	return c.Column + " is " + strings.Join(quoted, " or ")
}

// String describes the rule.
func (r *Rows) String() string {
	if r.Except != nil {
		return "without the rows where " + r.Except.String()
	}
	return "only the rows where " + r.Only.String()
}
