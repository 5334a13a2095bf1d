"""The Python SDK for Vault plugins: write a class and call serve.

    class Shelf(vault_plugin.Storage):
        def put(self, name, data): ...

    vault_plugin.serve(vault_plugin.Plugin("shelf", "1.0.0", [
        vault_plugin.Stage("shelf", "Stores objects on a shelf.", Shelf, settings=[...])]))

It needs Python 3.9 or newer with grpcio and protobuf (Debian: python3-grpcio,
python3-protobuf) and supports storages. docs/plugins.md in Vault's source code explains
the protocol, plugin.proto defines its messages; plugin_pb2.py is generated from that by
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

MAJOR, MINOR = 1, 0  # version of the protocol
COOKIE = ("VAULT_PLUGIN", "a-stage-of-github.com/lmsvault/vault")
FRAME = 512 << 10  # bytes of data in a message; gRPC is fastest below 1 MiB
MAX_MESSAGE = 16 << 20
MAX_OBJECT = (1 << 30) + (64 << 20)
MAX_TEXT = 64 << 10  # bytes in an error message
LISTED = 500  # objects per message
CALLS = 64  # concurrent calls

log = logging.getLogger("vault_plugin")


# ---- for authors ----


class Error(Exception):
    """An error that Vault recognizes. Any other exception has class 1, failed."""

    code, vault_class, vault_error = grpc.StatusCode.UNKNOWN, 1, None


class NotExist(Error):
    """The object does not exist."""

    code, vault_error = grpc.StatusCode.NOT_FOUND, "not-exist"


class Exists(Error):
    """The object exists, so create must not store it."""

    code, vault_error = grpc.StatusCode.ALREADY_EXISTS, "exist"


class Temporary(Error):
    """The same call may succeed later: Vault repeats it, after at least this many seconds."""

    code = grpc.StatusCode.UNAVAILABLE

    def __init__(self, text, after=0):
        super().__init__(text)
        self.after = after


class Corrupt(Error):
    """Stored data is damaged or too short."""

    code, vault_error = grpc.StatusCode.DATA_LOSS, "corrupt"


class WrongSettings(Error):
    """The settings are invalid."""

    code, vault_class = grpc.StatusCode.INVALID_ARGUMENT, 2


class Refused(Error):
    """A check failed before anything was changed."""

    code, vault_class = grpc.StatusCode.FAILED_PRECONDITION, 3


class Cancelled(Exception):
    """Vault has cancelled the call."""


class Secret:
    """A secret setting; printing does not reveal it."""

    def __init__(self, text):
        self._text = text

    def reveal(self):
        return self._text

    def __repr__(self):
        return "(secret)"


@dataclass
class Setting:
    """One setting of a stage. Vault checks values against it before it passes them on."""

    name: str  # a-z 0-9 _
    type: str = "text"  # text, number, "true or false", "list of texts", secret, size, duration
    required: bool = False
    default: str = ""  # as written in YAML
    help: str = ""
    example: str = ""
    one_of: list = field(default_factory=list)
    min: str = ""
    max: str = ""
    place: str = ""  # dir, file, database or prefix, if it says where the stage works


@dataclass
class Env:
    """What a stage gets from Vault besides its settings."""

    temp_dir: str  # for temporary files, removed by Vault
    workers: int  # maximum number of concurrent calls
    host_version: str


class Storage:
    """Stores named objects. Methods are called from many threads at once.

    Names are slash-separated, relative and clean, consist of a-z 0-9 . - _ and have at most
    200 characters.

    Raise NotExist only if the object certainly does not exist. Raise Temporary for errors that
    may not recur (a lost connection, a busy server): Vault repeats the call, so it must be
    repeatable. Don't retry yourself. Any other exception is permanent and ends the run.
    """

    def __init__(self, settings, env):
        """settings is a dict by name with defaults filled in: sizes in bytes, durations as text such as "30s", secrets as Secret."""

    def put(self, name, data):
        """Stores data, replacing an existing object. It is durable on return and never visible partially, even after a crash."""
        raise NotImplementedError

    # Optional method (name, data): like put, but raises Exists without changing anything if the
    # object exists. Of concurrent calls exactly one stores its data; checking first is not enough.
    create = None

    connections = 0  # preferred number of concurrent calls; 0 for no preference

    def get(self, name, offset, length):
        """Returns length bytes from offset; -1 means to the end. Fewer bytes are an error. Raises NotExist if there is no object."""
        raise NotImplementedError

    def list(self, prefix):
        """Yields (name, size) of every object whose name begins with prefix, without remains of an interrupted put."""
        raise NotImplementedError

    def delete(self, name):
        """Removes an object; it is no error if it does not exist."""
        raise NotImplementedError

    def stat(self, name):
        """Returns the size of an object. Raises NotExist if there is none."""
        raise NotImplementedError

    free = None  # optional method: returns how many more bytes can be stored, or -1 if unknown; changes nothing

    def close(self):
        """Closes the instance. Stored objects must not depend on it."""


@dataclass
class Stage:
    """A stage: its description and the class that implements it."""

    name: str  # the name in use: of a pipeline
    summary: str  # one sentence
    make: type  # a Storage
    settings: list = field(default_factory=list)
    doc: str = ""  # Markdown
    validate: object = None  # optional: a function of the settings that yields (key, problem); it opens nothing


@dataclass
class Plugin:
    name: str  # a-z 0-9 -
    version: str  # 1.2.3
    stages: list

    def check(self):
        for name in [self.name] + [s.name for s in self.stages]:
            if not re.fullmatch(r"[a-z][a-z0-9-]{0,39}", name):
                raise ValueError(f"name {name!r} must consist of a-z, 0-9 and -, and begin with a letter")
        if not re.fullmatch(r"\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?", self.version):
            raise ValueError(f"version {self.version!r} must be a semantic version such as 1.2.3")
        if not self.stages or len({s.name for s in self.stages}) < len(self.stages):
            raise ValueError("a plugin must have at least one stage, and stage names must be unique")


_current = threading.local()


def check_cancelled():
    """Raises Cancelled if Vault has cancelled the call that this thread is working on.

    Call it before irreversible operations and in long loops.
    """
    context = getattr(_current, "context", None)
    if context is not None and not context.is_active():
        raise Cancelled()


def serve(plugin):
    """Serves the plugin to the Vault that started the program. Started by hand, the program prints what it is."""
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
    # Standard output is for the one line with the address; everything else that is
    # printed goes to the log.
    out = os.dup(1)
    os.dup2(2, 1)
    # Ignore signals: vault must be able to abort in order, and terminates its plugins itself.
    for s in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(s, signal.SIG_IGN)
    _log_as_json()
    socket = os.path.join(os.environ.get("PLUGIN_UNIX_SOCKET_DIR") or os.environ.get("TMPDIR", "/tmp"), f"py{os.getpid()}")
    if len(socket) > 103:
        sys.exit(f"{plugin.name}: the path of the socket is too long: {socket}")
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
    """Exits when the pipe held by Vault is closed, even if vault is killed with kill -9."""
    while os.read(0, 4096):
        pass
    _exit(socket)


def _exit(socket):
    with contextlib.suppress(OSError):
        os.unlink(socket)
    os._exit(0)


class _JSON(logging.Formatter):
    """Formats a record as one line of JSON with the field names of go-hclog, as Vault expects."""

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
    """Converts an exception to the status and trailer from which Vault reads an error."""
    _current.context = context
    after = None
    try:
        yield
        return
    except Cancelled:
        code, kind, name, text = grpc.StatusCode.CANCELLED, 1, None, "call cancelled"
    except Error as e:
        code, kind, name, text = e.code, e.vault_class, e.vault_error, str(e)
        after = getattr(e, "after", None)
    except OSError as e:
        code, kind, name, text = grpc.StatusCode.UNKNOWN, 1, None, str(e)
    except Exception as e:
        if not context.is_active():
            raise
        log.error("exception in a stage", exc_info=True)
        at = traceback.extract_tb(e.__traceback__)[-1]
        text = f"exception in the stage: {type(e).__name__}: {e} ({os.path.basename(at.filename)}, line {at.lineno}); see its log for details"
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
    return Error("damaged stream: " + what)


class _Services:
    def __init__(self, plugin, stopped):
        self.plugin, self.stopped = plugin, stopped
        self.lock = threading.Lock()
        self.last = 0
        self.instances = {}
        self.turn = threading.Condition()
        self.changed = set()  # objects being changed, each with its instance

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

        def raw(answer):  # a constant message
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
        """Returns the stage named in a request, its settings and their problems."""
        stage = next((s for s in self.plugin.stages if s.name == request.stage and request.role == pb.ROLE_STORAGE), None)
        if stage is None:
            raise WrongSettings(f"plugin {self.plugin.name} has no storage {request.stage}")
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
                raise Error(f"no instance {number}")
            return self.instances[number]

    @contextlib.contextmanager
    def changing(self, *key):
        """Serializes changes of an object: a cancelled one must not take effect after a later one of the same caller."""
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
        """Receives the whole object before it passes it on, so a truncated stream stores nothing."""
        head, end, pieces, size, crc = None, None, [], 0, 0
        for m in messages:
            if end is not None:
                raise _stream_error("it continues after its end")
            if m.HasField("head"):
                if head is not None:
                    raise _stream_error("it has two heads")
                head = m.head
                if head.size > MAX_OBJECT:
                    raise Error(f"object {head.name} has {head.size} bytes, the maximum is {MAX_OBJECT}")
            if head is None:
                raise _stream_error("it has no head in its first message")
            size, crc = size + len(m.data), zlib.crc32(m.data, crc)
            if size > head.size:
                raise _stream_error(f"object {head.name} has more than the announced {head.size} bytes")
            pieces.append(m.data)
            if m.HasField("end"):
                end = m.end
        check_cancelled()
        if end is None:
            raise _stream_error(f"it is cut off after {size} bytes")
        if (end.bytes, end.crc32, end.items) != (size, crc, 0) or size != head.size:
            raise _stream_error(f"the {size} bytes received do not match its head and end")
        data = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        del pieces
        with self.changing(head.instance, head.name):
            made = self.instance(head.instance)
            if head.create and not made.create:
                raise Error("this storage does not support create")
            (made.create if head.create else made.put)(head.name, data)
        return pb.PutResponse()

    def get(self, request):
        data = self.instance(request.instance).get(request.name, request.offset, request.length)
        if request.length >= 0 and len(data) != request.length:
            raise Corrupt(f"got {len(data)} bytes of {request.name} from offset {request.offset}, requested {request.length}")
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
            raise Error("this storage does not support free")
        return pb.FreeResponse(bytes=made.free())
