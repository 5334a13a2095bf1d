package process

import (
	"context"
	"io/fs"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"

	pb "github.com/lmsvault/vault/plugins/protocol/v1"
)

func (s Subject) handshake(t testing.TB) {
	p := s.running(t)
	if _, err := p.plugin().Describe(t.Context(), &pb.DescribeRequest{}); err != nil {
		t.Errorf("after the handshake it does not answer: %v%s", err, p.said)
	}
}

func (s Subject) byHand(t testing.TB) {
	p := s.start(t, true, "")
	if !p.ended(handLimit) {
		t.Fatalf("started by hand it does not exit within %v%s", handLimit, p.said)
	}
	text := p.greeted(t) + p.said.String()
	if !strings.Contains(strings.ToLower(text), "plugin") {
		t.Errorf("started by hand it does not print that it is a plugin: %q", text)
	}
}

func (s Subject) otherVersion(t testing.TB) {
	p := s.start(t, false, "99")
	line := p.greeted(t)
	words := append(strings.Split(line, "|"), "")
	switch {
	case line == "" && p.said.String() == "":
		t.Error("it exits without saying why")
	case line != "" && (words[0] != "1" || words[1] != "1"):
		t.Errorf("its first line is %q, but it supports version 1 of the protocol", line)
	}
}

func (s Subject) signals(t testing.TB) {
	p := s.running(t)
	id := s.open(t, p)
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP} {
		if err := p.cmd.Process.Signal(sig); err != nil {
			t.Fatalf("sending it a signal: %v", err)
		}
		if p.ended(200 * time.Millisecond) { // one that exits with a delay is found by the next check
			t.Fatalf("signal %d (%v) terminates it%s", int(sig), sig, p.said)
		}
		if _, err := p.plugin().Describe(t.Context(), &pb.DescribeRequest{}); err != nil {
			t.Fatalf("after signal %d (%v) it does not answer: %v", int(sig), sig, err)
		}
	}
	if _, err := p.plugin().Close(t.Context(), &pb.CloseRequest{Instance: id}); err != nil {
		t.Errorf("closing the stage after signals: %v", err)
	}
}

func (s Subject) shutdown(t testing.TB) {
	p := s.running(t)
	id := s.open(t, p)
	if _, err := p.plugin().Close(t.Context(), &pb.CloseRequest{Instance: id}); err != nil {
		t.Errorf("closing the stage: %v", err)
	}
	// go-plugin asks a process to exit this way; a process without this service exits when
	// its standard input is closed.
	err := p.conn.Invoke(t.Context(), "/plugin.GRPCController/Shutdown", &emptypb.Empty{}, &emptypb.Empty{})
	if code := status.Code(err); code != codes.OK && code != codes.Unimplemented && code != codes.Unavailable {
		t.Errorf("asking it to exit: %v", err)
	}
	if !p.ended(endLimit / 2) {
		p.gone(t)
	}
	if !p.ended(endLimit / 2) {
		t.Fatalf("it does not exit within %v%s", endLimit, p.said)
	}
	for _, dir := range []string{p.temp, p.sockets} {
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err == nil && path != dir {
				t.Errorf("it leaves %s in its temporary directory", strings.TrimPrefix(path, dir+"/"))
			}
			return err
		})
		if err != nil {
			t.Errorf("looking for remaining files: %v", err)
		}
	}
}

func (s Subject) hostKilled(t testing.TB) {
	p := s.running(t)
	s.open(t, p)
	p.gone(t)
	if !p.ended(endLimit) {
		t.Errorf("it keeps running without its host; it must exit when its standard input is closed%s", p.said)
	}
}

func (s Subject) unknown(t testing.TB) {
	p := s.running(t)
	id := s.open(t, p)
	ctx := t.Context()
	closed := func(id uint64) error {
		_, err := p.plugin().Close(ctx, &pb.CloseRequest{Instance: id})
		return err
	}
	if err := closed(id); err != nil {
		t.Errorf("closing the stage: %v", err)
	}
	other, noStage := s.request(t), s.request(t)
	other.Role, noStage.Stage = pb.Role(77), "surely-no-stage"
	for what, call := range map[string]func() error{
		"closing a closed instance":   func() error { return closed(id) },
		"closing an unknown instance": func() error { return closed(id + 1000) },
		"opening in an unknown role":  func() error { _, err := p.plugin().Open(ctx, other); return err },
		"opening an unknown stage":    func() error { _, err := p.plugin().Open(ctx, noStage); return err },
	} {
		err := call()
		if err == nil {
			t.Errorf("%s returns no error", what)
		}
		p.lives(t, what, err)
	}
	s.open(t, p)
}

func (s Subject) instances(t testing.TB) {
	const many = 8
	p := s.running(t)
	requests := make([]*pb.OpenRequest, many)
	for i := range requests {
		requests[i] = s.request(t)
	}
	ids := make([]uint64, many)
	once(t, many, func(ctx context.Context, i int) error {
		if _, err := p.plugin().Describe(ctx, &pb.DescribeRequest{}); err != nil {
			return err
		}
		r, err := p.plugin().Open(ctx, requests[i])
		ids[i] = r.GetInstance()
		return err
	})
	seen := map[uint64]bool{0: true}
	for _, id := range ids {
		if seen[id] {
			t.Errorf("instances must have unique numbers other than 0: %v", ids)
			break
		}
		seen[id] = true
	}
	once(t, many-1, func(ctx context.Context, i int) error {
		_, err := p.plugin().Close(ctx, &pb.CloseRequest{Instance: ids[i]})
		return err
	})
	last := ids[many-1]
	if roleOf(s.Stage) == pb.Role_ROLE_STORAGE {
		if err := p.list(t.Context(), last, "", func(*pb.Object) {}); err != nil {
			t.Errorf("an instance stops working when others are closed: %v", err)
		}
	}
	if _, err := p.plugin().Close(t.Context(), &pb.CloseRequest{Instance: last}); err != nil {
		t.Errorf("closing the last of %d instances: %v", many, err)
	}
}

// once makes n calls concurrently.
func once(t testing.TB, n int, call func(ctx context.Context, i int) error) {
	t.Helper()
	errs := make(chan error, n)
	for i := range n {
		go func() { errs <- call(t.Context(), i) }()
	}
	for range n {
		if err := <-errs; err != nil {
			t.Errorf("one of %d concurrent calls: %v", n, err)
		}
	}
}
