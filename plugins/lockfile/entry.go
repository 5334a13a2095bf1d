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
				return fmt.Errorf("its %s has the same name as the built-in %s %s; its author must choose another name", s, b.Role, b.Name)
			}
		}
	}
	return nil
}

// free checks that the names of the stages are not taken.
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
					return fmt.Errorf("its %s has the same name as the %s of plugin %s %s; to use this one, run vault plugin remove %s first", s, other, p.Name, p.Version, p.Name)
				}
			}
		}
	}
	return nil
}

// add changes the entry in the lock file.
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

// allows returns an error if the entry must not be replaced by next.
func (p *Plugin) allows(next *Plugin, digest string, replace bool) error {
	if replace {
		return nil
	}
	switch c := protocol.CompareVersions(next.Version, p.Version); {
	case c < 0:
		return fmt.Errorf("it is %s %s but the newer %s is installed; add --replace to downgrade", next.Name, next.Version, p.Version)
	case c > 0:
		return nil
	}
	pin, ok := p.Pin()
	switch {
	case ok && pin.SHA256 != digest:
		return fmt.Errorf("it is %s %s with the SHA-256 %s, but in %s this version is already pinned with another checksum (%s, since %s); add --replace if you trust this one",
			next.Name, next.Version, digest, Name, pin.SHA256, pin.Since.Format(time.DateOnly))
	case !sameStages(p.Stages, next.Stages):
		return fmt.Errorf("it is %s %s with the stages %s, but on %s the same version has %s; add --replace to drop those",
			next.Name, next.Version, list(next.Stages), p.Pins[0].Platform, list(p.Stages))
	}
	return nil
}
