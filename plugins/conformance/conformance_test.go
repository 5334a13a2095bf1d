package conformance

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"github.com/lmsvault/vault/core/stage"
)

// memory is a right Storage, but for the fault that is named.
type memory struct {
	mu      sync.Mutex
	objects map[string][]byte
	fault   string
}

func (m *memory) Put(ctx context.Context, name string, data []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fault == "keeps the caller's bytes" {
		m.objects[name] = data
		return ctx.Err()
	}
	if _, ok := m.objects[name]; ok && m.fault == "does not replace" {
		return ctx.Err()
	}
	if ctx.Err() == nil {
		m.objects[name] = bytes.Clone(data)
	}
	return ctx.Err()
}

func (m *memory) Get(ctx context.Context, dst []byte, name string, offset, length int64) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	data, ok := m.objects[name]
	if !ok && m.fault != "another error for what is missing" {
		return dst, errors.Join(ctx.Err(), stage.ErrNotExist)
	}
	if !ok {
		return dst, errors.New("no such object")
	}
	end := offset + length
	if length < 0 {
		end = int64(len(data))
	}
	if m.fault == "reads less in silence" {
		end = min(end, int64(len(data)))
		offset = min(offset, end)
	}
	if offset > end || end > int64(len(data)) {
		return dst, errors.New("out of range")
	}
	return append(dst, data[offset:end]...), ctx.Err()
}

func (m *memory) List(ctx context.Context, prefix string, fn func(stage.Object) error) error {
	m.mu.Lock()
	all := maps.Clone(m.objects)
	m.mu.Unlock()
	for name, data := range all {
		if !strings.HasPrefix(name, prefix) && m.fault != "ignores the prefix" {
			continue
		}
		if err := fn(stage.Object{Name: name, Size: int64(len(data))}); err != nil {
			return err
		}
	}
	return ctx.Err()
}

func (m *memory) Delete(ctx context.Context, name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.objects, name)
	return ctx.Err()
}

func (m *memory) Stat(ctx context.Context, name string) (stage.Object, error) {
	data, err := m.Get(ctx, nil, name, 0, -1)
	return stage.Object{Name: name, Size: int64(len(data))}, err
}

func (m *memory) Close(context.Context) error {
	if m.fault == "leaves a goroutine" && len(m.objects["large"]) > 0 {
		go func() { select {} }()
	}
	return nil
}

// list is a right Source of two files, but for the fault that is named.
type list struct{ fault string }

func (l list) Plan(ctx context.Context) (*stage.Inventory, error) {
	id := "dataroot/u"
	if l.fault == "another id every time" {
		id = fmt.Sprintf("dataroot/%p", new(int))
	}
	return &stage.Inventory{Units: []stage.Unit{{ID: id, Part: stage.Dataroot}}}, ctx.Err()
}

func (l list) Read(ctx context.Context, _ stage.Unit, known stage.Known, w stage.Writer) error {
	for _, name := range []string{"a", "b"} {
		e := stage.Entry{Path: "dataroot/" + name, Kind: stage.File, Fingerprint: name}
		if l.fault == "an unclean path" {
			e.Path = "dataroot/../" + name
		}
		if known[e.Path] == name && l.fault != "ignores what is known" {
			if err := w.Same(ctx, e); err != nil {
				return err
			}
			continue
		}
		if err := w.Open(ctx, e); err != nil {
			if l.fault == "wraps the writer's error" {
				return fmt.Errorf("open: %w", err)
			}
			return err
		}
		if err := w.Write(ctx, stage.Chunk{Data: []byte(name)}); err != nil {
			return err
		}
		d := stage.Digest{Bytes: 1, SHA256: fmt.Sprintf("%x", sha256.Sum256([]byte(name)))}
		if l.fault == "a wrong digest" {
			d.SHA256 = strings.Repeat("0", 64)
		}
		if err := w.Close(ctx, d); err != nil {
			return err
		}
	}
	return nil
}

func (l list) Close(context.Context) error { return nil }

// xor is a right ByteTransform, but for the fault that is named.
type xor struct{ fault string }

func (x xor) Apply(_ context.Context, dst, src []byte, _ string) ([]byte, error) {
	if x.fault == "does not append" {
		dst = nil
	}
	for _, b := range src {
		dst = append(dst, b^0x55)
	}
	return dst, nil
}

func (x xor) Invert(ctx context.Context, dst, src []byte, place string, limit int) ([]byte, error) {
	if len(src) > limit && x.fault != "ignores the limit" {
		return dst, errors.New("too large")
	}
	return x.Apply(ctx, dst, src, place)
}

const faultEnv = "VAULT_TEST_FAULT"

func storageSuite(t *testing.T, fault string) {
	Storage(t, func(testing.TB) stage.Storage { return &memory{objects: map[string][]byte{}, fault: fault} }, nil)
}

func sourceSuite(t *testing.T, fault string) {
	Source(t, SourceFixture{Open: func(testing.TB) stage.Source { return list{fault} }, Parts: []string{stage.Dataroot}, Fingerprints: true})
}

func bytesSuite(t *testing.T, fault string) {
	Bytes(t, BytesFixture{Open: func(testing.TB) stage.ByteTransform { return xor{fault} }})
}

var suites = map[string]func(t *testing.T, fault string){"storage": storageSuite, "source": sourceSuite, "bytes": bytesSuite}

func TestRightStagesPass(t *testing.T) {
	for name, suite := range suites {
		t.Run(name, func(t *testing.T) { suite(t, "") })
	}
}

// TestFaulty runs a suite on a faulty stage, in a process that TestFaultsAreFound starts.
func TestFaulty(t *testing.T) {
	name, fault, ok := strings.Cut(os.Getenv(faultEnv), "/")
	if !ok {
		return
	}
	suites[name](t, fault)
}

func TestFaultsAreFound(t *testing.T) {
	for _, fault := range []string{
		"storage/keeps the caller's bytes", "storage/does not replace", "storage/another error for what is missing",
		"storage/reads less in silence", "storage/ignores the prefix", "storage/leaves a goroutine",
		"source/another id every time", "source/an unclean path", "source/ignores what is known", "source/wraps the writer's error", "source/a wrong digest",
		"bytes/does not append", "bytes/ignores the limit",
	} {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestFaulty$")
			cmd.Env = append(os.Environ(), faultEnv+"="+fault)
			out, err := cmd.CombinedOutput()
			var exit *exec.ExitError
			if !errors.As(err, &exit) || !bytes.Contains(out, []byte("--- FAIL: TestFaulty")) {
				t.Errorf("not found: %v\n%s", err, out)
			}
		})
	}
}
