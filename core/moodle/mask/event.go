package mask

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
)

// Values of the keys username and email in what a log keeps of an event: in JSON, and in
// PHP's serialize.
var (
	inJSON = regexp.MustCompile(`"(username|email|newemail)":"((?:[^"\\]|\\.)*)"`)
	inPHP  = regexp.MustCompile(`s:\d+:"(username|email|newemail)";s:\d+:"([^"]*)";`)
)

// event masks the usernames and e-mail addresses in an event.
func (m *masker) event(value string) string {
	if !strings.Contains(value, "username") && !strings.Contains(value, "email") {
		return value
	}
	kind := func(key string) Kind {
		if key == "username" {
			return Account
		}
		return Email
	}
	value = inJSON.ReplaceAllStringFunc(value, func(found string) string {
		parts := inJSON.FindStringSubmatch(found)
		var text string
		if json.Unmarshal([]byte(`"`+parts[2]+`"`), &text) != nil {
			text = parts[2]
		}
		return `"` + parts[1] + `":"` + m.mask(kind(parts[1]), text, 0) + `"` // masks need no escapes
	})
	return inPHP.ReplaceAllStringFunc(value, func(found string) string {
		parts := inPHP.FindStringSubmatch(found)
		to := m.mask(kind(parts[1]), parts[2], 0)
		return fmt.Sprintf(`s:%d:"%s";s:%d:"%s";`, len(parts[1]), parts[1], len(to), to)
	})
}
