package config

// Secrets returns the values of all secrets of target in clear text, including those in
// objects, lists and maps, and the passwords in secrets that are addresses. Use it to
// find secrets in the output of other programs. Never print the result.
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
