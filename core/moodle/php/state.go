package php

// slot is a variable, a property or a constant: its value and where it was assigned.
type slot struct {
	value Value
	pos   Pos
	shown string // the expression that was assigned
}

// scope holds the variables of the file or of one call.
type scope struct {
	vars map[string]slot
	// open is the reason why variables that are not in vars may exist.
	open *Reason
	// global holds the names of variables that refer to those of the file.
	global map[string]bool
}

// object is an instance of stdClass, or of a class that is not evaluated (open).
type object struct {
	names []string // in the order of assignment
	slots map[string]slot
	open  *Reason
}

// state is everything that a program can change. Branches of unknown conditions work
// on copies, which are merged.
type state struct {
	scopes  []*scope // the file's first, the current one last
	objects []*object
	consts  map[string]slot
	env     map[string]Value // by putenv
	once    map[string]bool  // files that were read, for include_once
	sealed  *Reason          // why constants that are not in consts may exist
}

func newState() *state {
	return &state{scopes: []*scope{{vars: map[string]slot{}}}, consts: map[string]slot{}, env: map[string]Value{}, once: map[string]bool{}}
}

// size is the cost of a copy.
func (s *state) size() int {
	n := len(s.consts) + len(s.env) + len(s.once) + 8
	for _, sc := range s.scopes {
		n += len(sc.vars) + 4
	}
	for _, o := range s.objects {
		n += len(o.slots) + 4
	}
	return n
}

func copyMap[K comparable, V any](m map[K]V) map[K]V {
	c := make(map[K]V, len(m))
	for k, v := range m {
		c[k] = v
	}
	return c
}

func (s *state) clone() *state {
	c := &state{consts: copyMap(s.consts), env: copyMap(s.env), once: copyMap(s.once), sealed: s.sealed}
	for _, sc := range s.scopes {
		c.scopes = append(c.scopes, &scope{copyMap(sc.vars), sc.open, copyMap(sc.global)})
	}
	for _, o := range s.objects {
		c.objects = append(c.objects, &object{append([]string(nil), o.names...), copyMap(o.slots), o.open})
	}
	return c
}

// scopeOf returns the scope of a variable.
func (s *state) scopeOf(name string) *scope {
	top := s.scopes[len(s.scopes)-1]
	if top.global[name] || superglobal[name] {
		return s.scopes[0]
	}
	return top
}

var superglobal = map[string]bool{
	"_SERVER": true, "_ENV": true, "_GET": true, "_POST": true, "_COOKIE": true, "_REQUEST": true, "_SESSION": true, "_FILES": true, "GLOBALS": true,
}

func (s *state) newObject(open *Reason) Value {
	s.objects = append(s.objects, &object{slots: map[string]slot{}, open: open})
	return Value{kind: KindObject, n: int64(len(s.objects) - 1)}
}

func (o *object) set(name string, v slot) {
	if _, ok := o.slots[name]; !ok {
		o.names = append(o.names, name)
	}
	o.slots[name] = v
}

func (o *object) unset(name string) {
	if _, ok := o.slots[name]; !ok {
		return
	}
	delete(o.slots, name)
	for k, n := range o.names {
		if n == name {
			o.names = append(o.names[:k], o.names[k+1:]...)
			return
		}
	}
}

// taint makes all values unknown, because code that is not evaluated may have changed
// them. Objects remain, their properties become unknown.
func (s *state) taint(why *Reason) {
	for _, sc := range s.scopes {
		sc.open = why
		taintSlots(sc.vars, why)
	}
	for _, o := range s.objects {
		o.open = why
		taintSlots(o.slots, why)
	}
	taintSlots(s.consts, why)
	s.sealed = why
	for k := range s.env {
		s.env[k] = unknown(why)
	}
}

func taintSlots(slots map[string]slot, why *Reason) {
	for name, sl := range slots {
		if sl.value.kind != KindObject && sl.value.kind != KindUnknown {
			sl.value = unknown(why)
			slots[name] = sl
		}
	}
}
