package address

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/lmsvault/vault/internal/phpvalue"
)

// check replaces the address in a value and back, and checks what must hold for each value.
func check(t *testing.T, s string) {
	t.Helper()
	for _, way := range [][2]string{{oldSite, newSite}, {"http://localhost", "http://localhost/moodle"}, {"http://moodle.example.org/lms", "https://moodle.example.org"}} {
		forth, back := replacer(t, way[0], way[1], false), replacer(t, way[1], way[0], false)
		got, err := forth.Replace(s)
		if err != nil {
			if got != s {
				t.Fatalf("%q is reported (%v), but becomes %q", s, err, got)
			}
			continue
		}
		if json.Valid([]byte(s)) && !json.Valid([]byte(got)) {
			t.Fatalf("JSON %q becomes %q", s, got)
		}
		if phpvalue.Valid(s) && !phpvalue.Valid(got) {
			t.Fatalf("serialized %q becomes %q", s, got)
		}
		if utf8.ValidString(s) && !utf8.ValidString(got) {
			t.Fatalf("UTF-8 %q becomes %q", s, got)
		}
		if again, err := forth.Replace(got); err == nil && again != got {
			t.Fatalf("%q becomes %q, and that %q", s, got, again)
		}
		if there, err := back.Replace(s); err != nil || there != s {
			continue // the new address is there already
		}
		if was, err := back.Replace(got); err != nil || was != s {
			t.Fatalf("%q becomes %q, and back %q (%v)", s, got, was, err)
		}
	}
}

// Whatever a value is, the replacement ends, keeps JSON and serialized values whole, and
// can be undone.
func FuzzReplace(f *testing.F) {
	for _, s := range []string{
		"http://moodle.example.org/lms", `{"a":"http:\/\/moodle.example.org\/lms"}`, `a:1:{i:0;s:29:"http://moodle.example.org/lms";}`, "//localhost.",
		code(`s:29:"http://moodle.example.org/lms";`), "http%3A%2F%2Flocalhost%2f", `["\ud83d\ude00\ud83dhttp://localhost"]`, "&#x2f;&#x2f;localhost&#5",
		`C:1:"A":16:{http://localhost}`, "http://moodle.example.org.", code("//localhost") + "=", `O:1:"A":1:{s:1:"b";` + text("http://localhost/x") + "}",
	} {
		f.Add(s)
	}
	f.Fuzz(check)
}

// builder makes nested values of bytes that a fuzzer gives.
type builder struct {
	bytes []byte
	coded int // base64 in each other; the search looks into two
}

func (b *builder) next(n int) int {
	if len(b.bytes) == 0 {
		return 0
	}
	c := b.bytes[0]
	b.bytes = b.bytes[1:]
	return int(c) % n
}

var leaves = []string{
	oldSite, "http://localhost", newSite, "http://moodle.example.org", "http://moodle.example.org/lms/course?a=1&b=é", `http:\/\/localhost\/a`, "//localhost/",
	"http%3A%2F%2Flocalhost%2Fmoodle", "plain", "", "\x00*\x00a", "😀\n\"\\/", "\xff", "http%3A%2F%2Fmoodle.example.org%2Flms",
}

func (b *builder) value(depth int) string {
	if depth == 0 {
		return leaves[b.next(len(leaves))]
	}
	switch b.next(7) {
	case 0:
		return text(b.value(depth - 1))
	case 1, 2:
		s := fmt.Sprintf("a:%d:{", 2)
		if b.next(2) == 0 {
			s = `O:8:"stdClass":2:{`
		}
		return s + text(b.value(depth-1)) + text(b.value(depth-1)) + "i:7;R:1;}"
	case 3, 4:
		raw, err := json.Marshal(map[string]any{b.value(depth - 1): b.value(depth - 1), "n": 1.5, "l": []string{b.value(depth - 1)}})
		if err != nil {
			return "{}"
		}
		if b.next(2) == 0 {
			return strings.ReplaceAll(string(raw), "/", `\/`)
		}
		return string(raw)
	case 5:
		if b.coded++; b.coded > 2 {
			break
		}
		return base64.StdEncoding.EncodeToString([]byte(b.value(depth - 1)))
	}
	return b.value(depth-1) + " " + b.value(depth-1)
}

// The same for values that are nested in each other.
func FuzzNested(f *testing.F) {
	f.Add([]byte{1, 0, 0, 3, 2, 1, 5, 4, 0})
	f.Add([]byte{5, 1, 1, 3, 0, 5, 0, 6, 1, 2})
	f.Add([]byte{3, 5, 0, 1, 1, 5, 6, 7, 3, 0, 1, 1, 1, 0, 0, 0})
	f.Fuzz(func(t *testing.T, data []byte) {
		b := &builder{bytes: data}
		check(t, b.value(b.next(5)))
	})
}
