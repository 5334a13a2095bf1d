package conformance

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// suites are the checks of a right stage of each role but for the fault that is
// named, which stand in the other files of this test.
var suites = map[string]func(fault string) []Check{
	"storage": storageSuite, "source": sourceSuite, "bytes": bytesSuite, "sealed": sealedSuite, "record": recordSuite, "sink": sinkSuite,
	"catalog": catalogSuite,
}

// little is enough for stages that break at once.
var little = effort{largest: 5 << 20, longest: 1 << 20, leaks: 300 * time.Millisecond}

// only are the checks of an ID.
func only(t *testing.T, checks []Check, id string) []Check {
	t.Helper()
	found := slices.DeleteFunc(slices.Clone(checks), func(c Check) bool { return c.ID != id })
	if len(found) != 1 {
		t.Fatalf("there are %d checks %s", len(found), id)
	}
	return found
}

func TestRightStagesPass(t *testing.T) {
	for name, suite := range suites {
		t.Run(name, func(t *testing.T) { runAll(t, suite("")) })
		if n := Run(t.Context(), suite(""), func(r Result) {
			if len(r.Failures) > 0 {
				t.Errorf("%s outside of go test: %q", r.Check.ID, r.Failures)
			}
		}); n > 0 {
			t.Errorf("%d checks of %s fail", n, name)
		}
	}
}

// A check that finds nothing is worth nothing: each is shown what it is there for.
func TestFaultsAreFound(t *testing.T) {
	for _, f := range []struct{ suite, fault, check, told string }{
		{"storage", "loses the tail", "storage/put-get", "not the 4095 that were put"},
		{"storage", "loses what is large", "storage/large", "holds 1048576 bytes, not the 5242880"},
		{"storage", "keeps the caller's bytes", "storage/buffers", "object holds 5000 bytes"},
		{"storage", "returns its own buffer", "storage/buffers", "changes with the next Get"},
		{"storage", "ignores the offset", "storage/range", "or they are others"},
		{"storage", "reads less in silence", "storage/range", "it is no error"},
		{"storage", "does not replace", "storage/replace", "replaced holds 10000 bytes, not the 10 "},
		{"storage", "ignores the prefix", "storage/list", `objects of prefix "data/"`},
		{"storage", "takes a prefix for a folder", "storage/list-prefixes", `objects of prefix "a"`},
		{"storage", "lists one page", "storage/list-many", "of 2500 objects 1500 are not listed"},
		{"storage", "goes on after an error", "storage/list-stop", "is called 3 times"},
		{"storage", "deletes a prefix", "storage/delete", `objects of prefix "": [], want ["a/b/12"]`},
		{"storage", "another error for what is missing", "storage/missing", "want ErrNotExist"},
		{"storage", "waits for what is missing", "storage/missing", "the error is temporary"},
		{"storage", "creates over what is there", "storage/create", "create of locks/one, which is there: <nil>, want ErrExist"},
		{"storage", "another error for what exists", "storage/create", "want ErrExist"},
		{"storage", "waits for what exists", "storage/create", "the error is temporary"},
		{"storage", "looks before it creates", "storage/create-once", "are told that they did"},
		{"storage", "likes less than no calls", "storage/limits", "likes -1 calls at once"},
		{"storage", "cuts names", "storage/names", "holds 10 bytes"},
		{"storage", "puts in parts", "storage/concurrent", "is listed with 500 bytes"},
		{"storage", "ignores the context", "storage/cancelled", "put with a cancelled context: <nil>"},
		{"storage", "stores as it comes", "storage/cancelled-put", "leaves"},
		{"storage", "stores as it comes", "crash/put", "leaves"},
		{"storage", "stores when closed", "storage/durable", "while the storage that put it is open"},
		{"storage", "leaves a goroutine", "storage/put-get", "goroutines are left"},
		{"storage", "panics", "storage/put-get", "panic: out of luck"},
		{"source", "another id every time", "source/plan", "the units of a second plan differ"},
		{"source", "an unclean path", "source/read", "is not clean"},
		{"source", "an owner that is not known", "source/read", "an unknown one is the zero value"},
		{"source", "a wrong digest", "source/read", "is not that of the content"},
		{"source", "a wrong count", "source/read", "is said to have 3 rows has 2"},
		{"source", "a row of too few cells", "source/read", "a row of 1 cells"},
		{"source", "one unit at a time", "source/concurrent", "one at a time"},
		{"source", "reads a unit once", "source/again", "is not the same when it is read again"},
		{"source", "hides the writer's error", "source/again", "and what the read returns is not"},
		{"source", "another moment for who joins", "source/join", "is not the same over a source that joined"},
		{"source", "joins anything", "source/join", "is joined without an error"},
		{"source", "counts one too many", "source/count", "table t: 5 rows are counted and 4 are read"},
		{"source", "ignores the selection", "source/selection", "without a table: db/t is there, and is to be left out"},
		{"source", "ignores the selection", "source/selection", "db/t has 4 rows instead of the 2 that are selected"},
		{"source", "ignores the selection", "source/selection", "dataroot/a is there, and is to be left out"},
		{"source", "leaves out in silence", "source/selection", "the plan does not say that dataroot/a is left out"},
		{"source", "counts what is left out", "source/selection", "table t: 4 rows are counted and 2 are read"},
		{"source", "fails for a selection", "source/selection", "the plan fails, and does not refuse it: what is that?"},
		{"source", "ignores the context", "source/cancelled-count", "a count that was cancelled before: 4 rows, <nil>"},
		{"source", "hides the writer's error", "source/writer-error", "errors.Is does not find"},
		{"source", "goes on after an error", "source/writer-error", "a call follows one that failed"},
		{"source", "ignores the context", "source/cancelled-plan", "a plan that was cancelled before: <nil>"},
		{"source", "hides that it was cancelled", "source/cancelled-read", "cancelled while it was read: gone"},
		{"source", "can be opened once", "source/abandoned", "is not the same when the source is opened again"},
		{"source", "fails to close", "source/close", "close: not now"},
		{"source", "an empty fingerprint matches", "source/nothing-known", "an empty fingerprint is taken for a match"},
		{"source", "ignores what is known", "source/known", "is the same: false"},
		{"source", "takes a part for all", "crash/read", "no error and not all of it"},
		{"bytes", "does not append", "bytes/round-trip", "does not append"},
		{"bytes", "changes its input", "bytes/round-trip", "changes its input"},
		{"bytes", "loses what is large", "bytes/large", "do not come back"},
		{"bytes", "ignores the limit", "bytes/limit", "under limit"},
		{"bytes", "takes a part for all", "crash/apply", "does not come back"},
		{"sealed", "ignores the name", "bytes/name", "opens under"},
		{"sealed", "ignores the tag", "bytes/garbage", "is taken for whole"},
		{"sealed", "another key every time", "bytes/second-opening", "of the same header opens to"},
		{"sealed", "any key opens", "bytes/wrong-key", "want ErrKey"},
		{"sealed", "any header opens", "bytes/damaged-header", "is taken"},
		{"record", "loses a row", "record/to-mysql", "4 rows become 3"},
		{"record", "counts what it lost", "record/to-mysql", "Rows says that it kept 4 rows, and gave 3"},
		{"record", "does not append", "record/to-repository", "does not append"},
		{"record", "changes rows in silence", "record/to-repository", "Rewrite is not set"},
		{"record", "loses what is large", "record/large", "does not come back"},
		{"record", "takes a part for all", "crash/rows", "and no error"},
		{"catalog", "lists the oldest first", "catalog/list", "is not the newest first"},
		{"catalog", "lists nothing in silence", "catalog/list", "want an error of class failure.Usage"},
		{"catalog", "takes the newest for any", "catalog/describe", "want an error of class failure.Usage"},
		{"catalog", "forgets rows", "catalog/describe", "have 2 rows, and its totals say 3"},
		{"catalog", "opens the newest", "catalog/open", "the source of 20260102-000000-00000002 reads 20260103"},
		{"catalog", "ends with its source", "catalog/open", "nothing is listed after"},
		{"catalog", "checks one", "catalog/verify", "are checked"},
		{"catalog", "removes in a dry run", "catalog/dry-remove", "a dry run leaves"},
		{"catalog", "removes all", "catalog/remove", "is left, want"},
		{"catalog", "removes what is gone", "catalog/remove", "a snapshot that is gone is removed"},
		{"catalog", "asks for the oldest first", "catalog/keep", "the keeper is asked for"},
		{"catalog", "names an entry twice", "catalog/browse", "and was before: true"},
		{"catalog", "goes on after an error", "catalog/browse", "after an error the callback was called 2 times"},
		{"catalog", "has every entry", "catalog/browse", "an entry that is not there"},
		{"catalog", "loses the end", "catalog/browse", "has 2 bytes, and is said to have 3"},
		{"sink", "writes while it checks", "sink/check", "touched"},
		{"sink", "ignores the context", "sink/cancelled-check", "a check that was cancelled: <nil>"},
		{"sink", "can't be closed twice", "sink/close", "closed already"},
		{"sink", "loses a unit", "sink/whole", "is not there"},
		{"sink", "keeps what was dropped", "sink/dropped", "holds"},
		{"sink", "keeps what was given up", "sink/unit-given-up", "holds"},
		{"sink", "gives no receipt", "sink/whole", "neither a receipt nor an error"},
		{"sink", "counts more files than came", "sink/whole", "the receipt says"},
		{"sink", "keeps a unit twice", "sink/unit-repeated", "holds"},
		{"sink", "clears the target first", "sink/swap", "is not there whole"},
		{"sink", "keeps the old site too", "sink/swap", "holds"},
		{"sink", "forgets that it was aborted", "sink/aborted", "must be refused"},
		{"sink", "forgets that it was aborted", "sink/aborted-after-finish", "must be refused"},
		{"sink", "ignores the context", "sink/cancelled", "a commit that was cancelled: <nil>"},
		{"sink", "finishes without what was lost", "crash/write", "no call before Publish returns an error"},
	} {
		t.Run(f.suite+" "+f.fault+" "+f.check, func(t *testing.T) {
			var got Result
			failed := Run(t.Context(), only(t, suites[f.suite](f.fault), f.check), func(r Result) { got = r })
			if failed != 1 || !strings.Contains(strings.Join(got.Failures, "\n"), f.told) {
				t.Errorf("%s finds %q (skipped: %q), and not that it %s: %q", f.check, got.Failures, got.Skipped, f.fault, f.told)
			}
		})
	}
}

// A source may refuse a selection that it can't apply.
func TestASourceMayRefuseASelection(t *testing.T) {
	failed := Run(t.Context(), only(t, suites["source"]("selects no rows"), "source/selection"), func(r Result) {
		if len(r.Failures) > 0 {
			t.Errorf("%q", r.Failures)
		}
	})
	if failed != 0 {
		t.Errorf("%d checks fail", failed)
	}
}

// IDs are stable and stand for one check each; the reason is a sentence or two.
func TestChecksAreNamed(t *testing.T) {
	for name, suite := range suites {
		seen := map[string]bool{}
		for _, c := range suite("") {
			role, word, ok := strings.Cut(c.ID, "/")
			if !ok || role == "" || strings.Trim(word, "abcdefghijklmnopqrstuvwxyz-") != "" || seen[c.ID] {
				t.Errorf("%s: the id %q is taken, or not of the form role/word-word", name, c.ID)
			}
			if seen[c.ID] = true; len(c.Why) < 40 || !strings.HasSuffix(c.Why, ".") {
				t.Errorf("%s does not say why: %q", c.ID, c.Why)
			}
		}
	}
}
