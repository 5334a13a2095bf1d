package component

import "slices"

// Only returns those of states that have one of the changes.
func Only(states []State, changes ...Change) []State {
	var some []State
	for _, s := range states {
		if slices.Contains(changes, s.Change) {
			some = append(some, s)
		}
	}
	return some
}

// Due returns the states for which Moodle needs an upgrade: the code is newer than the
// database, its version is unknown, or it is not installed.
func Due(states []State) []State { return Only(states, Upgrade, Extra, Unknown) }
