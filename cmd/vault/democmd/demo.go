package democmd

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/lmsvault/vault/cmd/vault/cli"
	"github.com/lmsvault/vault/cmd/vault/initcmd"
	"github.com/lmsvault/vault/cmd/vault/runcmd"
	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/pipeline"
	"github.com/lmsvault/vault/core/progress"
	"github.com/lmsvault/vault/core/run"
	"github.com/lmsvault/vault/pipelines"
	"github.com/lmsvault/vault/sources/sample"
)

// New returns the command "demo".
func New(a *cli.App) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Set up, check, back up, restore and copy a sample site",
		Long: `Generate a small Moodle-like site (SQLite, data root, code with a config.php) in a scratch
folder and do with it what is done with a real one: vault init, check and a backup to a
compressed and encrypted repository, a restore over the site, and a safe copy of it.
Every result is verified. Needs no server and no PHP. The folder is kept for inspection.`,
		Args: cli.Takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			dir, err := cmd.Flags().GetString("dir")
			if err != nil {
				return err
			}
			return demo(cmd.Context(), a, dir)
		},
	}
	cmd.Flags().String("dir", "", "the scratch folder, which must be empty or not exist (default: a new temporary folder)")
	return cmd
}

// demo does all of it in dir.
func demo(ctx context.Context, a *cli.App, dir string) error {
	if odd := config.Misreading(dir); odd != nil {
		return failure.New(failure.Usage, "--dir %s; %s", odd.Problem, odd.AdviceForArg())
	}
	dir, err := scratch(dir)
	if err == nil { // settings are relative to the pipeline's directory, flags to the working directory
		dir, err = filepath.Abs(dir)
	}
	if err != nil {
		return err
	}
	begun := time.Now()
	d := &demonstration{app: a, dir: dir, Dir: dir, Runs: map[string]*run.Result{}}
	for _, step := range []func(context.Context) error{d.generate, d.setUp, d.check, d.backUp, d.restore, d.copy} {
		if err := step(ctx); err != nil {
			a.Result = d
			return fmt.Errorf("in %s: %w", dir, err)
		}
	}
	if a.Events != nil {
		a.Reporter.Report(progress.Event{Kind: progress.Done, Result: d})
		return nil
	}
	return d.report(time.Since(begun))
}

// demonstration is the state of a demo, and its result.
type demonstration struct {
	app *cli.App
	dir string

	Checks string                 `json:"checks"` // of the site: findings by level
	Dir    string                 `json:"dir"`
	Runs   map[string]*run.Result `json:"runs"` // by the name of their pipelines
}

// scratch creates the directory of the demo.
func scratch(dir string) (string, error) {
	if dir == "" {
		return os.MkdirTemp("", "vault-demo-")
	}
	entries, err := os.ReadDir(dir)
	if err == nil && len(entries) > 0 {
		return "", failure.New(failure.Refused, "folder %s is not empty; choose another one with --dir", dir)
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return "", failure.Wrap(failure.Refused, err)
	}
	return dir, os.MkdirAll(dir, 0o700)
}

// code describes the code of the site, or of its copy.
func (d *demonstration) code(name, address string) sample.Code {
	root := filepath.Join(d.dir, name)
	return sample.Code{Dir: filepath.Join(root, "moodle"), Address: address, Database: filepath.Join(root, "site.sqlite"), Dataroot: filepath.Join(root, "dataroot"), Prefix: "mdl_"}
}

const copyAddress = "https://copy.school.example"

// generate makes the site, its code, and the code of the copy.
func (d *demonstration) generate(ctx context.Context) error {
	site := d.code("site", sample.Address)
	site.Country = "DE"
	for _, c := range []sample.Code{site, d.code("copy", copyAddress)} {
		if err := c.Write(); err != nil {
			return err
		}
	}
	o, err := d.app.Options(ctx)
	if err != nil {
		return err
	}
	text, err := pipelines.Files.ReadFile("demo-site.yaml")
	if err != nil {
		return err
	}
	o.Values = config.Values{Set: map[string]string{"dir": d.dir}}
	p, found := pipeline.Parse("pipelines/demo-site.yaml", text, o)
	if err := found.Err(); err != nil {
		return err
	}
	return d.run(ctx, p)
}

// shows prints the command that does the next step on a real site.
func (d *demonstration) shows(command string) {
	if d.app.Events == nil && !d.app.Flag("quiet").On {
		d.app.Say("this is: " + command)
	}
}

// setUp is vault init.
func (d *demonstration) setUp(ctx context.Context) error {
	d.shows("vault init " + d.dir + "/site/moodle --repository " + d.dir + "/repository")
	_, err := initcmd.SetUp(ctx, d.app, initcmd.Options{Dir: filepath.Join(d.dir, "site/moodle"), Repository: filepath.Join(d.dir, "repository"), To: filepath.Join(d.dir, "pipelines")})
	return err
}

func (d *demonstration) check(ctx context.Context) error {
	d.shows("vault check " + d.dir + "/pipelines/site-backup.yaml")
	p, err := d.load(ctx, "site-backup")
	if err != nil {
		return err
	}
	d.Checks, err = runcmd.Check(ctx, d.app, p)
	return err
}

func (d *demonstration) backUp(ctx context.Context) error { return d.pipeline(ctx, "site-backup") }

func (d *demonstration) restore(ctx context.Context) error { return d.pipeline(ctx, "site-restore") }

func (d *demonstration) copy(ctx context.Context) error { return d.pipeline(ctx, "site-clone") }

// pipeline runs a pipeline that init wrote, as with --allow-restore and --yes.
func (d *demonstration) pipeline(ctx context.Context, name string) error {
	d.shows("vault run " + d.dir + "/pipelines/" + name + ".yaml")
	p, err := d.load(ctx, name)
	if err != nil {
		return err
	}
	return d.run(ctx, p)
}

// load loads a pipeline that init wrote.
func (d *demonstration) load(ctx context.Context, name string) (*pipeline.Pipeline, error) {
	o, err := d.app.Options(ctx)
	if err != nil {
		return nil, err
	}
	o.Online, o.AllowRestore = true, true
	o.Values.Env = func(name string) (string, bool) {
		if name == "COPY_DIR" {
			return filepath.Join(d.dir, "copy/moodle"), true
		}
		return os.LookupEnv(name)
	}
	p, found, err := pipeline.Load(filepath.Join(d.dir, "pipelines", name+".yaml"), o)
	return p, errors.Join(err, found.Err())
}

func (d *demonstration) run(ctx context.Context, p *pipeline.Pipeline) error {
	d.app.Hidden.Add(p.Hidden...)
	result, err := runcmd.Execute(ctx, d.app, p, runcmd.How{Yes: true})
	if d.Runs[p.Name] = result; err != nil {
		return fmt.Errorf("%s: %w", p.Name, err)
	}
	return nil
}

// report prints the results and the locations of the demo's files.
func (d *demonstration) report(took time.Duration) error {
	var b strings.Builder
	fmt.Fprintf(&b, "checks of the site: %s\n", d.Checks)
	for _, name := range []string{"site-restore", "site-clone"} {
		fmt.Fprintf(&b, "%s:\n", name)
		cli.Proofs(&b, d.Runs[name], true)
	}
	for _, s := range d.Runs["site-backup"].Stored {
		fmt.Fprintf(&b, "sizes:  site %s, backup %s, ratio %.1f\n", cli.Size(s.Plain), cli.Size(s.Stored), float64(s.Plain)/float64(max(1, s.Stored)))
	}
	fmt.Fprintf(&b, "time:   %s to generate, check, back up, restore, copy and verify the site\n\n", took.Round(time.Millisecond))
	fmt.Fprintf(&b, "site        %[1]s/site\npipelines   %[1]s/pipelines\nrepository  %[1]s/repository\ncopy        %[1]s/copy\n\n", d.dir)
	key := "--passphrase-file " + d.dir + "/pipelines/" + initcmd.PassphraseFile
	if os.Getenv(cli.PassphraseVariable) != "" {
		key = ""
	}
	fmt.Fprintf(&b, "try:  vault show %s/repository %s\n", d.dir, key)
	return d.app.Print(b.String())
}
