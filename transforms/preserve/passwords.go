package preserve

import (
	"context"
	"fmt"
	"sync/atomic"

	"github.com/lmsvault/vault/core/moodle/edit"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/dialects/database"
)

// manual is the authentication with a password that Moodle itself keeps.
const manual = "manual"

// account identifies a user on both sites.
type account struct{ host, username string }

// passwords are the hashes of the target's users.
type passwords struct {
	hashes map[account]string   // of users with the authentication manual
	others map[account]struct{} // users with another one
	// Users of the backup who keep its password although the target has them.
	differ atomic.Int64
}

func (p *passwords) reset() {
	p.hashes, p.others = nil, nil
	p.differ.Store(0)
}

// there reports whether passwords are kept.
func (p *passwords) there() bool { return p.hashes != nil }

// read reads the users of the target.
func (p *passwords) read(ctx context.Context, db *database.Database) error {
	hashes, others := map[account]string{}, map[account]struct{}{}
	err := db.Each(ctx, "SELECT mnethostid, username, auth, password FROM {user} WHERE deleted = 0", nil, func(row []database.Text) error {
		who := account{row[0].String, row[1].String}
		if row[2].String == manual {
			hashes[who] = row[3].String
		} else {
			others[who] = struct{}{}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("reading the passwords of the target: %w", err)
	}
	p.hashes, p.others = hashes, others
	return nil
}

// notes warns about passwords that were not kept.
func (p *passwords) notes() []stage.Note {
	if n := p.differ.Load(); n > 0 {
		return []stage.Note{{Path: stage.DB + "/user", Text: fmt.Sprintf("preserve: the passwords of %d users come from the backup, because their authentication is not manual on both sides", n)}}
	}
	return nil
}

// user changes the rows of the table user.
type user struct {
	from *passwords
	at   [5]int // positions of auth, username, mnethostid, password, deleted
}

// keep puts the password of the target into a row.
func (u *user) keep(values []edit.Value) edit.Verdict {
	auth, name, host, password, deleted := values[u.at[0]].Text, values[u.at[1]].Text, values[u.at[2]].Text, &values[u.at[3]], values[u.at[4]].Text
	who := account{host, name}
	hash, isManual := u.from.hashes[who]
	_, isOther := u.from.others[who]
	switch {
	case deleted != "0" || !isManual && !isOther || isOther && auth != manual:
		return edit.Keep
	case isOther || auth != manual:
		u.from.differ.Add(1)
		return edit.Keep
	case password.Text == hash && !password.Null:
		return edit.Keep
	}
	*password = edit.Value{Text: hash}
	return edit.Changed
}
