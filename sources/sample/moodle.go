package sample

import (
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"strconv"
)

const epoch = 1704067200 // 2024-01-01 00:00:00 UTC

// makers generates the rows of Moodle's tables: number of rows at factor 1, size, and
// content. Row i has the id i+1.
var makers = map[string]struct {
	rows, size int64
	row        func(c *cells, i int64)
}{
	"config": {int64(len(settings)), 40, func(c *cells, i int64) {
		c.int(i + 1)
		c.text(settings[i][0], settings[i][1])
	}},
	"config_plugins": {150, 60, func(c *cells, i int64) {
		c.int(i + 1)
		if i < int64(len(installed)) {
			c.text(installed[i].component, "version", pluginVersion)
			return
		}
		c.text(pick(&c.random, components), fmt.Sprintf("setting%d", i))
		if i%9 == 0 {
			c.null()
			return
		}
		c.text(oddTexts[i%int64(len(oddTexts))])
	}},
	"course": {25, 400, func(c *cells, i int64) {
		category, name := 1+c.below(8), fmt.Sprintf("Course %d: äöü & <b>日本語</b>", i)
		if i == 0 { // the site itself
			category, name = 0, "Sample School: äöü & 日本語"
		}
		c.int(i+1, category, 10000*(i+1))
		c.text(name, fmt.Sprintf("C%d", i), "")
		c.prose(300)
		c.int(1)
		c.text("topics")
		c.int(epoch+i*86400, 1, i%3, epoch+i, epoch)
	}},
	"course_modules": {150, 60, func(c *cells, i int64) {
		c.int(i+1, 1+c.below(25), 1+c.below(20), i+1)
		if i%3 == 0 {
			c.text(fmt.Sprintf("cm%d", i))
		} else {
			c.null()
		}
		c.int(epoch+i, i%100, i%5, 1, i%3)
		c.maybe(2, 0)
	}},
	"forum_posts": {120, postSize, func(c *cells, i int64) {
		c.int(i+1, 1+i/5, max(0, i-i%5), 1+c.below(60), epoch+i*60, epoch+i*61, 1)
		c.text("Re: " + c.words[c.below(1<<wordBits)])
		switch {
		case i == 0:
			c.prose(1<<20 + 70000) // exceeds limits of 1 MiB
		case i%10 == 1:
			c.text("<p dir=\"ltr\">" + oddTexts[i/10%int64(len(oddTexts))] + "</p>\r\n")
		case i%10 == 2:
			c.text(fmt.Sprintf(`<p><a href="%s/mod/forum/discuss.php?d=%d">the other thread</a></p>`, Address, i))
		default:
			c.prose(100 + int(c.below(2700)))
		}
		c.int(1)
		c.text("")
		c.int(i % 7)
	}},
	"grade_grades": {250, 70, func(c *cells, i int64) {
		c.int(i+1, 1+i%10, 1+i/10)
		if i%4 == 0 {
			c.null()
		} else {
			c.decimal(c.below(10000000), 5)
		}
		c.raw("100.00000", "0.00000")
		c.decimal(c.below(20000000)-10000000, 5)
		c.int(0)
		c.null()
		c.maybe(3, epoch+i)
		c.raw("0.33333")
	}},
	"logstore_standard_log": {600, logSize, func(c *cells, i int64) {
		e := pick(&c.random, events)
		c.int(i + 1)
		c.text(e.name, e.component, e.action, e.target, e.table)
		c.maybe(8, 1+c.below(50000))
		c.text(e.crud)
		course := 1 + c.below(300)
		c.int(c.below(3), 20+course*31%5000, 50, course, 2+c.below(4000), course)
		c.maybe(2, c.below(4000))
		c.int(0)
		switch i % 4 {
		case 0:
			c.null()
		case 1:
			c.text("N;")
		case 2:
			c.text(fmt.Sprintf(`{"itemid":"%d","overridden":false,"finalgrade":%d}`, c.below(9000), c.below(100)))
		default:
			c.text(fmt.Sprintf(`a:2:{s:6:"action";s:4:"view";s:2:"id";i:%d;}`, c.below(9000)))
		}
		c.int(epoch + i*7)
		c.text("web", fmt.Sprintf("203.0.113.%d", c.below(200)))
		c.null()
	}},
	"question": {80, 400, func(c *cells, i int64) {
		c.int(i+1, 0)
		c.text(fmt.Sprintf("Q%d", i))
		c.prose(250)
		c.int(1)
		c.text("")
		c.decimal(c.below(10)*10000000, 7)
		c.raw("0.3333333")
		c.text([]string{"multichoice", "essay", "truefalse", "calculated"}[i%4])
		c.int(1)
		c.text(fmt.Sprintf("school.example+2401%02d+%d", i%28, i))
		if i%2 == 0 {
			c.null()
		} else {
			c.text("q-" + strconv.FormatInt(i, 10))
		}
	}},
	"quiz_attempts": {80, 90, func(c *cells, i int64) {
		c.int(i+1, 1+i%4, 1+i/4, 1, i+1)
		c.text("1,2,0,3,4,0")
		c.int(0, 0)
		c.text([]string{"finished", "inprogress"}[i%2])
		c.int(epoch+i*100, (epoch+i*100+900)*(1-i%2))
		if i%2 == 0 {
			c.decimal(c.below(1000000), 5)
		} else {
			c.null()
		}
	}},
	"sessions": {20, 300, func(c *cells, i int64) {
		sum := sha1.Sum(fmt.Appendf(nil, "session %d %d", c.config.Seed, i))
		c.int(i+1, 0)
		c.text(hex.EncodeToString(sum[:]))
		c.int(i % 3)
		if i%3 == 0 {
			c.null()
		} else {
			c.text(fmt.Sprintf("SESSION|O:8:\"stdClass\":1:{s:4:\"\x01*\x01a\";d:0.1;}USER|i:%d;", i))
		}
		c.int(epoch + i)
		c.text("2001:db8::1")
	}},
	"tag": {50, 60, func(c *cells, i int64) {
		name := fmt.Sprintf("tag %d %s", i, []string{"ж", "ü", "語", "🎓", "plain"}[i%5])
		c.int(i+1, 2, 1+i%2)
		c.text(name, name)
		c.int(i % 2)
		c.null()
		c.maybe(2, 1)
	}},
	"user": {60, 220, func(c *cells, i int64) {
		c.int(i + 1)
		c.text("manual")
		c.int(1, i%20/19, 1)
		c.text(fmt.Sprintf("user%d", i), "$6$rounds=10000$"+c.words[i]+"$notahash", "", givenNames[i%int64(len(givenNames))], familyNames[i/3%int64(len(familyNames))],
			fmt.Sprintf("user%d@example.org", i), "en", "99")
		c.int(epoch + c.below(1000000))
		if i%2 == 0 {
			c.null()
		} else {
			c.text("")
		}
		c.int(epoch + i)
	}},
}

const (
	logSize  = 171 // measured
	postSize = 1375
)

const siteIdentifier = "q3HfZcV5sample0000000000000000000school.example"

var settings = [][2]string{
	{"version", version}, {"release", release}, {"branch", branch}, {"siteidentifier", siteIdentifier}, {"country", "DE"}, {"siteadmins", "2"},
	{"theme", "boost"}, {"themerev", "1704067200"}, {"jsrev", "-1"}, {"lang", "en"}, {"langmenu", "1"}, {"forced", ""}, {"allversionshash", "da39a3ee5e6b4b0d3255bfef95601890afd80709"},
	{"textfilters", "1,2,3"}, {"leading_zeros", "007"}, {"exponent", "1e5"}, {"hexadecimal", "0x1A"}, {"long_digits", "12345678901234567890123456789"}, {"trailing_zero", "1.50"},
	{"serialized", "a:2:{i:0;s:6:\"äöü\";i:1;b:1;}"}, {"json", `{"a":[1,2.50,null],"b":"\u00e4\/\n"}`}, {"null_as_text", "NULL"}, {"backslash_n", `\N`},
}

var components = []string{"core", "mod_forum", "mod_quiz", "enrol_manual", "theme_boost", "tool_log"}

var givenNames = []string{"Zoë", "Александр", "محمد", "さくら", "José", "O'Brien", "Anna-Lena", "Żółć", "Ngọc", "Łukasz"}

var familyNames = []string{"Müller", "Иванов", "العربي", "田中", "Núñez", "van der Berg", "Smith", "Öztürk"}

// events are matching texts in the log.
var events = []struct{ name, component, action, target, table, crud string }{
	{`\core\event\course_viewed`, "core", "viewed", "course", "course", "r"},
	{`\core\event\user_loggedin`, "core", "loggedin", "user", "user", "r"},
	{`\core\event\user_graded`, "core", "graded", "user", "grade_grades", "u"},
	{`\mod_forum\event\post_created`, "mod_forum", "created", "post", "forum_posts", "c"},
	{`\mod_forum\event\discussion_viewed`, "mod_forum", "viewed", "discussion", "forum_discussions", "r"},
	{`\mod_quiz\event\attempt_started`, "mod_quiz", "started", "attempt", "quiz_attempts", "c"},
	{`\mod_quiz\event\attempt_submitted`, "mod_quiz", "submitted", "attempt", "quiz_attempts", "u"},
	{`\mod_resource\event\course_module_viewed`, "mod_resource", "viewed", "course_module", "resource", "r"},
	{`\mod_assign\event\submission_status_viewed`, "mod_assign", "viewed", "submission_status", "assign_submission", "r"},
	{`\core\event\notification_sent`, "core", "sent", "notification", "notifications", "c"},
}
