package php

import (
	"strings"
)

// requestKey reports whether the web server or the request, not the environment, sets
// a key of $_SERVER.
func requestKey(name string) bool {
	if name == "HTTP_PROXY" {
		return false
	}
	for _, p := range []string{"HTTP_", "SERVER_", "REQUEST_", "REMOTE_", "SCRIPT_", "CONTEXT_", "ORIG_"} {
		if strings.HasPrefix(name, p) {
			return true
		}
	}
	return isWord(name, "HTTPS", "QUERY_STRING", "DOCUMENT_ROOT", "GATEWAY_INTERFACE", "PATH_INFO", "PATH_TRANSLATED", "AUTH_TYPE", "PHP_SELF", "argv", "argc", "REDIRECT_STATUS", "REDIRECT_URL")
}

// superglobal reads $_SERVER, $_ENV and similar arrays. own holds the values that the
// program itself assigned.
func (ev *evaluator) superglobal(e expr, p place, own Value) Value {
	if len(p.keys) == 0 || p.keys[0].add {
		return ev.dunno(e, Server, p.name, "$%s as a whole is not known", p.name)
	}
	k := p.keys[0].key
	v, ok := Value{}, false
	if own.kind == KindArray {
		v, ok = own.a.get(k)
	} else if own.kind == KindUnknown {
		v, ok = own, true
	}
	if !ok {
		v = ev.outside(e, p.name, k.text())
	}
	for _, more := range p.keys[1:] {
		v = ev.element(e, v, more.key, more.add)
	}
	return v
}

// outside returns the value from the web server or the environment.
func (ev *evaluator) outside(e expr, global, name string) Value {
	switch global {
	case "_SERVER":
		if text, ok := ev.opts.Server[name]; ok {
			return String(text)
		}
		if requestKey(name) {
			return ev.dunno(e, Server, name, "$_SERVER['%s'] is known to the web server only", name)
		}
		fallthrough
	case "_ENV":
		if v := ev.env(name, e.pos()); v.kind != KindBool {
			return v
		}
		return null
	}
	return ev.dunno(e, Server, name, "$%s['%s'] comes with a request", global, name)
}

// env returns an environment variable, false if it is not set.
func (ev *evaluator) env(name string, at Pos) Value {
	if v, ok := ev.st.env[name]; ok {
		return v
	}
	if ev.opts.Env != nil {
		if text, ok := ev.opts.Env(name); ok {
			return String(text)
		}
	}
	ev.note(name, at)
	return Bool(false)
}

// getenv also returns values of the request that a web server passes, as CGI does.
func (ev *evaluator) getenv(e expr, name string) Value {
	if !requestKey(name) {
		return ev.env(name, e.pos())
	}
	if v, ok := ev.st.env[name]; ok {
		return v
	}
	if ev.opts.Env != nil {
		if text, ok := ev.opts.Env(name); ok {
			return String(text)
		}
	}
	return ev.outside(e, "_SERVER", name)
}
