package upgrade

import (
	"fmt"
	"os"
	"os/user"
	"strconv"
	"syscall"

	"github.com/lmsvault/vault/core/program"
	"github.com/lmsvault/vault/dialects/site"
)

// account is the user who runs the upgrade.
type account struct {
	program.User
	name string // for sudo: a name, or #UID
	home string
	self bool // it is the user of this process
}

// accountOf returns the owner of config.php, or if that is root, the owner of the data root.
func accountOf(s *site.Site) (account, error) {
	uid, gid, err := owner(s.File)
	if err != nil {
		return account{}, err
	}
	if uid == 0 {
		root, err := s.DataRoot()
		if err != nil {
			return account{}, err
		}
		if uid, gid, err = owner(root); err != nil {
			return account{}, err
		}
	}
	a := account{User: program.User{UID: uid, GID: gid}, name: "#" + strconv.FormatUint(uint64(uid), 10), self: int(uid) == os.Geteuid()}
	known, err := user.LookupId(strconv.FormatUint(uint64(uid), 10))
	if err != nil { // a container may have no name for it
		return a, nil
	}
	a.name, a.home = known.Username, known.HomeDir
	if n, err := strconv.ParseUint(known.Gid, 10, 32); err == nil {
		a.GID = uint32(n)
	}
	groups, err := known.GroupIds()
	if err != nil {
		return a, fmt.Errorf("the groups of %s: %w", a.name, err)
	}
	for _, g := range groups {
		if n, err := strconv.ParseUint(g, 10, 32); err == nil {
			a.Groups = append(a.Groups, uint32(n))
		}
	}
	return a, nil
}

func owner(path string) (uid, gid uint32, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return 0, 0, err
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, 0, fmt.Errorf("the owner of %s is unknown", path)
	}
	return st.Uid, st.Gid, nil
}

// switches reports whether this process can and must become the account.
func (a account) switches() bool { return !a.self && os.Geteuid() == 0 }

// environment returns the environment of the program: the usual variables, those of names,
// and those of the account.
func (a account) environment(names []string) []string {
	var env []string
	for _, name := range append(program.Usual(), names...) {
		if value, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+value)
		}
	}
	if a.switches() && a.home != "" { // the last value of a variable counts
		env = append(env, "HOME="+a.home, "USER="+a.name, "LOGNAME="+a.name)
	}
	return env
}
