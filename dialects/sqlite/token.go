package sqlite

import "strings"

type tokenKind int

const (
	word    tokenKind = iota // a keyword or bare name
	name                     // a quoted name, without its quotes
	literal                  // a text in single quotes, without them
	remark                   // a comment, without its delimiters
	other                    // a number, an operator, a parenthesis
)

type token struct {
	kind  tokenKind
	text  string
	start int // where it begins in the SQL
	end   int
}

func (t token) is(keyword string) bool { return t.kind == word && strings.EqualFold(t.text, keyword) }

// tokens splits SQL as SQLite does (sqlite.org, "SQL As Understood By SQLite"). An
// unterminated token extends to the end of the text.
func tokens(sql string) []token {
	var list []token
	for at := 0; at < len(sql); {
		t := next(sql, at)
		if t.end <= at {
			t.end = at + 1
		}
		if t.kind != other || strings.TrimSpace(t.text) != "" {
			list = append(list, t)
		}
		at = t.end
	}
	return list
}

func next(sql string, at int) token {
	switch c := sql[at]; {
	case c == '\'':
		return quoted(sql, at, '\'', literal)
	case c == '"' || c == '`':
		return quoted(sql, at, c, name)
	case c == '[':
		return until(sql, at, 1, "]", name)
	case strings.HasPrefix(sql[at:], "--"):
		return until(sql, at, 2, "\n", remark)
	case strings.HasPrefix(sql[at:], "/*"):
		return until(sql, at, 2, "*/", remark)
	case letter(c):
		end := at + 1
		for end < len(sql) && (letter(sql[end]) || sql[end] >= '0' && sql[end] <= '9' || sql[end] == '$') {
			end++
		}
		return token{word, sql[at:end], at, end}
	}
	return token{other, sql[at : at+1], at, at + 1}
}

func letter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' || c == '_' || c >= 0x80 }

func quoted(sql string, at int, mark byte, kind tokenKind) token {
	var text strings.Builder
	for i := at + 1; i < len(sql); i++ {
		if sql[i] == mark {
			if i+1 == len(sql) || sql[i+1] != mark {
				return token{kind, text.String(), at, i + 1}
			}
			i++
		}
		text.WriteByte(sql[i])
	}
	return token{kind, text.String(), at, len(sql)}
}

func until(sql string, at, skip int, mark string, kind tokenKind) token {
	text, _, closed := strings.Cut(sql[at+skip:], mark)
	end := at + skip + len(text)
	if closed {
		end += len(mark)
	}
	return token{kind, text, at, end}
}
