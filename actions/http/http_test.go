package http_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	action "github.com/lmsvault/vault/actions/http"
	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/plugins/conformance"
)

func decode(t testing.TB, settings string) (*action.Config, config.Findings) {
	t.Helper()
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(settings), &doc); err != nil {
		t.Fatal(err)
	}
	c := &action.Config{}
	d := config.Decoder{File: "f"}
	return c, d.Decode(doc.Content[0], c).Of(config.Error)
}

func open(t testing.TB, settings string) stage.Action {
	t.Helper()
	c, found := decode(t, settings)
	if len(found) > 0 {
		t.Fatal(found)
	}
	a, err := action.Stage().NewAction(t.Context(), c, stage.Env{Version: "1.2.3"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.(stage.Closer).Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return a
}

// server returns a server that responds with these statuses in turn and repeats the last.
func server(t *testing.T, statuses ...int) (s *httptest.Server, requests *atomic.Int64, last *atomic.Pointer[http.Request], body *atomic.Pointer[string]) {
	t.Helper()
	requests, last, body = &atomic.Int64{}, &atomic.Pointer[http.Request]{}, &atomic.Pointer[string]{}
	s = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := int(requests.Add(1))
		text, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		sent := string(text)
		last.Store(r)
		body.Store(&sent)
		w.WriteHeader(statuses[min(n, len(statuses))-1])
		if _, err := fmt.Fprint(w, "said the server"); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(s.Close)
	return s, requests, last, body
}

func only(t *testing.T, r stage.ActionReport, err error) stage.ActionFinding {
	t.Helper()
	if err != nil || len(r.Findings) != 1 || r.Validate() != nil {
		t.Fatalf("%+v, %v", r, err)
	}
	return r.Findings[0]
}

func TestRequestReportsOutcomeOfRun(t *testing.T) {
	s, requests, last, body := server(t, 200)
	r, err := open(t, "{url: '"+s.URL+"/ping/s3cret', method: POST, headers: {Authorization: Bearer x}}").Run(t.Context(), stage.ActionRequest{
		Moment: stage.MomentAfter, Pipeline: "nightly",
		Outcome: &stage.RunOutcome{Status: stage.StatusSuccess, Run: "r1", Started: time.Unix(0, 0).UTC(), Snapshots: []stage.Summary{{Snapshot: "s1"}}, Rows: 4},
	})
	if f := only(t, r, err); f.Level != stage.LevelOK || f.What != "the server answers 200 OK" || strings.Contains(f.String(), "s3cret") {
		t.Errorf("the finding is %+v", f)
	}
	request := last.Load()
	if requests.Load() != 1 || request.URL.Path != "/ping/s3cret" || request.Method != "POST" || request.Header.Get("Authorization") != "Bearer x" || request.UserAgent() != "lmsvault/1.2.3" {
		t.Errorf("%d requests, the last %+v", requests.Load(), request)
	}
	var sent map[string]any
	if err := json.Unmarshal([]byte(*body.Load()), &sent); err != nil || sent["status"] != "success" || sent["pipeline"] != "nightly" || sent["exit"] != 0.0 || sent["rows"] != 4.0 {
		t.Errorf("sent was %s", *body.Load())
	}
	r, err = open(t, "{url: '"+s.URL+"'}").Run(t.Context(), stage.ActionRequest{})
	if only(t, r, err); last.Load().Method != "GET" || *body.Load() != "" {
		t.Errorf("GET sends %q", *body.Load())
	}
}

// Requests are retried if the server is busy, but not if it refuses them.
func TestTemporaryErrorsAreRetried(t *testing.T) {
	for want, c := range map[string]struct {
		statuses []int
		requests int64
		level    stage.Level
	}{
		"the server answers 200 OK":                    {[]int{503, 429, 200}, 3, stage.LevelOK},
		"the server answers 404 Not Found":             {[]int{404}, 1, stage.LevelFail},
		"the server answers 500 Internal Server Error": {[]int{500}, 3, stage.LevelFail},
	} {
		s, requests, _, _ := server(t, c.statuses...)
		r, err := open(t, "url: '"+s.URL+"'").Run(t.Context(), stage.ActionRequest{})
		f := only(t, r, err)
		if f.What != want || f.Level != c.level || requests.Load() != c.requests {
			t.Errorf("%d requests give %+v, want %d and %s", requests.Load(), f, c.requests, want)
		}
		if f.Level == stage.LevelFail && f.Details != "said the server" {
			t.Errorf("the response kept is %q", f.Details)
		}
	}
}

// The address and the headers may be secrets: they are sent to no other host, and findings
// do not show the address.
func TestSecretsAreSentToNoOtherHost(t *testing.T) {
	elsewhere, requests, _, _ := server(t, 200)
	redirects := httptest.NewServer(http.RedirectHandler(elsewhere.URL, http.StatusFound))
	t.Cleanup(redirects.Close)
	r, err := open(t, "{url: '"+redirects.URL+"/s3cret', headers: {X-Token: x}}").Run(t.Context(), stage.ActionRequest{})
	if f := only(t, r, err); requests.Load() != 0 || f.Level != stage.LevelFail || f.What != "the server can't be reached: it redirects to another host, or from https to http" {
		t.Errorf("%d requests elsewhere, %+v", requests.Load(), f)
	}
	elsewhere.Close()
	r, err = open(t, "{url: '"+elsewhere.URL+"/s3cret', attempts: 1}").Run(t.Context(), stage.ActionRequest{})
	if f := only(t, r, err); f.Level != stage.LevelFail || strings.Contains(f.String(), "s3cret") || !strings.Contains(f.What, "connection refused") {
		t.Errorf("unreachable server: %+v", f)
	}
	for text, want := range map[string]string{
		"url: 'ftp://s3cret'": "url must be an address", "url: '::s3cret'": "url must be an address", "{}": "url is missing",
		"{url: 'http://x', headers: {'a b': s3cret}}": "headers has a name", `{url: 'http://x', headers: {a: "s3cret\nx: y"}}`: "headers has a name",
	} {
		if _, found := decode(t, text); len(found) != 1 || !strings.Contains(found[0].Message, want) || strings.Contains(found[0].String(), "s3cret") {
			t.Errorf("%s: found %v", text, found)
		}
	}
}

func TestUnresponsiveServerTimesOut(t *testing.T) {
	hangs := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	t.Cleanup(hangs.Close)
	begin := time.Now()
	r, err := open(t, "{url: '"+hangs.URL+"', timeout: 1s, attempts: 2}").Run(t.Context(), stage.ActionRequest{})
	if f := only(t, r, err); f.What != "the server can't be reached: it does not answer in time" || time.Since(begin) > 20*time.Second {
		t.Errorf("after %v: %+v", time.Since(begin), f)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := open(t, "{url: '"+hangs.URL+"', timeout: 1m}").Run(ctx, stage.ActionRequest{}); err == nil {
		t.Error("a cancelled action has no error")
	}
}

func TestActionPassesConformance(t *testing.T) {
	s, requests, _, _ := server(t, 200)
	conformance.Action(t, conformance.ActionFixture{
		Open:  func(t testing.TB) stage.Action { return open(t, "{url: '"+s.URL+"', method: POST}") },
		State: func(testing.TB) string { return fmt.Sprint(requests.Load()) },
	})
}
