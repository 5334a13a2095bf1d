package config

// Listed is a setting in the result of Flatten.
type Listed struct {
	Field
	Path string // such as rules[].table, or hosts[NAME].dir in a map
	Like string // path of the object with the same settings, if Outer is set
}

// Flatten returns fields; each object is followed by its fields.
func Flatten(fields []Field) []Listed { return flatten(nil, fields, nil) }

// flatten appends fields to a list. around has the paths of the enclosing objects,
// outermost first.
func flatten(list []Listed, fields []Field, around []string) []Listed {
	prefix := ""
	if len(around) > 0 {
		prefix = around[len(around)-1] + "."
	}
	for _, f := range fields {
		one := Listed{Field: f, Path: prefix + f.Name}
		inner := one.Path
		switch f.Type {
		case Groups:
			inner += "[]"
		case Named:
			inner += "[NAME]"
		}
		if f.Outer > 0 && f.Outer <= len(around) {
			one.Like = around[len(around)-f.Outer]
		}
		list = append(list, one)
		list = flatten(list, f.Fields, append(around[:len(around):len(around)], inner))
	}
	return list
}
