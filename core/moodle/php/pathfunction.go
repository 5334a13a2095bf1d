package php

import (
	"errors"
	"io/fs"
	"path/filepath"
	"strings"
)

// pathFunction evaluates functions for paths and files.
func (ev *evaluator) pathFunction(e *call, args []Value) (Value, bool) {
	t, ok := texts(args, 1)
	if !ok {
		return null, false
	}
	path := t[0]
	switch e.name {
	case "dirname":
		levels := int64(1)
		if len(args) > 1 {
			if levels, ok = args[1].Int(); !ok || levels < 1 || levels > 1000 {
				return null, false
			}
		}
		for range levels {
			path = dirname(path)
		}
		return String(path), true
	case "basename":
		name := strings.TrimRight(path, "/")
		name = name[strings.LastIndexByte(name, '/')+1:]
		if len(t) > 1 && name != t[1] {
			name = strings.TrimSuffix(name, t[1])
		}
		return String(name), true
	case "file_exists", "is_file", "is_dir", "is_readable", "is_link":
		return ev.stat(e, path)
	case "realpath":
		real, err := ev.opts.Files.Real(ev.absolute(e, path))
		if errors.Is(err, fs.ErrNotExist) {
			return Bool(false), true
		}
		return String(real), err == nil
	case "file_get_contents":
		return ev.content(e, path)
	case "chr":
		if n, ok := args[0].Int(); ok {
			return String(string([]byte{byte(n)})), true
		}
	}
	return null, false
}

// dirname returns the directory of a path, as PHP's dirname.
func dirname(path string) string {
	trimmed := strings.TrimRight(path, "/")
	if trimmed == "" {
		if path == "" {
			return ""
		}
		return "/"
	}
	k := strings.LastIndexByte(trimmed, '/')
	if k < 0 {
		return "."
	}
	if trimmed = strings.TrimRight(trimmed[:k], "/"); trimmed == "" {
		return "/"
	}
	return trimmed
}

func (ev *evaluator) absolute(e *call, path string) string {
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	return filepath.Join(filepath.Dir(e.File), path)
}

func (ev *evaluator) stat(e *call, path string) (Value, bool) {
	if path == "" || strings.ContainsRune(path, 0) {
		return Bool(false), true
	}
	ev.spend(100)
	info, err := ev.opts.Files.Stat(ev.absolute(e, path))
	if errors.Is(err, fs.ErrNotExist) {
		return Bool(false), true
	}
	if err != nil {
		return ev.dunno(e, File, path, "it cannot be found out here: %v", err), true
	}
	switch e.name {
	case "is_file":
		return Bool(info.Mode().IsRegular()), true
	case "is_dir":
		return Bool(info.IsDir()), true
	case "file_exists", "is_readable":
		return Bool(true), true
	}
	return null, false
}

// content returns the content of a file, such as a secret mounted into a container.
func (ev *evaluator) content(e *call, path string) (Value, bool) {
	if path == "" || strings.ContainsAny(path, "\x00") || strings.Contains(path, "://") {
		return null, false
	}
	ev.spend(1000)
	text, err := ev.opts.Files.Read(ev.absolute(e, path))
	if errors.Is(err, fs.ErrNotExist) {
		return Bool(false), true
	}
	if err != nil {
		return ev.dunno(e, File, path, "a file cannot be read: %v", err), true
	}
	return ev.text(e, string(text)), true
}
