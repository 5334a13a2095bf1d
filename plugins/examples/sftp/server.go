package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"

	"github.com/lmsvault/vault/plugins/sdk/files"
)

// timeout is the maximum time to connect.
const timeout = 30 * time.Second

// server is a connection. ReadDir, Stat, MkdirAll and Remove are those of sftp.Client.
type server struct {
	*sftp.Client
	conn net.Conn
}

func (c *settings) dial(ctx context.Context) (files.Server, error) {
	conn, err := (&net.Dialer{Timeout: timeout}).DialContext(ctx, "tcp", c.Host)
	if err != nil {
		return nil, err
	}
	client, err := c.login(conn)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s as user %s: %w", c.Host, c.User, err), conn.Close())
	}
	return server{client, conn}, conn.SetDeadline(time.Time{})
}

func (c *settings) login(conn net.Conn) (*sftp.Client, error) {
	ours, err := c.client()
	if err = errors.Join(err, conn.SetDeadline(time.Now().Add(timeout))); err != nil {
		return nil, err
	}
	secured, channels, requests, err := ssh.NewClientConn(conn, c.Host, ours)
	if err != nil {
		return nil, err
	}
	return sftp.NewClient(ssh.NewClient(secured, channels, requests))
}

func (s server) Write(file string, r io.Reader) (err error) {
	f, err := s.Create(file)
	if err != nil {
		return err
	}
	if err = f.Chmod(0o600); err == nil {
		_, err = f.ReadFromWithConcurrency(r, 0)
	}
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// OpenSSH implements SFTP's rename with a hard link, so it never replaces a file.
func (s server) Rename(from, to string) error    { return s.named(to, s.PosixRename(from, to)) }
func (s server) RenameNew(from, to string) error { return s.named(to, s.Client.Rename(from, to)) }

// named syncs a renamed file again, which writes its new name to the journal of the
// server's file system.
func (s server) named(to string, err error) error {
	if err != nil {
		return err
	}
	f, err := s.Client.Open(to)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

func (s server) Open(file string) (files.File, error) { return s.Client.Open(file) }

func (s server) Free(dir string) (int64, error) {
	room, err := s.StatVFS(dir)
	if err != nil {
		return -1, err
	}
	return int64(room.Bavail * room.Frsize), nil
}

func (s server) Lost(err error) bool {
	return errors.Is(err, sftp.ErrSSHFxConnectionLost) || errors.Is(err, io.EOF)
}

func (s server) Close() error { return s.conn.Close() }
