"""The Python side of Vault's plugins: write a class, call serve.

    class Shelf(vault_plugin.Storage):
        def put(self, name, data): ...

    vault_plugin.serve(vault_plugin.Plugin("shelf", "1.0.0", [
        vault_plugin.Stage("shelf", "Keeps objects on a shelf.", Shelf, settings=[...])]))

It needs Python 3.9 or newer with grpcio and protobuf (Debian: python3-grpcio,
python3-protobuf) and serves storages. docs/plugins.md in Vault's sources explains the
protocol, plugin.proto has its messages; plugin_pb2.py is made from that by
protoc --python_out.
"""

import contextlib
import json
import logging
import os
import platform
import re
import signal
import sys
import threading
import traceback
import zlib
from concurrent import futures
from dataclasses import dataclass, field
from datetime import datetime, timezone

try:
    import grpc

    import plugin_pb2 as pb
except ImportError as missing:
    sys.exit(f"{sys.argv[0]}: {missing}: install grpcio and protobuf (Debian: apt install python3-grpcio python3-protobuf)")

MAJOR, MINOR = 1, 0  # of the protocol that this module speaks
COOKIE = ("VAULT_PLUGIN", "a-stage-of-github.com/lmsvault/vault")
FRAME = 512 << 10  # bytes of data in a message; gRPC is fastest below 1 MiB
MAX_MESSAGE = 16 << 20
MAX_OBJECT = (1 << 30) + (64 << 20)
MAX_TEXT = 64 << 10  # of an error
LISTED = 500  # objects in a message
CALLS = 64  # at once

log = logging.getLogger("vault_plugin")


# ---- what an author uses ----


class Error(Exception):
    """An error that Vault knows. Any other exception is one of class 1, failed."""

    code, vault_class, vault_error = grpc.StatusCode.UNKNOWN, 1, None


class NotExist(Error):
    """There is no object of this name."""

    code, vault_error = grpc.StatusCode.NOT_FOUND, "not-exist"


class Exists(Error):
    """There is an object of this name, where create must not replace one."""

    code, vault_error = grpc.StatusCode.ALREADY_EXISTS, "exist"


class Temporary(Error):
    """The same call may succeed later: Vault makes it again, after so many seconds at least."""

    code = grpc.StatusCode.UNAVAILABLE

    def __init__(self, text, after=0):
        super().__init__(text)
        self.after = after


class Corrupt(Error):
    """What is stored is damaged, or shorter than it should be."""

    code, vault_error = grpc.StatusCode.DATA_LOSS, "corrupt"


class WrongSettings(Error):
    """The settings can't be used as they are."""

    code, vault_class = grpc.StatusCode.INVALID_ARGUMENT, 2


class Refused(Error):
    """A check found a reason not to begin; nothing was changed."""

    code, vault_class = grpc.StatusCode.FAILED_PRECONDITION, 3


class Cancelled(Exception):
    """Nobody waits for the call's result any more."""


class Secret:
    """A setting that does not print."""

    def __init__(self, text):
        self._text = text

    def reveal(self):
        return self._text

    def __repr__(self):
        return "(secret)"


@dataclass
class Setting:
    """One setting of a stage. Vault checks values against it before they come here."""

    name: str  # a-z 0-9 _
    type: str = "text"  # text, number, "true or false", "list of texts", secret, size, duration
    required: bool = False
    default: str = ""  # as it would be written in YAML
    help: str = ""
    example: str = ""
    one_of: list = field(default_factory=list)
    min: str = ""
    max: str = ""
    place: str = ""  # dir, file, database or prefix, if it tells where the stage works


@dataclass
class Env:
    """What a stage gets from Vault beside its settings."""

    temp_dir: str  # for temporary files, removed by Vault
    workers: int  # so many calls may come at once
    host_version: str


class Storage:
    """Keeps named objects. Calls come from many threads at once.

    Names are slash-separated, relative and clean, of a-z 0-9 . - _, 200 at most.

    Raise NotExist only for what is certainly not there, Temporary for what may pass (a lost
    connection, a busy server): Vault makes the call again, and it must be repeatable. Don't
    retry yourself. Any other exception is permanent, and ends the run.
    """

    def __init__(self, settings, env):
        """settings is a dict by name, defaults filled in: sizes are bytes, durations text as "30s", secrets a Secret."""

    def put(self, name, data):
        """Stores bytes: durable when it returns, never seen in part, not even after a crash. Replaces what is there."""
        raise NotImplementedError

    # Optional, a method (name, data): put, but where there is an object of this name it changes
    # nothing and raises Exists. Of calls at once exactly one stores: to look first is not enough.
    create = None

    connections = 0  # how many calls at once it likes; 0 for no preference

    def get(self, name, offset, length):
        """Returns length bytes from offset, -1: to the end. Fewer are an error. NotExist if there is no object."""
        raise NotImplementedError

    def list(self, prefix):
        """Yields (name, size) of every object whose name begins with prefix, and nothing that a crashed put left."""
        raise NotImplementedError

    def delete(self, name):
        """Removes an object; one that is not there is no error."""
        raise NotImplementedError

    def stat(self, name):
        """Returns the object's size; NotExist."""
        raise NotImplementedError

    free = None  # optional, a method: how many bytes more can be stored, -1 for unknown; it changes nothing

    def close(self):
        """Ends the instance. Nothing that was put may depend on it."""


@dataclass
class Stage:
    """A stage: how it presents itself, and the class that does the work."""

    name: str  # what use: says in a pipeline
    summary: str  # one sentence
    make: type  # a Storage
    settings: list = field(default_factory=list)
    doc: str = ""  # Markdown
    validate: object = None  # optional: a function of the settings that yields (key, what is wrong); it opens nothing


@dataclass
class Plugin:
    name: str  # a-z 0-9 -
    version: str  # 1.2.3
    stages: list

    def check(self):
        for name in [self.name] + [s.name for s in self.stages]:
            if not re.fullmatch(r"[a-z][a-z0-9-]{0,39}", name):
                raise ValueError(f"the name {name!r} must be of a-z, 0-9 and -, and begin with a letter")
        if not re.fullmatch(r"\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?", self.version):
            raise ValueError(f"the version {self.version!r} must be like 1.2.3")
        if not self.stages or len({s.name for s in self.stages}) < len(self.stages):
            raise ValueError("a plugin has one stage or more, each of another name")


_current = threading.local()


def check_cancelled():
    """Raises Cancelled if Vault has given up the call that this thread works on.

    Call it before what can't be undone, and in long loops.
    """
    context = getattr(_current, "context", None)
    if context is not None and not context.is_active():
        raise Cancelled()


def serve(plugin):
    """Serves the plugin to the Vault that started the program. Started by a person, the program says what it is."""
    plugin.check()
    if os.environ.get(COOKIE[0]) != COOKIE[1]:
        print(f"{plugin.name} {plugin.version} is a Vault plugin; vault starts it when a pipeline needs it. Stages:")
        for s in plugin.stages:
            print(f"  storage {s.name}: {s.summary}")
        print(f"To use it:\n  vault plugin test FILE --config try.yaml\n  vault plugin install FILE\nand in a pipeline: use: {plugin.stages[0].name}")
        return
    _serve(plugin)


# ---- the process ----


def _serve(plugin):
    # Standard output is for the one line that says where to connect: what else is
    # printed goes with the logs.
    out = os.dup(1)
    os.dup2(2, 1)
    # Whoever ends vault ends it before its plugins: it must be able to give up in order.
    for s in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(s, signal.SIG_IGN)
    _log_as_json()
    socket = os.path.join(os.environ.get("PLUGIN_UNIX_SOCKET_DIR") or os.environ.get("TMPDIR", "/tmp"), f"py{os.getpid()}")
    if len(socket) > 103:
        sys.exit(f"{plugin.name}: the path of the socket is too long for the system: {socket}")
    stopped = threading.Event()
    server = grpc.server(futures.ThreadPoolExecutor(CALLS), options=[
        ("grpc.max_receive_message_length", MAX_MESSAGE),
        ("grpc.max_send_message_length", MAX_MESSAGE),
    ])
    server.add_generic_rpc_handlers(_Services(plugin, stopped).handlers())
    server.add_insecure_port("unix:" + socket)
    threading.Thread(target=_lifeline, args=(socket,), daemon=True).start()
    server.start()
    os.write(out, f"1|{MAJOR}|unix|{socket}|grpc|\n".encode())
    stopped.wait()
    server.stop(1).wait()
    _exit(socket)


def _lifeline(socket):
    """Ends the process when the pipe that Vault holds ends: also kill -9 of vault ends it, and nobody is left behind."""
    while os.read(0, 4096):
        pass
    _exit(socket)


def _exit(socket):
    with contextlib.suppress(OSError):
        os.unlink(socket)
    os._exit(0)


class _JSON(logging.Formatter):
    """Formats a record as Vault reads it: go-hclog's names, one line."""

    LEVELS = {logging.DEBUG: "debug", logging.INFO: "info", logging.WARNING: "warn", logging.ERROR: "error", logging.CRITICAL: "error"}

    def format(self, record):
        line = {
            "@level": self.LEVELS.get(record.levelno, "info"),
            "@message": record.getMessage(),
            "@module": record.name,
            "@timestamp": datetime.fromtimestamp(record.created, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        }
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(line)


def _log_as_json():
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_JSON())
    logging.basicConfig(level=logging.DEBUG, handlers=[handler], force=True)
    logging.getLogger("grpc").setLevel(logging.WARNING)


# ---- the services ----


@contextlib.contextmanager
def _call(context):
    """Makes of an exception the status and the trailer that Vault reads an error from."""
    _current.context = context
    after = None
    try:
        yield
        return
    except Cancelled:
        code, kind, name, text = grpc.StatusCode.CANCELLED, 1, None, "the call was cancelled"
    except Error as e:
        code, kind, name, text = e.code, e.vault_class, e.vault_error, str(e)
        after = getattr(e, "after", None)
    except OSError as e:
        code, kind, name, text = grpc.StatusCode.UNKNOWN, 1, None, str(e)
    except Exception as e:
        if not context.is_active():
            raise
        log.error("a stage has a mistake", exc_info=True)
        at = traceback.extract_tb(e.__traceback__)[-1]
        text = f"a mistake in the stage: {type(e).__name__}: {e} ({os.path.basename(at.filename)}, line {at.lineno}); its log has more"
        code, kind, name = grpc.StatusCode.UNKNOWN, 1, None
    finally:
        _current.context = None
    trailer = [("vault-class", str(kind))]
    if name:
        trailer.append(("vault-error", name))
    if after is not None:
        trailer.append(("vault-temporary", str(int(after * 1000))))
    context.set_trailing_metadata(trailer)
    context.abort(code, text[:MAX_TEXT])


def _stream_error(what):
    return Error("the stream is not whole: " + what)


class _Services:
    def __init__(self, plugin, stopped):
        self.plugin, self.stopped = plugin, stopped
        self.lock = threading.Lock()
        self.last = 0
        self.instances = {}
        self.turn = threading.Condition()
        self.changed = set()  # objects that somebody changes now, each with its instance

    def handlers(self):
        def unary(method, request, response):
            def call(message, context):
                with _call(context):
                    return method(message)

            return grpc.unary_unary_rpc_method_handler(call, request.FromString, response.SerializeToString)

        def streaming(method, request, response):
            def call(message, context):
                with _call(context):
                    yield from method(message)

            return grpc.unary_stream_rpc_method_handler(call, request.FromString, response.SerializeToString)

        def receiving(method, request, response):
            def call(messages, context):
                with _call(context):
                    return method(messages)

            return grpc.stream_unary_rpc_method_handler(call, request.FromString, response.SerializeToString)

        def raw(answer):  # a message that is always the same
            return grpc.unary_unary_rpc_method_handler(lambda _, __: answer(), None, None)

        service = grpc.method_handlers_generic_handler
        return (
            service("vault.plugin.v1.Plugin", {
                "Describe": unary(self.describe, pb.DescribeRequest, pb.DescribeResponse),
                "Validate": unary(self.validate, pb.ValidateRequest, pb.ValidateResponse),
                "Open": unary(self.open, pb.OpenRequest, pb.OpenResponse),
                "Close": unary(self.close, pb.CloseRequest, pb.CloseResponse),
            }),
            service("vault.plugin.v1.Storage", {
                "Put": receiving(self.put, pb.PutRequest, pb.PutResponse),
                "Get": streaming(self.get, pb.GetRequest, pb.Frame),
                "List": streaming(self.list, pb.ListRequest, pb.ListResponse),
                "Delete": unary(self.delete, pb.DeleteRequest, pb.DeleteResponse),
                "Stat": unary(self.stat, pb.StatRequest, pb.StatResponse),
                "Free": unary(self.free, pb.FreeRequest, pb.FreeResponse),
            }),
            service("grpc.health.v1.Health", {"Check": raw(lambda: b"\x08\x01")}),  # status: SERVING
            service("plugin.GRPCController", {"Shutdown": raw(self.shutdown)}),
        )

    def shutdown(self):
        self.stopped.set()
        return b""

    def describe(self, _):
        sdk = f"python {platform.python_version()}"
        d = pb.DescribeResponse(name=self.plugin.name, version=self.plugin.version, sdk=sdk, minor=MINOR)
        for s in self.plugin.stages:
            d.stages.append(pb.Stage(name=s.name, role=pb.ROLE_STORAGE, summary=s.summary, doc=s.doc,
                                     settings=[pb.Setting(**vars(f)) for f in s.settings]))
        return d

    def settings(self, request):
        """Returns the stage that a request names, its settings and what is wrong with them."""
        stage = next((s for s in self.plugin.stages if s.name == request.stage and request.role == pb.ROLE_STORAGE), None)
        if stage is None:
            raise WrongSettings(f"the plugin {self.plugin.name} has no storage {request.stage}")
        given = json.loads(request.settings or b"{}")
        for f in stage.settings:
            given.setdefault(f.name, [] if f.type == "list of texts" else None)
            if f.type == "secret":
                given[f.name] = Secret(given[f.name] or "")
        return stage, given, list(stage.validate(given)) if stage.validate else []

    def validate(self, request):
        _, _, problems = self.settings(request)
        return pb.ValidateResponse(problems=[pb.Problem(key=k, message=m) for k, m in problems])

    def open(self, request):
        stage, given, problems = self.settings(request)
        if problems:
            raise WrongSettings("; ".join(f"{key}: {text}" if key else text for key, text in problems))
        made = stage.make(given, Env(request.temp_dir, request.workers, request.host_version))
        with self.lock:
            self.last += 1
            self.instances[self.last] = made
            can = [name for name in ("free", "create") if getattr(made, name)]
            return pb.OpenResponse(instance=self.last, capabilities=can, connections=made.connections)

    def close(self, request):
        made = self.instance(request.instance)
        with self.lock:
            self.instances.pop(request.instance, None)
        with self.turn:
            self.turn.wait_for(lambda: all(instance != request.instance for instance, _ in self.changed))
        made.close()
        return pb.CloseResponse()

    def instance(self, number):
        with self.lock:
            if number not in self.instances:
                raise Error(f"there is no instance {number}")
            return self.instances[number]

    @contextlib.contextmanager
    def changing(self, *key):
        """Has one change of an object follow the other: one that was cancelled must not come after what its caller sent later."""
        with self.turn:
            self.turn.wait_for(lambda: key not in self.changed)
            self.changed.add(key)
        try:
            check_cancelled()
            yield
        finally:
            with self.turn:
                self.changed.remove(key)
                self.turn.notify_all()

    def put(self, messages):
        """Takes the object whole before it hands it over: a stream that breaks off stores nothing."""
        head, end, pieces, size, crc = None, None, [], 0, 0
        for m in messages:
            if end is not None:
                raise _stream_error("it goes on after its end")
            if m.HasField("head"):
                if head is not None:
                    raise _stream_error("it has two heads")
                head = m.head
                if head.size > MAX_OBJECT:
                    raise Error(f"object {head.name} is said to have {head.size} bytes, and {MAX_OBJECT} are the most")
            if head is None:
                raise _stream_error("it does not begin with a head")
            size, crc = size + len(m.data), zlib.crc32(m.data, crc)
            if size > head.size:
                raise _stream_error(f"object {head.name} is said to have {head.size} bytes, and more come")
            pieces.append(m.data)
            if m.HasField("end"):
                end = m.end
        check_cancelled()
        if end is None:
            raise _stream_error(f"it breaks off after {size} bytes")
        if (end.bytes, end.crc32, end.items) != (size, crc, 0) or size != head.size:
            raise _stream_error(f"the {size} bytes that came are not those that its head and its end tell of")
        data = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        del pieces
        with self.changing(head.instance, head.name):
            made = self.instance(head.instance)
            if head.create and not made.create:
                raise Error("this storage can't create objects only where none is")
            (made.create if head.create else made.put)(head.name, data)
        return pb.PutResponse()

    def get(self, request):
        data = self.instance(request.instance).get(request.name, request.offset, request.length)
        if request.length >= 0 and len(data) != request.length:
            raise Corrupt(f"{len(data)} bytes of {request.name} from {request.offset} are there, and {request.length} were asked for")
        crc = 0
        for start in range(0, max(1, len(data)), FRAME):
            check_cancelled()
            piece = data[start:start + FRAME]
            crc = zlib.crc32(piece, crc)
            frame = pb.Frame(data=piece)
            if start + FRAME >= len(data):
                frame.end.CopyFrom(pb.End(bytes=len(data), crc32=crc))
            yield frame

    def list(self, request):
        count, some = 0, []
        for name, size in self.instance(request.instance).list(request.prefix):
            some.append(pb.Object(name=name, size=size))
            if len(some) == LISTED:
                check_cancelled()
                yield pb.ListResponse(objects=some)
                count, some = count + LISTED, []
        yield pb.ListResponse(objects=some, end=pb.End(items=count + len(some)))

    def delete(self, request):
        with self.changing(request.instance, request.name):
            self.instance(request.instance).delete(request.name)
        return pb.DeleteResponse()

    def stat(self, request):
        size = self.instance(request.instance).stat(request.name)
        return pb.StatResponse(object=pb.Object(name=request.name, size=size))

    def free(self, request):
        made = self.instance(request.instance)
        if not made.free:
            raise Error("this storage does not tell its room")
        return pb.FreeResponse(bytes=made.free())
