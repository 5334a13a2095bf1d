package e2e

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/lmsvault/vault/actions/checkbackup"
	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/stage"
	location "github.com/lmsvault/vault/dialects/database"
	"github.com/lmsvault/vault/internal/servers"
)

// checkRealSite performs the checks before a backup on a real site. They find what was
// changed by hand, and the content that one of the sites lacks.
func checkRealSite(t *testing.T, dialect, dir string, db servers.Database) {
	t.Helper()
	cfg := &checkbackup.Config{
		Address: location.Address{Engine: dialect, DSN: config.NewSecret(db.DSN), Prefix: "mdl_"},
		Dir:     filepath.Join(dir, "code"), DataRoot: filepath.Join(dir, "dataroot"), VerifyFiles: true,
	}
	a, err := checkbackup.Stage().NewAction(t.Context(), cfg, stage.Env{TempDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	plan := &stage.Plan{Facts: map[string]string{stage.SelectionFact: `{"exclude_tables":["tool_vault_*","zzz_empty"]}`}}
	r, err := a.Run(t.Context(), stage.ActionRequest{Moment: stage.MomentPlanned, Plan: plan})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range r.Findings {
		switch f.ID {
		case "database-modifications", "config-overrides", "missing-files", "wrong-files", "upgrade":
			got = append(got, string(f.Level)+" "+f.ID+" "+f.Where)
		}
	}
	want := []string{
		"note upgrade plugins-missing",
		"note database-modifications course.idnumber", "note database-modifications course.zzz_flag",
		"note database-modifications user.city", "note database-modifications user.zzz_extra",
		"warning database-modifications logstore_standard_log.mdl_logsstanlog_tim_ix", "note database-modifications forum_posts.mdl_zzz_extra_ix",
		"note database-modifications zzz_custom", "note database-modifications zzz_nopk", "note database-modifications zzz_plain",
		"note config-overrides maxbytes", "note config-overrides country", "note config-overrides noemailever", "note config-overrides passwordsaltmain",
		"note config-overrides quiz/attempts", "note config-overrides quiz/overduehandling", "note config-overrides logstore_standard/loglifetime",
		"ok missing-files ", "ok wrong-files ",
	}
	if dialect == "postgres" {
		want[slices.Index(want, "ok missing-files ")] = "fail missing-files ef36ffccf4d3254aeb229e701a6fc3dfd4fac96f"
		want = slices.Insert(want, slices.Index(want, "warning database-modifications logstore_standard_log.mdl_logsstanlog_tim_ix"), "note database-modifications user.mdl_zzz_part_ix")
		i := slices.IndexFunc(r.Findings, func(f stage.ActionFinding) bool { return f.ID == "missing-files" })
		if what := r.Findings[i].What; !strings.HasPrefix(what, "mod_folder content, course EDGE") || !strings.HasSuffix(what, "file content-missing.txt: the content is missing") {
			t.Errorf("the missing file is described as %q", what)
		}
	}
	compareLines(t, got, want)
}
