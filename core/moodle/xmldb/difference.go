package xmldb

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Kind is a kind of difference between definitions and a database.
type Kind string

// The kinds of differences. An object is extra if no definition has it, and
// missing if the database has it not.
const (
	ExtraTable    Kind = "extra_table"
	MissingTable  Kind = "missing_table"
	ChangedTable  Kind = "changed_table" // its primary key or its sequence differs
	ExtraColumn   Kind = "extra_column"
	MissingColumn Kind = "missing_column"
	ChangedColumn Kind = "changed_column"
	ExtraIndex    Kind = "extra_index"
	MissingIndex  Kind = "missing_index"
	// Lost is an object, or a part of one, that no backup can include (a trigger, a view).
	Lost Kind = "lost"
)

// Severity says what a difference means for a backup.
type Severity string

// The severities.
const (
	// Included differences are part of the backup and of what is restored from it.
	Included Severity = "included"
	// Noted differences leave nothing to back up: what is missing stays missing.
	Noted Severity = "noted"
	// Fails marks what a backup can't include: it must be excluded, or its loss accepted.
	Fails Severity = "fails"
)

// Aspect is what differs of a changed table or column.
type Aspect string

// The aspects.
const (
	AspectKey      Aspect = "primary_key"
	AspectSequence Aspect = "sequence"
	AspectType     Aspect = "type"
	AspectLength   Aspect = "length"
	AspectNull     Aspect = "null"
	AspectDefault  Aspect = "default"
)

// Difference is something in which a database is not as the code defines it.
type Difference struct {
	Kind     Kind
	Severity Severity
	// Component defines the table. For an extra table it is the one that the name
	// suggests, "" for none.
	Component string
	Table     string // without the prefix
	Column    string // of a column's difference
	Index     string // of an index's difference: its name in the database, or the one that it would get
	Columns   []string
	Aspect    Aspect
	Want, Got string // in the engine's words: the definition, and what is there
	// EngineOwn is set if the object exists on the database's own engine only.
	EngineOwn bool
	Reason    string // why it fails, or what explains it
}

// ID names the difference for people and in settings, the same in every run.
func (d Difference) ID() string {
	id := string(d.Kind) + ":" + d.Table
	switch {
	case d.Column != "":
		id += "." + d.Column
	case d.Index != "":
		id += "." + d.Index
	case d.Kind == Lost:
		id += "." + d.Got
	}
	if d.Aspect != "" {
		id += ":" + string(d.Aspect)
	}
	return id
}

// String says what differs, without the component.
func (d Difference) String() string {
	columns := "(" + strings.Join(d.Columns, ", ") + ")"
	if d.Kind == ExtraIndex && d.Got != "" {
		columns = d.Got
	}
	var text string
	switch d.Kind {
	case ExtraTable:
		text = fmt.Sprintf("table %s is in no definition", d.Table)
	case MissingTable:
		text = fmt.Sprintf("table %s is missing", d.Table)
	case ChangedTable:
		text = fmt.Sprintf("table %s: the %s is %s, defined is %s", d.Table, d.Aspect.words(), orNone(d.Got), orNone(d.Want))
	case ExtraColumn:
		text = fmt.Sprintf("table %s: column %s (%s) is in no definition", d.Table, d.Column, d.Got)
	case MissingColumn:
		text = fmt.Sprintf("table %s: column %s (%s) is missing", d.Table, d.Column, d.Want)
	case ChangedColumn:
		text = fmt.Sprintf("table %s: column %s: the %s is %s, defined is %s", d.Table, d.Column, d.Aspect.words(), orNone(d.Got), orNone(d.Want))
	case ExtraIndex:
		text = fmt.Sprintf("table %s: index %s %s is in no definition", d.Table, d.Index, columns)
	case MissingIndex:
		text = fmt.Sprintf("table %s: index %s %s is missing", d.Table, d.Index, columns)
	default:
		text = d.Table
		if d.Got != "" {
			text += ": " + d.Got
		}
	}
	if d.Reason != "" {
		text += ": " + d.Reason
	}
	return text
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

func (a Aspect) words() string {
	switch a {
	case AspectKey:
		return "primary key"
	case AspectNull:
		return "nullability"
	}
	return string(a)
}

// Remedy says what an administrator can do about it.
func (d Difference) Remedy() string {
	switch {
	case d.Severity == Fails:
		return "exclude the table, change the database, or accept the loss"
	case d.Kind == MissingTable || d.Kind == MissingColumn:
		return "run admin/cli/upgrade.php; if nothing is due, make it again with the plugin's install.xml"
	case d.Kind == MissingIndex:
		return "make the index, or let admin/cli/check_database_schema.php show how"
	case d.EngineOwn:
		return "nothing, for this engine; a restore into another one leaves it out"
	case d.Kind == ExtraTable && d.Component == "":
		return "nothing; exclude the table if another program's data should stay out of the backup"
	}
	return "nothing"
}

// kindOrder is the order in which the differences of one table are told.
var kindOrder = map[Kind]int{
	ExtraTable: 0, MissingTable: 1, ChangedTable: 2, MissingColumn: 3, ChangedColumn: 4, ExtraColumn: 5, MissingIndex: 6, ExtraIndex: 7, Lost: 8,
}

// order sorts differences by component, core first and none last, then by table.
func order(list []Difference) {
	slices.SortStableFunc(list, func(a, b Difference) int {
		rank := func(d Difference) int {
			switch d.Component {
			case "core":
				return 0
			case "":
				return 2
			}
			return 1
		}
		return cmp.Or(
			cmp.Compare(rank(a), rank(b)), strings.Compare(a.Component, b.Component), strings.Compare(a.Table, b.Table),
			cmp.Compare(kindOrder[a.Kind], kindOrder[b.Kind]), strings.Compare(a.Column, b.Column), strings.Compare(a.Index, b.Index),
			strings.Compare(string(a.Aspect), string(b.Aspect)),
		)
	})
}
