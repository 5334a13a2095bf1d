package clone

import (
	"fmt"
	"strings"

	"golang.org/x/crypto/bcrypt"
)

// hashCost is the cost that Moodle used for bcrypt.
const hashCost = 10

// passwordRules sets the password of administrators.
func passwordRules(s *Config, o *Options) ([]rule, error) {
	if s.AdminPassword.IsZero() {
		return nil, nil
	}
	password := []byte(s.AdminPassword.Reveal())
	raw, err := bcrypt.GenerateFromPassword(password, hashCost)
	if err != nil {
		return nil, fmt.Errorf("hashing admin_password: %w", err)
	}
	hash := "$2y$" + strings.TrimPrefix(string(raw), "$2a$") // PHP's name of the same hash
	keep := func(text string) string {
		if text == hash || strings.HasPrefix(text, "$2y$") && bcrypt.CompareHashAndPassword([]byte(text), password) == nil {
			return text
		}
		return hash
	}
	set := []assignment{by("password", keep), to("auth", "manual")}
	var names []string
	for _, name := range s.Admins {
		names = append(names, strings.ToLower(name))
	}
	return []rule{
		update("user", set, is("username", names...)),
		update("user", set, is("id", o.AdminIDs...)),
	}, nil
}
