package config

// Secrets lists the values of the secrets that target holds, revealed, and the
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
	for _, s := range settings {
		if secret, ok := s.value.Interface().(Secret); ok && !secret.IsZero() {
			values = append(append(values, secret.Reveal()), passwords(secret.Reveal())...)
		}
	}
	return values
}
