package http

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/lmsvault/vault/core/stage"
)

// pause is the time before the second attempt. It doubles before each further attempt.
const pause = 500 * time.Millisecond

// kept is the maximum size of a response to keep, in bytes.
const kept = 2 << 10

type action struct {
	stage.UnimplementedAction
	config    *Config
	version   string
	transport *http.Transport
}

// Close ends idle connections.
func (a *action) Close(context.Context) error {
	a.transport.CloseIdleConnections()
	return nil
}

// message is the body of POST and PUT requests.
type message struct {
	Pipeline  string          `json:"pipeline"`
	Moment    stage.Moment    `json:"moment"`
	Run       string          `json:"run,omitempty"`
	Status    stage.RunStatus `json:"status,omitempty"`
	Exit      *int            `json:"exit,omitempty"`
	Error     string          `json:"error,omitempty"`
	Started   time.Time       `json:"started,omitzero"`
	Snapshots []stage.Summary `json:"snapshots,omitempty"`
	Bytes     int64           `json:"bytes,omitempty"`
	Rows      int64           `json:"rows,omitempty"`
	Files     int64           `json:"files,omitempty"`
	Losses    int64           `json:"losses,omitempty"`
}

// Run sends the request and retries it after temporary errors.
func (a *action) Run(ctx context.Context, r stage.ActionRequest) (stage.ActionReport, error) {
	to, err := url.Parse(a.config.URL.Reveal())
	if err != nil {
		return stage.ActionReport{}, errors.New("the url can't be read")
	}
	if r.DryRun {
		return report(stage.ActionFinding{ID: "dry-run", Level: stage.LevelOK, What: "would request " + a.config.Method + " from " + to.Host}), nil
	}
	body, err := a.body(r)
	if err != nil {
		return stage.ActionReport{}, err
	}
	var found []stage.ActionFinding
	if a.transport.Proxy, err = a.proxy(ctx); err != nil {
		found = append(found, stage.ActionFinding{ID: "proxy", Level: stage.LevelWarning,
			What: fmt.Sprintf("the site's proxy is not known: %v", err), Remedy: "set https_proxy in the environment, or remove site"})
	}
	wait := pause
	for attempt := 1; ; attempt++ {
		f, again := a.once(ctx, to, body)
		if ctx.Err() != nil {
			return stage.ActionReport{}, ctx.Err()
		}
		if !again || attempt >= a.config.Attempts {
			return report(append(found, f)...), nil
		}
		select {
		case <-ctx.Done():
			return stage.ActionReport{}, ctx.Err()
		case <-time.After(wait):
			wait *= 2
		}
	}
}

func report(findings ...stage.ActionFinding) stage.ActionReport {
	return stage.ActionReport{Findings: findings}
}

func (a *action) body(r stage.ActionRequest) ([]byte, error) {
	if a.config.Method != http.MethodPost && a.config.Method != http.MethodPut {
		return nil, nil
	}
	m := message{Pipeline: r.Pipeline, Moment: r.Moment}
	if o := r.Outcome; o != nil {
		m.Run, m.Status, m.Exit, m.Error, m.Started = o.Run, o.Status, &o.Exit, o.Error, o.Started
		m.Snapshots, m.Bytes, m.Rows, m.Files, m.Losses = o.Snapshots, o.Bytes, o.Rows, o.Files, o.Losses
	}
	return json.Marshal(m)
}

// once makes one attempt; again reports whether another attempt may succeed.
func (a *action) once(ctx context.Context, to *url.URL, body []byte) (f stage.ActionFinding, again bool) {
	ctx, cancel := context.WithTimeout(ctx, time.Duration(a.config.Timeout))
	defer cancel()
	f = stage.ActionFinding{ID: "request", Level: stage.LevelFail, Where: to.Host}
	request, err := http.NewRequestWithContext(ctx, a.config.Method, to.String(), bytes.NewReader(body))
	if err != nil {
		f.What = "the url can't be requested"
		return f, false
	}
	request.Header.Set("User-Agent", "lmsvault/"+a.version)
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	for name, value := range a.config.Headers {
		request.Header.Set(name, value.Reveal())
	}
	client := http.Client{Transport: a.transport, CheckRedirect: stays}
	answer, err := client.Do(request)
	if err != nil {
		f.What = "the server can't be reached: " + cause(err)
		return f, !errors.Is(err, errAway)
	}
	text, err := io.ReadAll(io.LimitReader(answer.Body, kept))
	err = errors.Join(err, answer.Body.Close())
	f.What = fmt.Sprintf("the server answers %d %s", answer.StatusCode, http.StatusText(answer.StatusCode))
	f.Details = strings.ToValidUTF8(string(text), "\uFFFD")
	switch {
	case answer.StatusCode >= 200 && answer.StatusCode < 300 && err == nil:
		f.Level, f.Details = stage.LevelOK, ""
		return f, false
	case err != nil:
		f.What += ", and its answer breaks off"
	}
	return f, err != nil || answer.StatusCode >= 500 || answer.StatusCode == http.StatusTooManyRequests
}

var errAway = errors.New("it redirects to another host, or from https to http")

// stays refuses redirects that would send the headers to another host.
func stays(next *http.Request, before []*http.Request) error {
	first := before[0].URL
	if next.URL.Host != first.Host || first.Scheme == "https" && next.URL.Scheme != "https" {
		return errAway
	}
	if len(before) > 5 {
		return errors.New("it redirects more than five times")
	}
	return nil
}

// cause returns the cause of a request's error, without the URL, which may be a secret.
func cause(err error) string {
	if u := new(url.Error); errors.As(err, &u) {
		if u.Timeout() {
			return "it does not answer in time"
		}
		return u.Err.Error()
	}
	return err.Error()
}
