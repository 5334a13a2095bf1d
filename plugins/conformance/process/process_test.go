package process_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	goplugin "github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/internal/machine"
	"github.com/lmsvault/vault/plugins/conformance"
	"github.com/lmsvault/vault/plugins/conformance/process"
	"github.com/lmsvault/vault/plugins/protocol"
	pb "github.com/lmsvault/vault/plugins/protocol/v1"
	"github.com/lmsvault/vault/plugins/sdk"
	"github.com/lmsvault/vault/storages/local"
)

// wrong names the fault of the plugin that this test program becomes.
const wrong = "TEST_PLUGIN_FAULT"

func TestMain(m *testing.M) {
	fault, plugin := os.LookupEnv(wrong)
	if !plugin {
		machine.Ordinary()
		os.Exit(m.Run())
	}
	if err := be(fault); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

type settings struct {
	Dir string `key:"dir" required:"true" help:"where objects are kept"`
}

type helpless struct {
	Dir string `key:"dir" required:"true"`
}

func shelf[C any](open func(*C) (sdk.Storage, error)) sdk.Stage {
	return sdk.StorageStage("shelf", "Keeps objects.", "", func(_ context.Context, c *C, _ sdk.Env) (sdk.Storage, error) { return open(c) })
}

// right is a correct plugin; opened is called on Open.
func right(opened func() error) sdk.Stage {
	return shelf(func(c *settings) (sdk.Storage, error) {
		s, err := local.Stage().NewStorage(context.Background(), &local.Config{Dir: c.Dir}, sdk.Env{})
		return s, errors.Join(err, opened())
	})
}

// be runs a plugin that is correct except for the fault.
func be(fault string) error {
	h := protocol.Handshake()
	byHand := os.Getenv(h.MagicCookieKey) == ""
	s := right(func() error { return nil })
	switch fault {
	case "prints nothing by hand", "waits by hand":
		if byHand && fault == "waits by hand" {
			_, err := io.Copy(io.Discard, os.Stdin)
			return err
		} else if byHand {
			return nil
		}
	case "prints before the handshake":
		fmt.Println("loading")
	case "claims another version":
		if os.Getenv("PLUGIN_PROTOCOL_VERSIONS") == "99" {
			fmt.Println("1|99|unix|/x|grpc|")
			return nil
		}
	case "no help":
		s = shelf(func(*helpless) (sdk.Storage, error) { return nil, errors.New("not made") })
	case "exits on signals":
		s = right(func() error { signal.Reset(syscall.SIGTERM); return nil })
	case "leaves a file":
		s = right(func() error { return os.WriteFile(filepath.Join(os.TempDir(), "left"), nil, 0o600) })
	case "outlives its host":
		endless, _, err := os.Pipe()
		if err != nil {
			return err
		}
		os.Stdin = endless
	case "exits when a stage is unknown":
		s = right(func() error { return nil })
		s.Name = "surely-no-stage"
		return serve(&naive{stage: s, exits: true})
	case "accepts truncated streams":
		return serve(&naive{stage: s})
	}
	sdk.Main(sdk.Plugin{Name: "shelf", Version: "1.0.0", Stages: []sdk.Stage{s}})
	return nil
}

// naive serves a storage as an author might who has not read the protocol.
type naive struct {
	goplugin.NetRPCUnsupportedPlugin
	pb.UnimplementedPluginServer
	pb.UnimplementedStorageServer
	stage   sdk.Stage
	exits   bool
	storage sdk.Storage
}

func serve(n *naive) error {
	go func() { // the host's end
		if _, err := io.Copy(io.Discard, os.Stdin); err == nil {
			os.Exit(0)
		}
	}()
	goplugin.Serve(&goplugin.ServeConfig{
		HandshakeConfig: protocol.Handshake(), Plugins: goplugin.PluginSet{protocol.Name: n},
		GRPCServer: func(o []grpc.ServerOption) *grpc.Server {
			return grpc.NewServer(append(o, protocol.ServerOptions()...)...)
		},
	})
	return nil
}

func (n *naive) GRPCServer(_ *goplugin.GRPCBroker, g *grpc.Server) error {
	pb.RegisterPluginServer(g, n)
	pb.RegisterStorageServer(g, n)
	return nil
}

func (n *naive) GRPCClient(context.Context, *goplugin.GRPCBroker, *grpc.ClientConn) (any, error) {
	return nil, errors.New("no host")
}

func (n *naive) Open(ctx context.Context, r *pb.OpenRequest) (*pb.OpenResponse, error) {
	if n.exits && (r.Role != pb.Role_ROLE_STORAGE || r.Stage != "shelf") {
		os.Exit(7)
	}
	var c settings
	if err := config.Assign(r.Settings, &c); err != nil {
		return nil, err
	}
	var err error
	n.storage, err = n.stage.NewStorage(ctx, &c, sdk.Env{})
	return &pb.OpenResponse{Instance: 1}, err
}

func (n *naive) Close(context.Context, *pb.CloseRequest) (*pb.CloseResponse, error) {
	return &pb.CloseResponse{}, nil
}

func (n *naive) Put(stream grpc.ClientStreamingServer[pb.PutRequest, pb.PutResponse]) error {
	var name string
	var data []byte
	for {
		m, err := stream.Recv()
		if err != nil {
			break
		}
		if m.Head != nil {
			name = m.Head.Name
		}
		data = append(data, m.Data...)
	}
	if err := n.storage.Put(context.Background(), name, data); err != nil {
		return err
	}
	return stream.SendAndClose(&pb.PutResponse{})
}

func (n *naive) List(r *pb.ListRequest, stream grpc.ServerStreamingServer[pb.ListResponse]) error {
	m := &pb.ListResponse{End: &pb.End{}}
	err := n.storage.List(stream.Context(), r.Prefix, func(o sdk.Object) error {
		m.Objects = append(m.Objects, &pb.Object{Name: o.Name, Size: o.Size})
		m.End.Items++
		return nil
	})
	return errors.Join(err, stream.Send(m))
}

func (n *naive) Delete(ctx context.Context, r *pb.DeleteRequest) (*pb.DeleteResponse, error) {
	return &pb.DeleteResponse{}, n.storage.Delete(ctx, r.Name)
}

// subject is this test program as a plugin with the fault.
func subject(t *testing.T, fault string) process.Subject {
	t.Helper()
	t.Setenv(wrong, fault)
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "objects")
	s := right(func() error { return nil })
	return process.Subject{Path: exe, Env: []string{wrong}, Stage: s, Config: func() (any, error) { return &settings{dir}, nil }}
}

func TestCorrectProgramPasses(t *testing.T) {
	s := subject(t, "")
	for _, c := range process.Checks(s) {
		t.Run(c.ID, func(t *testing.T) { c.Run(t) })
	}
	cfg, err := s.Config()
	if err != nil {
		t.Fatal(err)
	}
	err = filepath.WalkDir(cfg.(*settings).Dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			t.Errorf("%s remains", path)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// Every check is shown the fault that it exists to find.
func TestFaultsAreFound(t *testing.T) {
	for _, f := range []struct{ fault, check, want string }{
		{"no help", "process/help", "setting dir of stage shelf has no help"},
		{"prints before the handshake", "process/handshake", `its first line is "loading"`},
		{"prints nothing by hand", "process/by-hand", "does not print that it is a plugin"},
		{"waits by hand", "process/by-hand", "does not exit within 5s"},
		{"claims another version", "process/other-version", `its first line is "1|99|unix|/x|grpc|"`},
		{"exits when a stage is unknown", "process/unknown", "terminates the program"},
		{"accepts truncated streams", "process/instances", "must have unique numbers"},
		{"exits on signals", "process/signals", "signal 15 (terminated) terminates it"},
		{"leaves a file", "process/shutdown", "it leaves left in"},
		{"outlives its host", "process/host-killed", "it keeps running without its host"},
		{"accepts truncated streams", "process/broken-stream", "a Put without an end is accepted"},
	} {
		t.Run(f.fault+" "+f.check, func(t *testing.T) {
			var found bytes.Buffer
			for _, c := range process.Checks(subject(t, f.fault)) {
				if c.ID != f.check {
					continue
				}
				conformance.Run(t.Context(), []conformance.Check{c}, func(r conformance.Result) {
					fmt.Fprint(&found, strings.Join(r.Failures, "\n"))
				})
			}
			if !strings.Contains(found.String(), f.want) {
				t.Errorf("%s found %q for the fault %q, want %q", f.check, found.String(), f.fault, f.want)
			}
		})
	}
}
