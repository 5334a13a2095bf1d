package process

import (
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/plugins/conformance"
	pb "github.com/lmsvault/vault/plugins/protocol/v1"
)

// Subject is a plugin's program, and the stage of it that is tested.
type Subject struct {
	Path string
	Args []string
	Env  []string // names of environment variables that it gets beside the usual ones
	// Stage is as the program declares it: package host's Describe gives it.
	Stage stage.Stage
	// Config returns settings of the stage that it can be opened with.
	Config func() (any, error)
}

// Checks lists the checks. What they put into a storage is below a prefix of
// their own, and removed. Of other stages they open instances and call nothing.
func Checks(s Subject) []conformance.Check {
	checks := []conformance.Check{
		{ID: "process/help", Why: "The plugin says what it is called and every setting has a help text: nobody can use what is not explained.", Run: s.help},
		{ID: "process/settings", Why: "Settings that are not declared and the lack of those that are required are refused by name, and do no harm to a plugin that gets them all the same: a typing error must not become another behaviour.", Run: s.settings},
		{ID: "process/handshake", Why: "The program starts without a terminal, says in one line where it listens, and listens in the private folder that it is given: backups run at night, from cron.", Run: s.handshake},
		{ID: "process/by-hand", Why: "Started by a person it says what it is, and ends: people try what lies in a folder.", Run: s.byHand},
		{ID: "process/other-version", Why: "To a Vault of another protocol it tells its own version, or why it ends: else all that a user learns is that it does not work.", Run: s.otherVersion},
		{ID: "process/unknown", Why: "Calls of stages and instances that are not there are errors, and harm nothing: the host and the plugin may be of different versions.", Run: s.unknown},
		{ID: "process/instances", Why: "Several instances are open at once and don't disturb each other, and each can be closed alone: one process serves all steps of a pipeline that use the plugin.", Run: s.instances},
		{ID: "process/signals", Why: "SIGTERM, SIGINT and SIGHUP do not end it while its host lives: they reach all processes of a service or a terminal, and Vault must be able to give up in order.", Run: s.signals},
		{ID: "process/shutdown", Why: "Told to end it does so in a moment, and leaves neither a socket nor temporary files.", Run: s.shutdown},
		{ID: "process/host-killed", Why: "It ends within three seconds when its host is killed: a forgotten process goes on writing to where the next run does.", Run: s.hostKilled},
	}
	if roleOf(s.Stage) == pb.Role_ROLE_STORAGE {
		checks = append(checks,
			conformance.Check{ID: "process/whole-stream", Why: "A Put is stored whatever the size of the pieces that it comes in: the host decides on that.", Run: s.wholeStream},
			conformance.Check{ID: "process/broken-stream", Why: "A Put that breaks off, has a wrong checksum, a piece too few or too many, or a message that is too large is refused and stores nothing: half an object looks like a whole one to the next run.", Run: s.brokenStreams})
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
	}
	return pb.Role_ROLE_UNSPECIFIED
}
