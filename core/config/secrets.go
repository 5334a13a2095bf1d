package config

// Secrets lists the values of the secrets that target holds, revealed: for
// looking for them in what somebody else has written. Never print them.
func Secrets(target any) ([]string, error) {
	settings, err := open([]any{target})
	if err != nil {
		return nil, err
	}
	var values []string
	for _, s := range settings {
		if secret, ok := s.value.Interface().(Secret); ok && !secret.IsZero() {
			values = append(values, secret.Reveal())
		}
	}
	return values, nil
}
