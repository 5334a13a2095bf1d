// Vault-plugin-sftp is a plugin of Vault that keeps backups on a server, over SFTP.
package main

import (
	"context"

	"golang.org/x/crypto/ssh"

	"github.com/lmsvault/vault/plugins/sdk"
	"github.com/lmsvault/vault/plugins/sdk/files"
)

func main() {
	sdk.Main(sdk.Plugin{Name: "sftp", Version: "1.0.0", Stages: []sdk.Stage{declared()}})
}

func declared() sdk.Stage {
	return sdk.StorageStage("sftp", "Keeps backups on a server, over SFTP.",
		"The server must know fsync and posix-rename, as OpenSSH's does.",
		func(_ context.Context, c *settings, env sdk.Env) (sdk.Storage, error) {
			return files.Storage(c.Dir, env.Log, c.dial), nil
		})
}

type settings struct {
	Host       string     `key:"host" required:"true" help:"the server and its port" example:"backup.example.org:22"`
	HostKey    string     `key:"host_key" required:"true" help:"the server's public key, as ssh-keyscan -t ed25519 prints it" example:"ssh-ed25519 AAAA…"`
	User       string     `key:"user" required:"true" help:"whom to log in as" example:"vault"`
	PrivateKey sdk.Secret `key:"private_key" help:"the key to log in with: PEM, without a passphrase" example:"${file:/etc/vault/id_ed25519}"`
	Password   sdk.Secret `key:"password" help:"the password to log in with, where there is no key"`
	Dir        string     `key:"dir" required:"true" place:"" help:"the directory on the server; made with the repository" example:"/srv/backups"`
}

// Validate is called by vault lint, and before open.
func (c *settings) Validate() error {
	_, err := c.client()
	return err
}

func (c *settings) client() (*ssh.ClientConfig, error) {
	host, _, _, _, err := ssh.ParseAuthorizedKey([]byte(c.HostKey))
	if err != nil {
		return nil, sdk.At("host_key", "host_key must be a public key, as ssh-keyscan -t ed25519 prints it")
	}
	auth := ssh.Password(c.Password.Reveal())
	if c.Password.Reveal() == "" {
		key, err := ssh.ParsePrivateKey([]byte(c.PrivateKey.Reveal()))
		if err != nil {
			return nil, sdk.At("private_key", "private_key must be a key in PEM, without a passphrase: %w", err)
		}
		auth = ssh.PublicKeys(key)
	}
	return &ssh.ClientConfig{User: c.User, Auth: []ssh.AuthMethod{auth}, HostKeyCallback: ssh.FixedHostKey(host),
		HostKeyAlgorithms: []string{host.Type(), ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256}}, nil
}
