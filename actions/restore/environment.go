package restore

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/lmsvault/vault/core/moodle/check"
	"github.com/lmsvault/vault/core/program"
	"github.com/lmsvault/vault/core/stage"
)

var environment = check.Check{
	ID: "restore-environment", Title: "Environment", Levels: []stage.Level{stage.LevelOK, stage.LevelNote},
	Doc: `Whether PHP is on this machine, and its version. Vault needs no PHP; Moodle's own upgrade and command-line scripts
do.`,
}

func checkEnvironment(ctx context.Context, _ *subject) ([]stage.ActionFinding, error) {
	path, err := exec.LookPath("php")
	if err != nil {
		f := environment.Finding(stage.LevelNote, "PHP is not on this machine; Moodle's upgrade and command-line scripts have to run elsewhere")
		return []stage.ActionFinding{f}, nil
	}
	// -n: the configuration of the machine does not matter.
	p := program.Program{Argv: []string{path, "-n", "-r", "echo PHP_VERSION;"}, Dir: "/", Env: []string{"PATH=" + os.Getenv("PATH")}, Timeout: 10 * time.Second}
	r, err := p.Run(ctx)
	if err != nil {
		return nil, err
	}
	if !r.OK {
		f := environment.Finding(stage.LevelNote, "%s is there, but does not run: %s", path, r)
		f.Details = r.Output
		return []stage.ActionFinding{f}, nil
	}
	return []stage.ActionFinding{environment.Finding(stage.LevelOK, "PHP %s is on this machine (%s)", strings.TrimSpace(r.Output), path)}, nil
}
