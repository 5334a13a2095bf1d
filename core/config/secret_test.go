package config_test

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/lmsvault/vault/core/config"
)

type keys struct {
	Passphrase config.Secret `key:"passphrase" help:"a secret"`
	Prefix     string        `key:"prefix" help:"not one"`
	DSN        config.Secret `key:"dsn" place:"database" help:"an address"`
}

// Mounted secrets and here-documents often end with an unintended line break.
func TestSecretLosesOneTrailingLineBreak(t *testing.T) {
	dir := t.TempDir()
	for text, want := range map[string]string{
		"s3": "s3", "s3\n": "s3", "s3\r\n": "s3", "s3\n\n": "s3\n", " s3 \n": " s3 ", "s\n3\n": "s\n3",
	} {
		file := filepath.Join(dir, "secret")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		t.Setenv("VAULT_TEST_SECRET", text)
		for from, yaml := range map[string]string{
			"environment": `{passphrase: "${env:VAULT_TEST_SECRET}"}`,
			"file":        `{passphrase: "${file:secret}"}`,
			"literal":     "passphrase: " + quoted(text),
			"--set":       `{passphrase: "${GIVEN}"}`,
		} {
			var k keys
			d := config.Decoder{Values: config.Values{Dir: dir, Set: map[string]string{"GIVEN": text}}}
			if found := decode(t, &d, yaml, &k); len(found.Of(config.Error)) > 0 || k.Passphrase.Reveal() != want {
				t.Errorf("%q from %s is %q (%v), want %q", text, from, k.Passphrase.Reveal(), found, want)
			}
		}
		if s, err := config.SecretFile(file); err != nil || s.Reveal() != want {
			t.Errorf("%q from a flag's file is %q, %v", text, s.Reveal(), err)
		}
		if s, ok := config.SecretVariable("VAULT_TEST_SECRET"); !ok || s.Reveal() != want {
			t.Errorf("%q from a variable is %q", text, s.Reveal())
		}
	}
}

func quoted(text string) string {
	return `"` + strings.NewReplacer("\n", `\n`, "\r", `\r`).Replace(text) + `"`
}

func TestSecretFileMayBeAPipe(t *testing.T) {
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := write.WriteString("open sesame\n"); err != nil {
		t.Fatal(err)
	}
	if err := write.Close(); err != nil {
		t.Fatal(err)
	}
	s, err := config.SecretFile("/dev/fd/" + strconv.Itoa(int(read.Fd())))
	if err := errors.Join(err, read.Close()); err != nil || s.Reveal() != "open sesame" {
		t.Errorf("%q, %v", s.Reveal(), err)
	}
	for path, want := range map[string]string{"/dev/zero": "larger than 64KiB", "/dev/null": "is empty", t.TempDir(): "is a directory", "/not/there": "no such file"} {
		if _, err := config.SecretFile(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", path, err, want)
		}
	}
}

// The passwords in addresses are hidden too, in each form.
func TestRedactorHidesEveryFormOfAValue(t *testing.T) {
	k := keys{DSN: config.NewSecret("postgres://moodle:S3cret%2Fword@db/moodle"), Passphrase: config.NewSecret("two words\n\"quoted\" line")}
	values, err := config.Secrets(&k)
	if err != nil {
		t.Fatal(err)
	}
	var r config.Redactor
	r.Add(values...)
	for _, text := range []string{
		"dial postgres://moodle:S3cret%2Fword@db/moodle", "password S3cret/word", `{"error":"two words\n\"quoted\" line"}`, "two+words%0A%22quoted%22+line", `line: "quoted" line`,
	} {
		if got := r.Redact(text); strings.Contains(got, "S3cret") || strings.Contains(got, "quoted") {
			t.Errorf("%s\nbecomes %s", text, got)
		}
	}
	if err := r.Error(errors.New("plain")); err.Error() != "plain" {
		t.Errorf("an error without a hidden value becomes %v", err)
	}
	inner := errors.New("two words\n\"quoted\" line")
	if err := r.Error(inner); !errors.Is(err, inner) || strings.Contains(err.Error(), "quoted") {
		t.Errorf("an error with a hidden value becomes %v", err)
	}
}
