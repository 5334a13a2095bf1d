package config

// Secrets lists the values of the secrets that target holds, those inside of objects,
// lists and maps too, revealed, and the
// passwords in them where they are addresses: for looking for them in what
// somebody else has written. Never print them.
func Secrets(target any) ([]string, error) {
	settings, err := open([]any{target})
	if err != nil {
		return nil, err
	}
	return secrets(settings), nil
}

func secrets(settings []setting) []string {
	var values []string
	add := func(secret Secret) {
		if !secret.IsZero() {
			values = append(append(values, secret.Reveal()), passwords(secret.Reveal())...)
		}
	}
	walk(settings, func(s *setting) {
		switch v := s.value.Interface().(type) {
		case Secret:
			add(v)
		case map[string]Secret:
			for _, secret := range v {
				add(secret)
			}
		}
	})
	return values
}
