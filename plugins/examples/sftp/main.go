// Vault-plugin-sftp is a Vault plugin that stores backups on a server over SFTP.
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
	return sdk.StorageStage("sftp", "Stores backups on a server over SFTP.",
		"The server must support fsync and posix-rename, as OpenSSH does.",
		func(_ context.Context, c *settings, env sdk.Env) (sdk.Storage, error) {
			return files.Storage(c.Dir, env.Log, c.dial), nil
		})
}

type settings struct {
	Host       string     `key:"host" required:"true" help:"host name and port of the server" example:"backup.example.org:22"`
	HostKey    string     `key:"host_key" required:"true" help:"public key of the server, as printed by ssh-keyscan -t ed25519" example:"ssh-ed25519 AAAA…"`
	User       string     `key:"user" required:"true" help:"user name" example:"vault"`
	PrivateKey sdk.Secret `key:"private_key" help:"private key in PEM, without a passphrase" example:"${file:/etc/vault/id_ed25519}"`
	Password   sdk.Secret `key:"password" help:"password, if there is no private key"`
	Dir        string     `key:"dir" required:"true" place:"" help:"directory on the server; created with the repository" example:"/srv/backups"`
}

// Validate is called by vault lint and before open.
func (c *settings) Validate() error {
	_, err := c.client()
	return err
}

func (c *settings) client() (*ssh.ClientConfig, error) {
	host, _, _, _, err := ssh.ParseAuthorizedKey([]byte(c.HostKey))
	if err != nil {
		return nil, sdk.At("host_key", "host_key must be a public key as printed by ssh-keyscan -t ed25519")
	}
	auth := ssh.Password(c.Password.Reveal())
	if c.Password.Reveal() == "" {
		key, err := ssh.ParsePrivateKey([]byte(c.PrivateKey.Reveal()))
		if err != nil {
			return nil, sdk.At("private_key", "private_key must be a key in PEM without a passphrase: %w", err)
		}
		auth = ssh.PublicKeys(key)
	}
	return &ssh.ClientConfig{User: c.User, Auth: []ssh.AuthMethod{auth}, HostKeyCallback: ssh.FixedHostKey(host),
		HostKeyAlgorithms: []string{host.Type(), ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256}}, nil
}
