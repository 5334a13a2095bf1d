package address

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
)

func replacer(t testing.TB, from, to string, otherScheme bool) *Replacer {
	t.Helper()
	a, err := Parse(from)
	if err != nil {
		t.Fatal(err)
	}
	b, err := Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	return NewReplacer(a, b, otherScheme)
}

const (
	oldSite = "http://moodle.example.org/lms"
	newSite = "https://learn.example.com:8443"
)

// text returns serialize() of a text.
func text(s string) string { return fmt.Sprintf(`s:%d:"%s";`, len(s), s) }

func code(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

func TestAddressIsReplacedInEachSpelling(t *testing.T) {
	r := replacer(t, oldSite, newSite, false)
	for name, c := range map[string][2]string{
		"alone":                   {"http://moodle.example.org/lms", "https://learn.example.com:8443"},
		"page":                    {"http://moodle.example.org/lms/course/view.php?id=2", "https://learn.example.com:8443/course/view.php?id=2"},
		"HTML":                    {`<a href="http://moodle.example.org/lms">é</a>`, `<a href="https://learn.example.com:8443">é</a>`},
		"several":                 {"http://moodle.example.org/lms http://moodle.example.org/lms/", "https://learn.example.com:8443 https://learn.example.com:8443/"},
		"end of sentence":         {"See http://moodle.example.org/lms. Or http://moodle.example.org/lms: here", "See https://learn.example.com:8443. Or https://learn.example.com:8443: here"},
		"fragment":                {"http://moodle.example.org/lms#a,http://moodle.example.org/lms?b", "https://learn.example.com:8443#a,https://learn.example.com:8443?b"},
		"without scheme":          {`src="//moodle.example.org/lms/pix.png"`, `src="//learn.example.com:8443/pix.png"`},
		"JSON":                    {`{"u":"http:\/\/moodle.example.org\/lms\/x","n":1.50}`, `{"u":"https:\/\/learn.example.com:8443\/x","n":1.50}`},
		"JSON with bare slashes":  {` {"u":"http://moodle.example.org/lms/x"} `, ` {"u":"https://learn.example.com:8443/x"} `},
		"JSON key":                {`{"http:\/\/moodle.example.org\/lms":[]}`, `{"https:\/\/learn.example.com:8443":[]}`},
		"JSON with odd slashes":   {`["http:\u002f\u002fmoodle.example.org\u002flms"]`, `["https:\u002f\u002flearn.example.com:8443"]`},
		"JSON in JSON":            {`{"j":"{\"u\":\"http:\\\/\\\/moodle.example.org\\\/lms\"}"}`, `{"j":"{\"u\":\"https:\\\/\\\/learn.example.com:8443\"}"}`},
		"JSON after a line break": {`{"u":"a\nhttp:\/\/moodle.example.org\/lms\u00e9\ud83d\ude00"}`, `{"u":"a\nhttps:\/\/learn.example.com:8443\u00e9\ud83d\ude00"}`},
		"part of JSON":            {`var u = "http:\/\/moodle.example.org\/lms\/x";`, `var u = "https:\/\/learn.example.com:8443\/x";`},
		"part of JSON, relative":  {`"a\n\/\/moodle.example.org\/lms\"`, `"a\n\/\/learn.example.com:8443\"`},
		"percent-encoded":         {"?u=http%3A%2F%2Fmoodle.example.org%2Flms%2Fx", "?u=https%3A%2F%2Flearn.example.com%3A8443%2Fx"},
		"percent-encoded, small":  {"?u=http%3a%2f%2fmoodle.example.org%2flms&v", "?u=https%3a%2f%2flearn.example.com%3a8443&v"},
		"percent-encoded twice":   {"?u=http%253A%252F%252Fmoodle.example.org%252Flms%252Fx", "?u=https%253A%252F%252Flearn.example.com%253A8443%252Fx"},
		"percent, relative":       {"?u%3D%2F%2Fmoodle.example.org%2Flms%20x", "?u%3D%2F%2Flearn.example.com%3A8443%20x"},
		"HTML entities":           {"http&#58;&#47;&#47;moodle.example.org&#47;lms&quot;", "https&#58;&#47;&#47;learn.example.com&#58;8443&quot;"},
		"HTML entities, hex":      {"http:&#x2F;&#x2F;moodle.example.org&#x2F;lms&#x2F;", "https:&#x2F;&#x2F;learn.example.com:8443&#x2F;"},
		"JSON in an attribute":    {`data-a="{&quot;u&quot;:&quot;http:\/\/moodle.example.org\/lms&quot;}"`, `data-a="{&quot;u&quot;:&quot;https:\/\/learn.example.com:8443&quot;}"`},
		"serialized":              {text("http://moodle.example.org/lms é"), text("https://learn.example.com:8443 é")},
		"serialized, all kinds": {
			`a:8:{i:0;N;i:-1;b:1;s:1:"d";d:-1.5E+25;i:2;d:NAN;s:1:"o";O:8:"stdClass":1:{s:4:"` + "\x00*\x00" + `u";` + text("http://moodle.example.org/lms/ü") + `}i:3;R:2;i:4;E:5:"A:One";` + text("http://moodle.example.org/lms") + `a:0:{}}`,
			`a:8:{i:0;N;i:-1;b:1;s:1:"d";d:-1.5E+25;i:2;d:NAN;s:1:"o";O:8:"stdClass":1:{s:4:"` + "\x00*\x00" + `u";` + text("https://learn.example.com:8443/ü") + `}i:3;R:2;i:4;E:5:"A:One";` + text("https://learn.example.com:8443") + `a:0:{}}`,
		},
		"own serialize()": {`C:3:"Abc":37:{` + text("http://moodle.example.org/lms") + "}", `C:3:"Abc":38:{` + text("https://learn.example.com:8443") + "}"},
		"serialized in serialized": {
			`a:1:{i:0;` + text(text("http://moodle.example.org/lms")) + `}`,
			`a:1:{i:0;` + text(text("https://learn.example.com:8443")) + `}`,
		},
		"base64":                    {code("http://moodle.example.org/lms"), code("https://learn.example.com:8443")},
		"base64 in an address":      {"/login?to=" + code("http://moodle.example.org/lms/?a>b") + "&x", "/login?to=" + code("https://learn.example.com:8443/?a>b") + "&x"},
		"settings of a block":       {code(`O:8:"stdClass":2:{s:4:"text";` + text(`<img src="http://moodle.example.org/lms/a.png">`) + `s:6:"format";s:1:"1";}`), code(`O:8:"stdClass":2:{s:4:"text";` + text(`<img src="https://learn.example.com:8443/a.png">`) + `s:6:"format";s:1:"1";}`)},
		"base64 in base64":          {code("x" + " " + code("http://moodle.example.org/lms")), code("x" + " " + code("https://learn.example.com:8443"))},
		"base64 in serialized":      {text(code("a http://moodle.example.org/lms")), text(code("a https://learn.example.com:8443"))},
		"JSON in serialized":        {text(`{"u":"http:\/\/moodle.example.org\/lms"}`), text(`{"u":"https:\/\/learn.example.com:8443"}`)},
		"serialized in JSON":        {`{"s":"a:1:{i:0;s:32:\"http:\/\/moodle.example.org\/lms\/\u00e9\";}"}`, `{"s":"a:1:{i:0;s:33:\"https:\/\/learn.example.com:8443\/\u00e9\";}"}`},
		"base64 in JSON":            {`{"b":"` + strings.ReplaceAll(code("aa?>??http://moodle.example.org/lms"), "/", `\/`) + `"}`, `{"b":"` + strings.ReplaceAll(code("aa?>??https://learn.example.com:8443"), "/", `\/`) + `"}`},
		"JSON in base64 in an HTML": {`<x y='` + code(`{"u":"http:\/\/moodle.example.org\/lms"}`) + `'>`, `<x y='` + code(`{"u":"https:\/\/learn.example.com:8443"}`) + `'>`},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := r.Replace(c[0])
			if err != nil || got != c[1] {
				t.Errorf("%s\nbecomes\n%s\ninstead of\n%s (%v)", c[0], got, c[1], err)
			}
			if again, err := r.Replace(got); err != nil || again != got {
				t.Errorf("replaced twice, it becomes %s (%v)", again, err)
			}
			if back, err := replacer(t, newSite, oldSite, false).Replace(got); err != nil || back != c[0] {
				t.Errorf("back it becomes %s (%v)", back, err)
			}
			found := false
			for _, text := range r.Texts() {
				found = found || strings.Contains(c[0], text)
			}
			if !found {
				t.Errorf("the search for %q would miss it", r.Texts())
			}
		})
	}
}

func TestOtherAddressesStay(t *testing.T) {
	r := replacer(t, oldSite, newSite, false)
	host := replacer(t, "http://moodle.example.org", "https://learn.example.com", false)
	for _, s := range []string{
		"", "moodle.example.org/lms", "me@moodle.example.org/lms", "https://moodle.example.org/lms", "ftp://moodle.example.org/lms",
		"http://moodle.example.org", "http://moodle.example.org/lms2", "http://moodle.example.org/lms-old/", "http://moodle.example.org/lms.php",
		"http://moodle.example.org/lmsx", "http://moodle.example.org/Lms", "http://moodle.example.org:80/lms", "http://a.moodle.example.org/lms",
		"http:/moodle.example.org/lms", `http:\/\/moodle.example.org/lms`, "http%3A%2F%2Fmoodle.example.org%2Flms%32", "http%3A%2F%2Fmoodle.example.org%2Flms%2Dx",
		"path//moodle.example.org/lms", "http://x///moodle.example.org/lms", `\\moodle.example.org\lms`, "http://user@moodle.example.org/lms",
		text("mail me@moodle.example.org"), code("mail me@moodle.example.org"), "a:1:{ me@moodle.example.org", `{"a":"me@moodle.example.org"}`,
	} {
		if got, err := r.Replace(s); err != nil || got != s {
			t.Errorf("%q becomes %q (%v)", s, got, err)
		}
	}
	for _, s := range []string{
		"http://moodle.example.org.evil.com", "http://moodle.example.org:8080/", "http://moodle.example.orgs", "http://moodle.example.org-x",
		"http://moodle.example.org@evil.com", "http%3A%2F%2Fmoodle.example.org%3A80", "http%3A%2F%2Fmoodle.example.org%2Ecom",
		"http%253A%252F%252Fmoodle.example.org%253A80", "http://moodle.example.org&#58;80", "http://moodle.example.org&#x2d;x",
	} {
		if got, err := host.Replace(s); err != nil || got != s {
			t.Errorf("%q becomes %q (%v)", s, got, err)
		}
	}
}

// Either scheme of the old address becomes the new one on request, and an address that
// begins with the old one is not made longer twice.
func TestSchemesAndPaths(t *testing.T) {
	for _, c := range []struct {
		from, to, before, after string
		otherScheme             bool
	}{
		{"http://m.org", "https://m.org", "http://m.org/a https://m.org/b //m.org/c", "https://m.org/a https://m.org/b //m.org/c", false},
		{"http://m.org", "https://n.org", "http://m.org/a https://m.org/b", "https://n.org/a https://m.org/b", false},
		{"http://m.org", "https://n.org", "http://m.org/a https://m.org/b", "https://n.org/a https://n.org/b", true},
		{"https://m.org", "http://n.org", "http://m.org/a https:%2F%2Fm.org/b", "http://n.org/a http:%2F%2Fn.org/b", true},
		{"http://m.org", "http://m.org/lms", "http://m.org/a http://m.org/lms/b http://m.org/lms2 //m.org", "http://m.org/lms/a http://m.org/lms/b http://m.org/lms/lms2 //m.org/lms", false},
		{"http://m.org/lms", "http://m.org", "http://m.org/lms/a http://m.org/b", "http://m.org/a http://m.org/b", false},
		{"http://m.org:8080/a/b", "http://m.org/c", `http://m.org:8080/a/b/x http:\/\/m.org:8080\/a\/b http%3A%2F%2Fm.org%3A8080%2Fa%2Fb`, `http://m.org/c/x http:\/\/m.org\/c http%3A%2F%2Fm.org%2Fc`, false},
		{"http://localhost", "http://10.0.0.1:99", "http://localhost/ http://localhost:80/ http://localhosts", "http://10.0.0.1:99/ http://localhost:80/ http://localhosts", false},
		{"http://m", "https://learn.example.com", code("http://m/a"), code("https://learn.example.com/a"), false},
	} {
		r := replacer(t, c.from, c.to, c.otherScheme)
		if got, err := r.Replace(c.before); err != nil || got != c.after {
			t.Errorf("%s to %s: %q becomes %q instead of %q (%v)", c.from, c.to, c.before, got, c.after, err)
		}
	}
}

// A value that can't be changed safely is left, with the reason.
func TestUnsafeValuesAreLeft(t *testing.T) {
	r := replacer(t, oldSite, newSite, false)
	deep := "http://moodle.example.org/lms"
	for range 10 {
		deep = text(deep)
	}
	token := "eyJhbGciOiJIUzI1NiJ9." + strings.TrimRight(code(`{"iss":"http://moodle.example.org/lms","a":1}`), "=") + ".c2lnbg"
	for s, want := range map[string]string{
		`s:5:"http://moodle.example.org/lms";`:                                                                      "can't be read",
		`a:2:{i:0;` + text("http://moodle.example.org/lms") + `}`:                                                   "can't be read",
		text("http://moodle.example.org/lms") + "x":                                                                 "can't be read",
		`a:1:{i:0;S:29:"http://moodle.example.org/lms";}`:                                                           "can't be read",
		"name|" + text("http://moodle.example.org/lms"):                                                             "inside another text",
		`x = "s:29:\"http:\/\/moodle.example.org\/lms\";"`:                                                          "inside another text",
		`C:3:"Abc":38:{x` + text("http://moodle.example.org/lms") + "}":                                             "own serialize()",
		`a:2:{` + text("http://moodle.example.org/lms") + "i:1;" + text("https://learn.example.com:8443") + "i:2;}": "two keys",
		`["http:\/\/moodle.example.org/lms"]`:                                                                       "", // not a spelling of the address
		`["http:\/\/moodle.example.org\u002flms"]`:                                                                  "unusual escapes",
		`["http:\/\/moodle.\u0065xample.org\/lms http:\/\/moodle.example.org\/lms"]`:                                "unusual escapes",
		code("\xff\xfe http://moodle.example.org/lms"):                                                              "binary data",
		"x" + code("http://moodle.example.org/lms"):                                                                 "can't be read",
		strings.TrimRight(code("http://moodle.example.org/lms/"), "="):                                              "",
		strings.TrimRight(code("http://moodle.example.org/lms"), "="):                                               "can't be read",
		token: "signed token",
		code("http://moodle.example.org/lms/?") + ".c2lnbg": "signed token",
		deep: "too deeply",
	} {
		got, err := r.Replace(s)
		if want == "" {
			continue
		}
		if err == nil || !strings.Contains(err.Error(), want) || got != s {
			t.Errorf("%s\nbecomes\n%s (%v), not left for %q", s, got, err, want)
		}
	}
}

func TestAddressesAreParsedStrictly(t *testing.T) {
	for text, want := range map[string]string{
		"http://m": "http://m", "https://Moodle.example.org/": "https://Moodle.example.org", "http://10.0.0.1:8080/a/b~c/": "http://10.0.0.1:8080/a/b~c",
		"": "", "moodle.example.org": "", "ftp://m": "", "HTTP://m": "", "http://": "", "http://m:": "", "http://m:x": "", "http://u@m": "", "http://m?": "", "http://m#": "",
		"http://m/a b": "", "http://m/ä": "", "http://ä.org": "", "http://m//a": "", "http://m/../a": "", "http://m/%41": "", "http://[::1]": "", "http://m\"": "", "http://m-": "",
	} {
		a, err := Parse(text)
		if want == "" && err == nil || want != "" && (err != nil || a.String() != want) {
			t.Errorf("%q is read as %q (%v)", text, a, err)
		}
	}
}
