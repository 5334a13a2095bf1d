package lockfile

import (
	"fmt"
	"strings"
	"time"

	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/plugins/protocol"
)

// apart refuses stages that have the names of built-in ones.
func apart(stages []Stage, builtIn *stage.Registry) error {
	if builtIn == nil {
		return nil
	}
	for _, s := range stages {
		for _, role := range s.places() {
			if b, ok := builtIn.Find(role, s.Name); ok {
				return fmt.Errorf("its %s has the name of vault's own %s %s, and a pipeline could not tell them apart; its author must choose another", s, b.Role, b.Name)
			}
		}
	}
	return nil
}

// free looks whether the names of the stages are free.
func (f *File) free(who identity, builtIn *stage.Registry) error {
	if err := apart(who.stages, builtIn); err != nil {
		return err
	}
	for _, s := range who.stages {
		for _, p := range f.Plugins {
			if p.Name == who.name {
				continue
			}
			for _, other := range p.Stages {
				if s.meets(other) {
					return fmt.Errorf("its %s has the name of the %s of plugin %s %s, and a pipeline could not tell them apart: run vault plugin remove %s first if you want this one", s, other, p.Name, p.Version, p.Name)
				}
			}
		}
	}
	return nil
}

// add changes the lock file's entry.
func (f *File) add(who identity, digest string, o Options) (*Installed, error) {
	next := &Plugin{Name: who.name, Version: who.version, Protocol: protocol.Major, SDK: who.sdk, Stages: who.stages, file: f}
	pin := Pin{
		Platform: Platform(), SHA256: digest, Since: o.Now.UTC().Truncate(time.Second),
		Path: Folder + "/" + who.name + "-" + who.version + "-" + strings.ReplaceAll(Platform(), "/", "-"),
	}
	out := &Installed{Plugin: next}
	if last, ok := f.Plugin(who.name); ok {
		out.Before = last.Version
		if err := last.allows(next, digest, o.Replace); err != nil {
			return nil, err
		}
		same := last.Version == next.Version && sameStages(last.Stages, next.Stages)
		for _, p := range last.Pins {
			switch {
			case p.Platform != pin.Platform && same:
				next.Pins = append(next.Pins, p)
			case p.Platform != pin.Platform:
				out.Dropped = append(out.Dropped, p.Platform)
			case same && p.SHA256 == digest && last.Protocol == next.Protocol:
				pin.Since, out.Same = p.Since, true
			}
		}
		f.forget(last)
	}
	out.Pin = pin
	next.Pins = append(next.Pins, pin)
	f.Plugins = append(f.Plugins, next)
	f.sort()
	return out, nil
}

// allows tells whether the entry may be replaced by another one.
func (p *Plugin) allows(next *Plugin, digest string, replace bool) error {
	if replace {
		return nil
	}
	switch c := protocol.CompareVersions(next.Version, p.Version); {
	case c < 0:
		return fmt.Errorf("it is %s %s, and the newer %s is installed: add --replace to go back", next.Name, next.Version, p.Version)
	case c > 0:
		return nil
	}
	pin, ok := p.Pin()
	switch {
	case ok && pin.SHA256 != digest:
		return fmt.Errorf("it is %s %s with the SHA-256 %s, and in %s this version is already pinned with another checksum (%s, since %s); add --replace if you trust this one",
			next.Name, next.Version, digest, Name, pin.SHA256, pin.Since.Format(time.DateOnly))
	case !sameStages(p.Stages, next.Stages):
		return fmt.Errorf("it is %s %s with the stages %s, and on %s the same version has %s: add --replace to give those up",
			next.Name, next.Version, list(next.Stages), p.Pins[0].Platform, list(p.Stages))
	}
	return nil
}
