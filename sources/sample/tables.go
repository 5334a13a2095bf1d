package sample

import "github.com/lmsvault/vault/core/schema"

// table is a table of the site and how its rows are generated.
type table struct {
	schema.Table
	rows    int64
	rowSize int64 // about, in bytes
	row     func(c *cells, i int64)
}

// moodle returns tables of a real site, without rows.
func moodle() []schema.Table {
	return []schema.Table{
		{Name: "config", Columns: columns(id(), char("name", 255), text("value")),
			Indexes: []schema.Index{unique("name")}},
		{Name: "config_plugins", Columns: columns(id(), otherwise(char("plugin", 100), "core"), char("name", 100), nullable(text("value"))),
			Indexes: []schema.Index{unique("plugin", "name")}},
		{Name: "course", Columns: columns(id(), integer("category", 10), integer("sortorder", 10), char("fullname", 254), char("shortname", 255),
			char("idnumber", 100), nullable(text("summary")), integer("summaryformat", 2), otherwise(char("format", 21), "topics"),
			integer("startdate", 10), otherwise(integer("visible", 1), "1"), integer("groupmode", 4), integer("cacherev", 10), integer("timecreated", 10)),
			Indexes: []schema.Index{index("category"), index("idnumber"), index("shortname"), index("sortorder")}},
		{Name: "course_modules", Columns: columns(id(), integer("course", 10), integer("module", 10), integer("instance", 10), nullable(char("idnumber", 100)),
			integer("added", 10), integer("score", 4), integer("indent", 5), otherwise(integer("visible", 1), "1"), integer("completion", 1), nullable(integer("completiongradeitemnumber", 10))),
			Indexes: []schema.Index{index("visible"), index("course"), index("module"), index("idnumber", "course")}},
		{Name: "forum_posts", Columns: columns(id(), integer("discussion", 10), integer("parent", 10), integer("userid", 10), integer("created", 10), integer("modified", 10),
			integer("mailed", 2), char("subject", 255), required(text("message")), integer("messageformat", 2), char("attachment", 100), integer("totalscore", 4)),
			Indexes: []schema.Index{index("userid"), index("created"), index("mailed"), index("discussion"), index("parent")}},
		{Name: "grade_grades", Columns: columns(id(), required(integer("itemid", 10)), required(integer("userid", 10)), nullable(number("rawgrade", 10, 5)),
			otherwise(number("rawgrademax", 10, 5), "100.00000"), number("rawgrademin", 10, 5), nullable(number("finalgrade", 10, 5)), integer("hidden", 10), nullable(text("feedback")),
			nullable(integer("timemodified", 10)), otherwise(number("aggregationweight", 10, 5), "0.33333")),
			Indexes: []schema.Index{unique("userid", "itemid"), index("itemid")}},
		{Name: "logstore_standard_log", Columns: columns(id(), char("eventname", 255), char("component", 100), char("action", 100), char("target", 100), nullable(char("objecttable", 50)),
			nullable(integer("objectid", 10)), char("crud", 1), required(integer("edulevel", 1)), required(integer("contextid", 10)), required(integer("contextlevel", 10)), required(integer("contextinstanceid", 10)),
			required(integer("userid", 10)), nullable(integer("courseid", 10)), nullable(integer("relateduserid", 10)), integer("anonymous", 1), nullable(text("other")), required(integer("timecreated", 10)),
			nullable(char("origin", 10)), nullable(char("ip", 45)), nullable(integer("realuserid", 10))),
			Indexes: []schema.Index{index("timecreated"), index("courseid", "anonymous", "timecreated"), index("userid", "contextlevel", "contextinstanceid", "crud", "edulevel", "timecreated"), index("contextid")}},
		{Name: "question", Columns: columns(id(), integer("parent", 10), char("name", 255), text("questiontext"), integer("questiontextformat", 2), required(text("generalfeedback")),
			otherwise(number("defaultmark", 12, 7), "1.0000000"), otherwise(number("penalty", 12, 7), "0.3333333"), char("qtype", 20), otherwise(integer("length", 10), "1"), char("stamp", 255), nullable(char("idnumber", 100))),
			Indexes: []schema.Index{index("qtype"), index("parent"), unique("idnumber")}},
		{Name: "quiz_attempts", Columns: columns(id(), integer("quiz", 10), integer("userid", 10), integer("attempt", 6), integer("uniqueid", 10), required(text("layout")), integer("currentpage", 10),
			integer("preview", 3), otherwise(char("state", 16), "inprogress"), integer("timestart", 10), integer("timefinish", 10), nullable(number("sumgrades", 10, 5))),
			Indexes: []schema.Index{unique("quiz", "userid", "attempt"), unique("uniqueid"), index("state", "timestart")}},
		{Name: "sessions", Columns: columns(id(), integer("state", 10), char("sid", 128), required(integer("userid", 10)), nullable(text("sessdata")), required(integer("timecreated", 10)), nullable(char("firstip", 45))),
			Indexes: []schema.Index{unique("sid"), index("state"), index("userid")}},
		{Name: "tag", Columns: columns(id(), required(integer("userid", 10)), required(integer("tagcollid", 10)), char("name", 255), char("rawname", 255), integer("isstandard", 1), nullable(text("description")), nullable(integer("flag", 4))),
			Indexes: []schema.Index{unique("tagcollid", "name"), index("userid")}},
		{Name: "user", Columns: columns(id(), otherwise(char("auth", 20), "manual"), integer("confirmed", 1), integer("deleted", 1), integer("mnethostid", 10), char("username", 100), char("password", 255),
			char("idnumber", 255), char("firstname", 100), char("lastname", 100), char("email", 100), otherwise(char("lang", 30), "en"), otherwise(char("timezone", 100), "99"), integer("lastaccess", 10),
			nullable(text("description")), integer("timecreated", 10)),
			Indexes: []schema.Index{unique("mnethostid", "username"), index("email"), index("firstname"), index("lastname"), index("idnumber")}},
	}
}

// fileTable returns the table whose rows refer to the contents of filedir.
func fileTable() schema.Table {
	return schema.Table{PrimaryKey: []string{"id"}, Name: "files", Columns: columns(id(), char("contenthash", 40), char("pathnamehash", 40), integer("contextid", 10), char("component", 100), char("filearea", 50),
		integer("itemid", 10), char("filepath", 255), char("filename", 255), nullable(integer("userid", 10)), integer("filesize", 10), nullable(char("mimetype", 100)),
		integer("status", 10), nullable(text("source")), nullable(char("author", 255)), integer("timecreated", 10), integer("timemodified", 10), nullable(integer("referencefileid", 10))),
		Indexes: []schema.Index{index("component", "filearea", "contextid", "itemid"), index("contenthash"), unique("pathnamehash"), index("userid")}}
}
