package host

import (
	"strings"
	"testing"

	pb "github.com/lmsvault/vault/plugins/protocol/v1"
)

// described returns a valid description as modified by change.
func described(change func(*pb.DescribeResponse, *pb.Stage)) *pb.DescribeResponse {
	s := &pb.Stage{Name: "csv", Role: pb.Role_ROLE_SOURCE, Summary: "Reads CSV files.", Doc: "A folder\tof\nfiles; größe, 日本.", Parts: []string{"db"}, Dialect: "mysql",
		Settings: []*pb.Setting{{Name: "dir", Type: "text", Required: true, Help: "where"}}}
	r := &pb.DescribeResponse{Name: "csv", Version: "1.2.3-rc.1", Sdk: "go 1.2.0", Stages: []*pb.Stage{s}}
	change(r, s)
	return r
}

// Declarations are printed, decide what runs and are untrusted: invalid ones are refused
// with a reason.
func TestDescriptionIsValidated(t *testing.T) {
	if err := validate(described(func(*pb.DescribeResponse, *pb.Stage) {})); err != nil {
		t.Fatal(err)
	}
	for want, change := range map[string]func(*pb.DescribeResponse, *pb.Stage){
		`name "../csv"`:                  func(r *pb.DescribeResponse, _ *pb.Stage) { r.Name = "../csv" },
		`version "v1"`:                   func(r *pb.DescribeResponse, _ *pb.Stage) { r.Version = "v1" },
		"SDK version is":                 func(r *pb.DescribeResponse, _ *pb.Stage) { r.Sdk = "go\x1b[2J" },
		"no stages":                      func(r *pb.DescribeResponse, _ *pb.Stage) { r.Stages = nil },
		"100 stages":                     func(r *pb.DescribeResponse, _ *pb.Stage) { r.Stages = make([]*pb.Stage, 100) },
		`stage "": the name`:             func(r *pb.DescribeResponse, _ *pb.Stage) { r.Stages[0] = nil },
		`stage "C:": the name`:           func(_ *pb.DescribeResponse, s *pb.Stage) { s.Name = "C:" },
		"unknown role 77":                func(_ *pb.DescribeResponse, s *pb.Stage) { s.Role = 77 },
		"the summary must be one line":   func(_ *pb.DescribeResponse, s *pb.Stage) { s.Summary = "a\nb" },
		"summary must be one line of at": func(_ *pb.DescribeResponse, s *pb.Stage) { s.Summary = strings.Repeat("a", 5000) },
		"the doc must be":                func(_ *pb.DescribeResponse, s *pb.Stage) { s.Doc = "\u202etxt" },
		"doc must be at most":            func(_ *pb.DescribeResponse, s *pb.Stage) { s.Doc = strings.Repeat("a", 1<<20) },
		"the parts of a site":            func(_ *pb.DescribeResponse, s *pb.Stage) { s.Parts, s.Dialect = nil, "" },
		`part "moon" is not one of`:      func(_ *pb.DescribeResponse, s *pb.Stage) { s.Parts = append(s.Parts, "moon") },
		"part db is listed twice":        func(_ *pb.DescribeResponse, s *pb.Stage) { s.Parts = append(s.Parts, "db") },
		`dialect "oracle" is not`:        func(_ *pb.DescribeResponse, s *pb.Stage) { s.Dialect = "oracle" },
		"db is not among":                func(_ *pb.DescribeResponse, s *pb.Stage) { s.Parts = []string{"filedir"} },
		"only a byte transform":          func(_ *pb.DescribeResponse, s *pb.Stage) { s.Seals = true },
		"two stages with this name":      func(r *pb.DescribeResponse, s *pb.Stage) { r.Stages = append(r.Stages, s) },
		"can be used as a source": func(r *pb.DescribeResponse, s *pb.Stage) {
			r.Stages = append(r.Stages, &pb.Stage{Name: "csv", Role: pb.Role_ROLE_STORAGE, Summary: "x"})
		},
		`setting "dir" has a text with control characters`: func(_ *pb.DescribeResponse, s *pb.Stage) { s.Settings[0].Help = "a\rb" },
		"setting passphrase": func(_ *pb.DescribeResponse, s *pb.Stage) {
			s.Role, s.Parts, s.Dialect, s.Settings[0].Name = pb.Role_ROLE_STORAGE, nil, "", "passphrase"
		},
	} {
		if err := validate(described(change)); err == nil || !strings.Contains(err.Error(), want) || strings.ContainsAny(err.Error(), "\x1b\r\u202e") {
			t.Errorf("want %q: %v", want, err)
		}
	}
}

// FuzzSound checks that validation handles any declaration.
func FuzzSound(f *testing.F) {
	f.Add("csv", "1.2.3", "summary", "doc", "db", "mysql", int32(1), "dir", "help")
	f.Fuzz(func(t *testing.T, name, version, summary, doc, part, dialect string, role int32, setting, help string) {
		s := &pb.Stage{Name: name, Role: pb.Role(role), Summary: summary, Doc: doc, Parts: []string{part}, Dialect: dialect,
			Settings: []*pb.Setting{{Name: setting, Help: help}, nil}}
		if err := validate(&pb.DescribeResponse{Name: name, Version: version, Stages: []*pb.Stage{s, nil}}); err == nil {
			t.Error("a stage without a name is accepted")
		}
	})
}
