package cli

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"github.com/spf13/viper"

	"github.com/lmsvault/vault/core/config"
)

// envPrefix is the prefix of the tool's environment variables.
const envPrefix = "LMSVAULT"

// LoadSettings reads the tool's settings from flags, environment, configuration file and
// defaults, in this order of precedence.
func LoadSettings(cmd *cobra.Command) (*viper.Viper, error) {
	v := viper.New()
	v.SetEnvPrefix(envPrefix)
	v.SetEnvKeyReplacer(strings.NewReplacer("-", "_"))
	v.AutomaticEnv()
	if err := v.BindPFlags(cmd.Flags()); err != nil {
		return nil, err
	}
	path, given := v.GetString("config"), v.IsSet("config")
	if !given {
		home, err := os.UserConfigDir()
		if err != nil {
			return v, nil // without a home directory there is no file
		}
		path = filepath.Join(home, "lmsvault", "config.yaml")
	}
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) && !given {
		return v, nil
	}
	if err != nil {
		return nil, fmt.Errorf("the tool's configuration can't be read: %w", err)
	}
	if _, found := config.Document(path, text); len(found) > 0 { // the library's error may quote the text
		return nil, fmt.Errorf("the tool's configuration can't be used: %w", found.Err())
	}
	file := viper.New()
	file.SetConfigType("yaml")
	if err := file.ReadConfig(bytes.NewReader(text)); err != nil {
		return nil, fmt.Errorf("the tool's configuration %s must be a mapping of KEY: VALUE", path)
	}
	known := settable(cmd.Root())
	for _, key := range file.AllKeys() {
		if slices.Contains(FlagsOnly(), key) {
			return nil, fmt.Errorf("the tool's configuration %s: %s can only be a flag, because it would silently narrow what is checked or read; give --%s", path, key, key)
		}
		if !slices.Contains(known, key) {
			return nil, fmt.Errorf("the tool's configuration %s: unknown key%s: %s", path, config.Shown(" ", key, known...),
				cmp.Or(config.Nearest(key, known), "known are "+strings.Join(known, ", ")))
		}
	}
	values := file.AllSettings()
	for _, key := range []string{"passphrase-file", "identity-file", "from-passphrase-file", "from-identity-file", "pipelines"} {
		if name, ok := values[key].(string); ok && name != "" && !filepath.IsAbs(name) {
			values[key] = filepath.Join(filepath.Dir(path), name) // relative to the file, like paths in a pipeline file
		}
	}
	return v, v.MergeConfigMap(values)
}

// settable returns the flags of all commands that a configuration file may set.
func settable(root *cobra.Command) []string {
	var names []string
	add := func(f *pflag.Flag) {
		if !slices.Contains(append(FlagsOnly(), "config", "set", "accept-loss", "help", "types", "markdown", "dir", "all", "replace"), f.Name) {
			names = append(names, f.Name)
		}
	}
	root.PersistentFlags().VisitAll(add)
	for _, c := range root.Commands() {
		c.LocalFlags().VisitAll(add)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// toggle is a boolean setting.
type toggle struct {
	On  bool
	err error
}

// Flag returns the boolean flag name, as set by the command line, the environment or the
// configuration file.
func (a *App) Flag(name string) toggle {
	text := a.Settings.GetString(name)
	on, err := strconv.ParseBool(text)
	if text == "" {
		return toggle{}
	}
	if err != nil {
		err = fmt.Errorf("%s must be true or false%s", origin(name), config.Shown(", not ", text))
	}
	return toggle{on, err}
}

// origin describes where a setting can be set, for messages.
func origin(name string) string {
	return fmt.Sprintf("%s (--%s, %s or the tool's configuration)", name, name, environmentName(name))
}

func environmentName(setting string) string {
	return envPrefix + "_" + strings.ToUpper(strings.ReplaceAll(setting, "-", "_"))
}

// FlagsOnly returns the flags that select snapshots. They are never read from the
// environment or the configuration file, which could silently narrow a check.
func FlagsOnly() []string {
	return []string{"snapshot", "site", "pipeline", "signer", "tag", "read-data-subset"}
}
