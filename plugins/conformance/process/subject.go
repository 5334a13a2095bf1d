package process

import (
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/plugins/conformance"
	pb "github.com/lmsvault/vault/plugins/protocol/v1"
)

// Subject is a plugin's program and the stage in it that is tested.
type Subject struct {
	Path string
	Args []string
	Env  []string // names of environment variables passed in addition to the usual ones
	// Stage is the stage as declared by the program, from Describe of package host.
	Stage stage.Stage
	// Config returns settings with which the stage can be opened.
	Config func() (any, error)
}

// Checks returns the checks. They store objects below a prefix of their own and remove
// them. Stages of other roles are only opened and closed.
func Checks(s Subject) []conformance.Check {
	checks := []conformance.Check{
		{ID: "process/help", Why: "The plugin states its name and every setting has a help text. Nobody can use an undocumented setting.", Run: s.help},
		{ID: "process/settings", Why: "Undeclared settings and missing required ones are refused with their names, and a plugin that receives them anyway survives. A typing error must not change behaviour silently.", Run: s.settings},
		{ID: "process/handshake", Why: "The program starts without a terminal, prints its address in one line, and listens in the private directory that it is given. Backups run at night from cron.", Run: s.handshake},
		{ID: "process/by-hand", Why: "Started by hand it prints what it is and exits. People try programs they find.", Run: s.byHand},
		{ID: "process/other-version", Why: "To a Vault with another protocol version it reports its own version or the reason why it exits. Otherwise the user only learns that it does not work.", Run: s.otherVersion},
		{ID: "process/unknown", Why: "Calls for unknown stages and instances return errors and do no harm. Host and plugin may have different versions.", Run: s.unknown},
		{ID: "process/instances", Why: "Several instances can be open at once, and each can be closed alone. One process serves all steps of a pipeline that use the plugin.", Run: s.instances},
		{ID: "process/signals", Why: "SIGTERM, SIGINT and SIGHUP do not terminate it while its host is running. They reach all processes of a service or a terminal, and Vault must be able to abort in order.", Run: s.signals},
		{ID: "process/shutdown", Why: "When asked to exit it does so promptly and leaves neither a socket nor temporary files.", Run: s.shutdown},
		{ID: "process/host-killed", Why: "It exits within three seconds after its host is killed. An orphaned process would keep writing to the target of the next run.", Run: s.hostKilled},
	}
	if roleOf(s.Stage) == pb.Role_ROLE_STORAGE {
		checks = append(checks,
			conformance.Check{ID: "process/whole-stream", Why: "A Put is stored whatever the size of its pieces. The host chooses that size.", Run: s.wholeStream},
			conformance.Check{ID: "process/broken-stream", Why: "A Put that is truncated, has a wrong checksum, a missing or extra piece, or a message that is too large is refused and stores nothing. To the next run a partial object would look complete.", Run: s.brokenStreams})
	}
	return checks
}

func roleOf(s stage.Stage) pb.Role {
	switch {
	case s.NewStorage != nil:
		return pb.Role_ROLE_STORAGE
	case s.NewSource != nil:
		return pb.Role_ROLE_SOURCE
	case s.NewRecord != nil:
		return pb.Role_ROLE_RECORD_TRANSFORM
	case s.NewBytes != nil:
		return pb.Role_ROLE_BYTE_TRANSFORM
	case s.NewSink != nil:
		return pb.Role_ROLE_SINK
	case s.NewAction != nil:
		return pb.Role_ROLE_ACTION
	}
	return pb.Role_ROLE_UNSPECIFIED
}
