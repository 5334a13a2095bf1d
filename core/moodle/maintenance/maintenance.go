// Package maintenance closes a site for visitors and opens it again, as Moodle's
// admin/cli/maintenance.php does: while the data root holds a file climaintenance.html,
// Moodle answers every request with that file.
//
// The file names who created it, so that nobody opens a site that somebody else has closed.
package maintenance

import (
	"errors"
	"fmt"
	"html"
	"io"
	"io/fs"
	"os"
	"regexp"
	"strings"
)

// FileName is the file in a data root that closes the site.
const FileName = "climaintenance.html"

// DefaultMessage is the text that visitors see.
const DefaultMessage = "This site is being maintained and is currently not available. Please try again later."

// partialName is the file while it is written. Sources leave out names that begin with a dot.
const partialName = ".vault-tmp-climaintenance"

var validOwner = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_. ]*(-[A-Za-z0-9_. ]+)*$`)

// ValidateOwner returns an error unless owner can be named in the file.
func ValidateOwner(owner string) error {
	if len(owner) > 128 || !validOwner.MatchString(owner) {
		return errors.New("consists of at most 128 letters, digits, spaces, dots, underscores and single hyphens, and begins with a letter or digit")
	}
	return nil
}

const (
	before = "<!-- closed by Vault: "
	after  = " -->"
)

// page returns the content of the file. Moodle runs it as PHP, so the message is escaped.
func page(owner, message string) string {
	return "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Maintenance</title></head>\n<body><p>" +
		html.EscapeString(message) + "</p></body></html>\n" + before + owner + after + "\n"
}

// Closed reports whether the site is closed, and who closed it: "" if that was not Vault.
func Closed(root *os.Root) (owner string, closed bool, err error) {
	info, err := root.Lstat(FileName)
	if errors.Is(err, fs.ErrNotExist) {
		return "", false, nil
	}
	if err != nil || !info.Mode().IsRegular() {
		return "", err == nil, err
	}
	f, err := root.Open(FileName)
	if errors.Is(err, fs.ErrPermission) { // somebody else's
		return "", true, nil
	}
	if err != nil {
		return "", false, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	const enough = 1 << 20
	text, err := io.ReadAll(io.LimitReader(f, enough))
	if err != nil {
		return "", true, err
	}
	_, rest, _ := strings.Cut(string(text), before)
	owner, _, found := strings.Cut(rest, after)
	if !found || ValidateOwner(owner) != nil {
		return "", true, nil
	}
	return owner, true, nil
}

// Close closes the site unless it is closed already. It returns who closed it, owner if this
// call or an earlier one with the same owner did; "" if that was not Vault. The file appears
// at once, complete and durable.
func Close(root *os.Root, owner, message string) (by string, err error) {
	if err := ValidateOwner(owner); err != nil {
		return "", fmt.Errorf("the owner of %s %w", FileName, err)
	}
	by, closed, err := Closed(root)
	if closed || err != nil {
		return by, err
	}
	if err := write(root, page(owner, message)); err != nil {
		return "", fmt.Errorf("creating %s: %w", FileName, err)
	}
	err = root.Link(partialName, FileName)
	if errors.Is(err, fs.ErrExist) { // somebody was faster
		by, _, err = Closed(root)
		return by, errors.Join(err, remove(root, partialName))
	}
	if err != nil { // no hard links here
		if err := root.Rename(partialName, FileName); err != nil {
			return "", fmt.Errorf("creating %s: %w", FileName, err)
		}
		return owner, durable(root)
	}
	return owner, errors.Join(remove(root, partialName), durable(root))
}

// Reclose replaces the file that closes the site by one of another owner. The site stays
// closed.
func Reclose(root *os.Root, owner, message string) error {
	err := write(root, page(owner, message))
	if err == nil {
		err = root.Rename(partialName, FileName)
	}
	if err != nil {
		return fmt.Errorf("replacing %s: %w", FileName, err)
	}
	return durable(root)
}

// write writes the partial file. The web server must be able to read it.
func write(root *os.Root, text string) error {
	if err := remove(root, partialName); err != nil {
		return err
	}
	f, err := root.OpenFile(partialName, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	if err == nil {
		err = f.Chmod(0o644)
	}
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// Open opens the site if owner has closed it, and returns who closed it if somebody
// else has. open is true if the site is open now.
func Open(root *os.Root, owner string) (by string, open bool, err error) {
	by, closed, err := Closed(root)
	if err != nil || !closed || by != owner {
		return by, err == nil && !closed, err
	}
	for _, name := range []string{FileName, partialName} {
		if err := remove(root, name); err != nil {
			return by, false, fmt.Errorf("removing %s: %w", name, err)
		}
	}
	return "", true, durable(root)
}

func remove(root *os.Root, name string) error {
	if err := root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// durable syncs the names in the root.
func durable(root *os.Root) error {
	dir, err := root.Open(".")
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
