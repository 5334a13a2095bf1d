package conformance

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// suites returns the checks of each role, run against a stage that is correct except for
// the named fault. The stages are in the fault files of this package.
var suites = map[string]func(fault string) []Check{
	"storage": storageSuite, "source": sourceSuite, "bytes": bytesSuite, "sealed": sealedSuite, "record": recordSuite, "adding": addingSuite, "sink": sinkSuite,
	"catalog": catalogSuite, "action": actionSuite,
}

// little is enough for stages that break at once.
var little = effort{largest: 5 << 20, longest: 1 << 20, leaks: 300 * time.Millisecond}

// only returns the check with the given ID.
func only(t *testing.T, checks []Check, id string) []Check {
	t.Helper()
	found := slices.DeleteFunc(slices.Clone(checks), func(c Check) bool { return c.ID != id })
	if len(found) != 1 {
		t.Fatalf("found %d checks %s", len(found), id)
	}
	return found
}

func TestCorrectStagesPass(t *testing.T) {
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

// Every check is shown the fault that it exists to find.
func TestFaultsAreFound(t *testing.T) {
	for _, f := range []struct{ suite, fault, check, want string }{
		{"storage", "loses the tail", "storage/put-get", "not the 4095 bytes stored"},
		{"storage", "loses large content", "storage/large", "holds 1048576 bytes, not the 5242880 bytes stored"},
		{"storage", "keeps the caller's bytes", "storage/buffers", "object holds 5000 bytes"},
		{"storage", "returns its own buffer", "storage/buffers", "the next Get changes the bytes returned"},
		{"storage", "ignores the offset", "storage/range", "or wrong content"},
		{"storage", "reads less silently", "storage/range", "exceed the object without an error"},
		{"storage", "does not replace", "storage/replace", "replaced holds 10000 bytes, not the 10 bytes"},
		{"storage", "ignores the prefix", "storage/list", `objects of prefix "data/"`},
		{"storage", "treats a prefix as a directory", "storage/list-prefixes", `objects of prefix "a"`},
		{"storage", "lists one page", "storage/list-many", "of 2500 objects 1500 are not listed"},
		{"storage", "goes on after an error", "storage/list-stop", "is called 3 times"},
		{"storage", "deletes a prefix", "storage/delete", `objects of prefix "": [], want ["a/b/12"]`},
		{"storage", "wrong error for a missing object", "storage/missing", "want ErrNotExist"},
		{"storage", "temporary error for a missing object", "storage/missing", "the error is temporary"},
		{"storage", "overwrites on create", "storage/create", "create of existing locks/one: <nil>, want ErrExist"},
		{"storage", "wrong error for an existing object", "storage/create", "want ErrExist"},
		{"storage", "temporary error for an existing object", "storage/create", "the error is temporary"},
		{"storage", "checks before it creates", "storage/create-once", "concurrent creates of"},
		{"storage", "prefers a negative number of calls", "storage/limits", "preferred number of calls is -1"},
		{"storage", "cuts names", "storage/names", "holds 10 bytes"},
		{"storage", "puts in parts", "storage/concurrent", "is listed with 500 bytes"},
		{"storage", "ignores the context", "storage/cancelled", "put with a cancelled context: <nil>"},
		{"storage", "stores partial data", "storage/cancelled-put", "leaves"},
		{"storage", "stores partial data", "crash/put", "leaves"},
		{"storage", "stores when closed", "storage/durable", "while the storage is open"},
		{"storage", "leaves a goroutine", "storage/put-get", "goroutines are still running"},
		{"storage", "panics", "storage/put-get", "panic: out of luck"},
		{"source", "another ID every time", "source/plan", "the units of a second plan differ"},
		{"source", "an unclean path", "source/read", "is not clean"},
		{"source", "an invalid unknown owner", "source/read", "an unknown owner must be the zero value"},
		{"source", "a wrong digest", "source/read", "does not match the content"},
		{"source", "a wrong count", "source/read", "reported with 3 rows has 2"},
		{"source", "a row of too few cells", "source/read", "row with 1 cells"},
		{"source", "one unit at a time", "source/concurrent", "one at a time"},
		{"source", "reads a unit once", "source/again", "differs when it is read again"},
		{"source", "hides the writer's error", "source/again", "but the error of the read is not temporary"},
		{"source", "another snapshot after joining", "source/join", "differs in a source that joined"},
		{"source", "joins anything", "source/join", "is joined without an error"},
		{"source", "counts one too many", "source/count", "table t: 5 rows counted, 4 read"},
		{"source", "counts a table once", "source/count", "table t: counted a second time it has 0 rows"},
		{"source", "ignores the selection", "source/selection", "without a table: db/t is read although it is excluded"},
		{"source", "ignores the selection", "source/selection", "db/t has 4 rows, 2 are selected"},
		{"source", "ignores the selection", "source/selection", "dataroot/a is read although it is excluded"},
		{"source", "excludes silently", "source/selection", "the plan does not report that dataroot/a is excluded"},
		{"source", "counts excluded rows", "source/selection", "table t: 4 rows counted, 2 read"},
		{"source", "fails for a selection", "source/selection", "the plan fails with an error that is not of class failure.Refused: what is that?"},
		{"source", "ignores the context", "source/cancelled-count", "count with a cancelled context: 4 rows, <nil>"},
		{"source", "hides the writer's error", "source/writer-error", "which does not wrap it"},
		{"source", "goes on after an error", "source/writer-error", "call after a failed call"},
		{"source", "ignores the context", "source/cancelled-plan", "plan with a cancelled context: <nil>"},
		{"source", "hides cancellation", "source/cancelled-read", "cancelled while reading: gone"},
		{"source", "can be opened once", "source/abandoned", "differs when the source is opened again"},
		{"source", "fails to close", "source/close", "close: not now"},
		{"source", "an empty fingerprint matches", "source/nothing-known", "an empty fingerprint matches"},
		{"source", "ignores the baseline", "source/known", "reported as the same: false"},
		{"source", "accepts partial data", "crash/read", "returned part of the unit without an error"},
		{"bytes", "does not append", "bytes/round-trip", "does not append"},
		{"bytes", "changes its input", "bytes/round-trip", "changes its input"},
		{"bytes", "loses large content", "bytes/large", "do not round-trip"},
		{"bytes", "ignores the limit", "bytes/limit", "under limit"},
		{"bytes", "accepts partial data", "crash/apply", "does not round-trip"},
		{"sealed", "ignores the name", "bytes/name", "opens as"},
		{"sealed", "ignores the tag", "bytes/garbage", "is accepted"},
		{"sealed", "another key every time", "bytes/second-opening", "with the same header returns"},
		{"sealed", "any key opens", "bytes/wrong-key", "want ErrKey"},
		{"sealed", "any header opens", "bytes/damaged-header", "is accepted"},
		{"sealed", "is spoilt by a wrong header", "bytes/next-header", "after a stranger's header was tried it opens to"},
		{"sealed", "shares another key", "bytes/share", "for the friend it opens to"},
		{"sealed", "shares twice", "bytes/share", "the friend is admitted twice"},
		{"sealed", "does not say whom", "bytes/share", "the header admits"},
		{"record", "loses a row", "record/to-mysql", "4 rows give 3"},
		{"record", "counts lost rows", "record/to-mysql", "Rows reports 4 rows but returned 3"},
		{"record", "does not append", "record/to-repository", "does not append"},
		{"record", "changes rows silently", "record/to-repository", "Rewrite is not set"},
		{"record", "loses large content", "record/large", "is not returned as one row"},
		{"record", "accepts partial data", "crash/rows", "without an error"},
		{"adding", "adds other rows each time", "record/added", "not the same each time"},
		{"adding", "adds other rows when opened again", "record/added", "not the same each time"},
		{"adding", "does not append", "record/added", "Added does not append"},
		{"adding", "counts one more", "record/added", "reported 3 rows but returned 2"},
		{"adding", "takes numbers of rows", "record/added", "has the key 1 of another row"},
		{"adding", "takes a number twice", "record/added", "has the key 1000 of another row"},
		{"adding", "leaves the sequence behind", "record/added", "below 1000, that of Mapped.Schema"},
		{"adding", "adds too few cells", "record/added", "an added row has 2 cells"},
		{"adding", "has none to add", "record/added", "not a stage.Adder"},
		{"adding", "changes the plan", "record/prepare", "Prepare changed the plan"},
		{"adding", "reports something else", "record/prepare", "something else about the same plan"},
		{"adding", "waits", "record/prepare", "did not return"},
		{"adding", "needs to be prepared", "record/to-mysql", "is mapped differently"},
		{"catalog", "lists the oldest first", "catalog/list", "is not newest first"},
		{"catalog", "lists nothing silently", "catalog/list", "want an error of class failure.Usage"},
		{"catalog", "returns the newest for any", "catalog/describe", "want an error of class failure.Usage"},
		{"catalog", "forgets rows", "catalog/describe", "have 2 rows, its totals 3"},
		{"catalog", "opens the newest", "catalog/open", "the source of 20260102-000000-00000002 reads 20260103"},
		{"catalog", "closes with its source", "catalog/open", "no snapshots are listed after"},
		{"catalog", "checks one", "catalog/verify", "checked"},
		{"catalog", "removes in a dry run", "catalog/dry-remove", "after a dry run"},
		{"catalog", "removes all", "catalog/remove", "remain, want"},
		{"catalog", "removes removed snapshots", "catalog/remove", "removing a removed snapshot"},
		{"catalog", "asks for the oldest first", "catalog/keep", "the keeper gets"},
		{"catalog", "names an entry twice", "catalog/browse", "(listed before: true)"},
		{"catalog", "goes on after an error", "catalog/browse", "after an error of the callback: 2 calls"},
		{"catalog", "accepts any entry", "catalog/browse", "reading a missing entry"},
		{"catalog", "loses the end", "catalog/browse", "has 2 bytes, is listed with 3"},
		{"action", "has no id", "action/report", "ID \"\""},
		{"action", "has a level of its own", "action/report", "level"},
		{"action", "says nothing", "action/report", "what is empty"},
		{"action", "excludes bytes", "action/report", "a text is not UTF-8"},
		{"action", "asks in bytes", "action/report", "the text to confirm is not UTF-8"},
		{"action", "counts on the outcome", "action/report", "panic"},
		{"action", "leaves a goroutine", "action/report", "goroutines are still running"},
		{"action", "changes in a dry run", "action/dry-run", "a dry run changed"},
		{"action", "another ID every time", "action/dry-run", "two dry runs report the IDs"},
		{"action", "changes the plan", "action/plan", "the plan was changed"},
		{"action", "waits", "action/cancelled", "did not return"},
		{"sink", "writes while it checks", "sink/check", "touched"},
		{"sink", "ignores the context", "sink/cancelled-check", "cancelled check: <nil>"},
		{"sink", "can't be closed twice", "sink/close", "closed already"},
		{"sink", "loses a unit", "sink/whole", "is missing or incomplete"},
		{"sink", "keeps dropped entries", "sink/dropped", "holds"},
		{"sink", "keeps an aborted unit", "sink/unit-given-up", "holds"},
		{"sink", "returns no receipt", "sink/whole", "neither a receipt nor an error"},
		{"sink", "counts too many files", "sink/whole", "the receipt says"},
		{"sink", "keeps a unit twice", "sink/unit-repeated", "holds"},
		{"sink", "clears the target first", "sink/swap", "is missing or incomplete"},
		{"sink", "keeps the old site too", "sink/swap", "holds"},
		{"sink", "forgets that it was aborted", "sink/aborted", "Check must refuse"},
		{"sink", "forgets that it was aborted", "sink/aborted-after-finish", "Check must refuse"},
		{"sink", "ignores the context", "sink/cancelled", "cancelled commit: <nil>"},
		{"sink", "finishes without lost units", "crash/write", "no call before Publish returned an error"},
	} {
		t.Run(f.suite+" "+f.fault+" "+f.check, func(t *testing.T) {
			var got Result
			failed := Run(t.Context(), only(t, suites[f.suite](f.fault), f.check), func(r Result) { got = r })
			if failed != 1 || !strings.Contains(strings.Join(got.Failures, "\n"), f.want) {
				t.Errorf("%s found %q (skipped: %q) for the fault %q, want %q", f.check, got.Failures, got.Skipped, f.fault, f.want)
			}
		})
	}
}

// A source may refuse a selection that it can't apply.
func TestSourceMayRefuseSelection(t *testing.T) {
	failed := Run(t.Context(), only(t, suites["source"]("selects no rows"), "source/selection"), func(r Result) {
		if len(r.Failures) > 0 {
			t.Errorf("%q", r.Failures)
		}
	})
	if failed != 0 {
		t.Errorf("%d checks fail", failed)
	}
}

// IDs are unique, and the reason is a sentence or two.
func TestChecksHaveIDsAndReasons(t *testing.T) {
	for name, suite := range suites {
		seen := map[string]bool{}
		for _, c := range suite("") {
			role, word, ok := strings.Cut(c.ID, "/")
			if !ok || role == "" || strings.Trim(word, "abcdefghijklmnopqrstuvwxyz-") != "" || seen[c.ID] {
				t.Errorf("%s: the ID %q is used twice or not of the form role/word-word", name, c.ID)
			}
			if seen[c.ID] = true; len(c.Why) < 40 || !strings.HasSuffix(c.Why, ".") {
				t.Errorf("%s has no proper reason: %q", c.ID, c.Why)
			}
		}
	}
}
