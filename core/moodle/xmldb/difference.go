package xmldb

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Kind is the kind of a Difference.
type Kind string

// The kinds. Extra objects exist in the database only, missing ones in the
// definitions only.
const (
	ExtraTable    Kind = "extra_table"
	MissingTable  Kind = "missing_table"
	ChangedTable  Kind = "changed_table" // the primary key or the sequence differs
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
	// Noted differences are things that are missing: there is nothing to back up.
	Noted Severity = "noted"
	// Fails marks what a backup can't include: exclude it, or accept the loss.
	Fails Severity = "fails"
)

// Aspect is the property in which a table or column differs.
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

// Difference is one difference between the definitions and a database.
type Difference struct {
	Kind     Kind
	Severity Severity
	// Component defines the table. For an extra table it is a guess, "" for none.
	Component string
	Table     string   // without the prefix
	Column    string   // of the column kinds
	Index     string   // of the index kinds: its name in the database, or the name that Moodle would give it
	Columns   []string // of the index
	Aspect    Aspect
	Want, Got string // the definition and the database, in the engine's syntax
	// EngineOwn is set if no other engine can hold the object.
	EngineOwn bool
	Reason    string // why it fails, or the explanation of Database.Pending
}

// ID identifies the difference in settings and reports; it is the same in every run.
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

// String describes the difference, without the component.
func (d Difference) String() string {
	columns := "(" + strings.Join(d.Columns, ", ") + ")"
	if d.Kind == ExtraIndex && d.Got != "" {
		columns = d.Got
	}
	var text string
	switch d.Kind {
	case ExtraTable:
		text = fmt.Sprintf("table %s is not defined by any component", d.Table)
	case MissingTable:
		text = fmt.Sprintf("table %s is missing", d.Table)
	case ChangedTable:
		text = fmt.Sprintf("table %s: the %s is %s, defined as %s", d.Table, d.Aspect.words(), orNone(d.Got), orNone(d.Want))
	case ExtraColumn:
		text = fmt.Sprintf("table %s: column %s (%s) is not defined by any component", d.Table, d.Column, d.Got)
	case MissingColumn:
		text = fmt.Sprintf("table %s: column %s (%s) is missing", d.Table, d.Column, d.Want)
	case ChangedColumn:
		text = fmt.Sprintf("table %s: column %s: the %s is %s, defined as %s", d.Table, d.Column, d.Aspect.words(), orNone(d.Got), orNone(d.Want))
	case ExtraIndex:
		text = fmt.Sprintf("table %s: index %s %s is not defined by any component", d.Table, d.Index, columns)
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

// Remedy says what an administrator can do about the difference.
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

// kindOrder is the order in which the differences of one table are listed.
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
