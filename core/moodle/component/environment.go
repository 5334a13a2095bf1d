package component

import (
	"bytes"
	"cmp"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strconv"
	"strings"
)

// UpgradesFrom returns the oldest release whose database this code can upgrade, as
// admin/environment.xml says ("4.1.2"); "" if it sets no limit.
func (c *Code) UpgradesFrom() (string, error) {
	name := path.Join(c.web, c.admin, "environment.xml")
	src, err := readFile(c.fsys, name)
	if err != nil {
		return "", fmt.Errorf("reading from which release Moodle can be upgraded: %w", err)
	}
	requires, err := required(src, release(c.Release))
	if err != nil {
		return "", fmt.Errorf("%s: %w", name, err)
	}
	return requires, nil
}

// CanUpgrade reports whether this code can upgrade a database of a release, such as
// "4.1.10+ (Build: 20240422)". oldest is what UpgradesFrom returns.
func (c *Code) CanUpgrade(from string) (ok bool, oldest string, err error) {
	oldest, err = c.UpgradesFrom()
	if err != nil {
		return false, "", err
	}
	return compareReleases(release(from), release(oldest)) >= 0, oldest, nil
}

// required finds what the newest release of an environment.xml up to a given one requires.
func required(src []byte, of []int) (requires string, err error) {
	var best []int
	d := xml.NewDecoder(bytes.NewReader(src))
	for {
		t, err := d.RawToken()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return "", err
		}
		e, ok := t.(xml.StartElement)
		if !ok || e.Name.Local != "MOODLE" {
			continue
		}
		var version, needs string
		for _, a := range e.Attr {
			switch a.Name.Local {
			case "version":
				version = a.Value
			case "requires":
				needs = a.Value
			}
		}
		if v := release(version); len(v) > 0 && compareReleases(v, of) <= 0 && compareReleases(v, best) > 0 {
			best, requires = v, needs
		}
	}
	if best == nil {
		return "", errors.New("no entry for this release or an older one")
	}
	return strings.TrimSpace(requires), nil
}

// release returns the numbers of a release: 4, 5, 6 of "4.5.6+ (Build: 20250811)".
func release(text string) []int {
	first, _, _ := strings.Cut(strings.TrimSpace(text), " ")
	var numbers []int
	for part := range strings.FieldsFuncSeq(first, func(r rune) bool { return r < '0' || r > '9' }) {
		n, err := strconv.Atoi(part)
		if err != nil {
			break
		}
		numbers = append(numbers, n)
	}
	return numbers
}

// compareReleases compares number by number; fewer numbers are lower.
func compareReleases(a, b []int) int { return slices.CompareFunc(a, b, cmp.Compare[int]) }
