package config

// Listed is a setting in a list of all, those inside of objects too.
type Listed struct {
	Field
	Path string // rules[].table, or hosts[NAME].dir in a map
	Like string // the path of the object that its objects are like, where Outer says so
}

// Flatten lists fields and those inside of objects, each object's after it.
func Flatten(fields []Field) []Listed { return flatten(nil, fields, nil) }

// flatten adds fields to a list; around are the paths of the objects that they are in,
// the outermost first.
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
