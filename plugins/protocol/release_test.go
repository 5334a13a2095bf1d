package protocol

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"

	pb "github.com/lmsvault/vault/plugins/protocol/v1"
)

var update = flag.Bool("update", false, "rewrite v1/release.txt; only for a release, see TestWhatWasReleasedStands")

const released = "v1/release.txt"

// declarations returns the declarations of a protocol, one per line: "message End: uint64
// bytes = 1", in file order within each message, enum or service.
func declarations(f protoreflect.FileDescriptor) (all []string) {
	all = append(all, "package "+string(f.Package()))
	for i := range f.Messages().Len() {
		m := f.Messages().Get(i)
		of := "message " + string(m.Name())
		all = append(all, of)
		for j := range m.Fields().Len() {
			all = append(all, of+": "+declared(m.Fields().Get(j)))
		}
	}
	for i := range f.Enums().Len() {
		e := f.Enums().Get(i)
		of := "enum " + string(e.Name())
		all = append(all, of)
		for j := range e.Values().Len() {
			v := e.Values().Get(j)
			all = append(all, fmt.Sprintf("%s: %s = %d", of, v.Name(), v.Number()))
		}
	}
	for i := range f.Services().Len() {
		s := f.Services().Get(i)
		of := "service " + string(s.Name())
		all = append(all, of)
		for j := range s.Methods().Len() {
			m := s.Methods().Get(j)
			all = append(all, fmt.Sprintf("%s: rpc %s(%s) returns (%s)", of, m.Name(),
				streamed(m.IsStreamingClient(), m.Input()), streamed(m.IsStreamingServer(), m.Output())))
		}
	}
	return all
}

func declared(f protoreflect.FieldDescriptor) string {
	kind := kindOf(f)
	switch {
	case f.IsMap():
		kind = fmt.Sprintf("map<%s, %s>", kindOf(f.MapKey()), kindOf(f.MapValue()))
	case f.IsList():
		kind = "repeated " + kind
	case f.HasOptionalKeyword():
		kind = "optional " + kind
	}
	if o := f.ContainingOneof(); o != nil && !o.IsSynthetic() {
		kind = "oneof " + string(o.Name()) + " " + kind
	}
	return fmt.Sprintf("%s %s = %d", kind, f.Name(), f.Number())
}

func kindOf(f protoreflect.FieldDescriptor) string {
	switch {
	case f.Message() != nil:
		return string(f.Message().Name())
	case f.Enum() != nil:
		return string(f.Enum().Name())
	}
	return f.Kind().String()
}

func streamed(stream bool, m protoreflect.MessageDescriptor) string {
	if stream {
		return "stream " + string(m.Name())
	}
	return string(m.Name())
}

// missing returns the lines of a release that the protocol no longer has.
func missing(release []byte, f protoreflect.FileDescriptor) (all []string) {
	now := map[string]bool{}
	for _, line := range declarations(f) {
		now[line] = true
	}
	for line := range strings.Lines(string(release)) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") && !now[line] {
			all = append(all, line)
		}
	}
	return all
}

// Nothing released in version 1 is ever changed or removed, so that plugins built with it
// keep working. Additions are permitted and become fixed with the next release: go test
// ./plugins/protocol -run Released -update
func TestWhatWasReleasedStands(t *testing.T) {
	release, err := os.ReadFile(released)
	if err != nil && !*update {
		t.Fatal(err)
	}
	for _, line := range missing(release, pb.File_plugin_proto) {
		t.Errorf("released in version 1 but changed or removed now:\n\t%s\nRestore it. If it must change, add a field, call or message with another name and number and keep the "+
			"old one, or add a version 2. (Before the first release it may be changed: -update rewrites %s.)", line, released)
	}
	if *update {
		text := "# Declarations released in version 1 of the protocol; they never change. See release_test.go.\n" + strings.Join(declarations(pb.File_plugin_proto), "\n") + "\n"
		if err := os.WriteFile(released, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

// The check finds every kind of breaking change and permits additions.
func TestBreakingChangesAreFound(t *testing.T) {
	release := []byte(strings.Join(declarations(pb.File_plugin_proto), "\n"))
	message := func(f *descriptorpb.FileDescriptorProto, name string) *descriptorpb.DescriptorProto {
		return f.MessageType[slices.IndexFunc(f.MessageType, func(m *descriptorpb.DescriptorProto) bool { return m.GetName() == name })]
	}
	for name, c := range map[string]struct {
		change func(*descriptorpb.FileDescriptorProto)
		gone   string
	}{
		"a field is removed": {func(f *descriptorpb.FileDescriptorProto) {
			m := message(f, "End")
			m.Field = m.Field[:len(m.Field)-1]
		}, "message End: uint64 items = 3"},
		"a field gets another number": {func(f *descriptorpb.FileDescriptorProto) { message(f, "End").Field[2].Number = proto.Int32(9) }, "message End: uint64 items = 3"},
		"a field gets another name":   {func(f *descriptorpb.FileDescriptorProto) { message(f, "End").Field[2].Name = proto.String("things") }, "message End: uint64 items = 3"},
		"a field gets another type": {func(f *descriptorpb.FileDescriptorProto) {
			message(f, "End").Field[2].Type = descriptorpb.FieldDescriptorProto_TYPE_INT64.Enum()
		}, "message End: uint64 items = 3"},
		"a field becomes a list": {func(f *descriptorpb.FileDescriptorProto) {
			message(f, "End").Field[2].Label = descriptorpb.FieldDescriptorProto_LABEL_REPEATED.Enum()
		}, "message End: uint64 items = 3"},
		"a value of an enum gets another number": {func(f *descriptorpb.FileDescriptorProto) { f.EnumType[0].Value[5].Number = proto.Int32(99) }, "enum Role: ROLE_STORAGE = 5"},
		"a call is removed":                      {func(f *descriptorpb.FileDescriptorProto) { f.Service[0].Method = f.Service[0].Method[:3] }, "service Plugin: rpc Close(CloseRequest) returns (CloseResponse)"},
		"a call's answer becomes a stream": {func(f *descriptorpb.FileDescriptorProto) {
			f.Service[0].Method[3].ServerStreaming = proto.Bool(true)
		}, "service Plugin: rpc Close(CloseRequest) returns (CloseResponse)"},
		"a call's answer is another": {func(f *descriptorpb.FileDescriptorProto) {
			f.Service[0].Method[3].OutputType = proto.String(".vault.plugin.v1.OpenResponse")
		}, "service Plugin: rpc Close(CloseRequest) returns (CloseResponse)"},
		"the package is renamed": {func(f *descriptorpb.FileDescriptorProto) {
			text, err := proto.Marshal(f)
			if err == nil {
				err = proto.Unmarshal([]byte(strings.ReplaceAll(string(text), "vault.plugin.v1", "vault.plugin.v2")), f)
			}
			if err != nil {
				t.Fatal(err)
			}
		}, "package vault.plugin.v1"},
		"a field is added": {func(f *descriptorpb.FileDescriptorProto) {
			m := message(f, "End")
			m.Field = append(m.Field, &descriptorpb.FieldDescriptorProto{
				Name: proto.String("new"), Number: proto.Int32(4), Label: descriptorpb.FieldDescriptorProto_LABEL_OPTIONAL.Enum(), Type: descriptorpb.FieldDescriptorProto_TYPE_STRING.Enum(),
			})
		}, ""},
	} {
		f := protodesc.ToFileDescriptorProto(pb.File_plugin_proto)
		c.change(f)
		changed, err := protodesc.NewFile(f, nil)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if gone := strings.Join(missing(release, changed), "\n"); gone != c.gone {
			t.Errorf("%s: found %q, want %q", name, gone, c.gone)
		}
	}
}

var (
	comment = regexp.MustCompile(`//[^\n]*`)
	spaces  = regexp.MustCompile(`\s+`)
	block   = regexp.MustCompile(`^(message|enum|service) (\w+) \{([^}]*)\}`)
)

// parsed parses the declarations in a .proto file, as far as this one uses the language.
func parsed(t *testing.T, text string) (all []string) {
	rest := strings.TrimSpace(spaces.ReplaceAllString(comment.ReplaceAllString(text, ""), " "))
	for rest != "" {
		if b := block.FindStringSubmatch(rest); b != nil {
			of := b[1] + " " + b[2]
			all = append(all, of)
			for line := range strings.SplitSeq(b[3], ";") {
				if line = strings.TrimSpace(line); line != "" {
					all = append(all, of+": "+line)
				}
			}
			rest = strings.TrimSpace(rest[len(b[0]):])
			continue
		}
		line, after, ok := strings.Cut(rest, ";")
		if !ok {
			t.Fatalf("can't parse: %.100s", rest)
		}
		if strings.HasPrefix(line, "package ") {
			all = append(all, line)
		}
		rest = strings.TrimSpace(after)
	}
	return all
}

func TestGeneratedCodeIsCurrent(t *testing.T) {
	text, err := os.ReadFile("v1/plugin.proto")
	if err != nil {
		t.Fatal(err)
	}
	want, got := parsed(t, string(text)), declarations(pb.File_plugin_proto)
	slices.Sort(want)
	slices.Sort(got)
	for _, line := range want {
		if _, ok := slices.BinarySearch(got, line); !ok {
			t.Errorf("%q is in v1/plugin.proto but not in the generated code; run go generate ./plugins/protocol", line)
		}
	}
	for _, line := range got {
		if _, ok := slices.BinarySearch(want, line); !ok {
			t.Errorf("%q is in the generated code but not in v1/plugin.proto; run go generate ./plugins/protocol", line)
		}
	}
}
