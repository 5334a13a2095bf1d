#!/usr/bin/env python3
"""A storage for Vault that stores objects as files in a directory.

Every object is a file of the same name below the directory. While it is written it is a
file in ~new, a name that no object can have.
"""

import contextlib
import errno
import fcntl
import os
import re
import shutil
import stat
import tempfile
import threading

import vault_plugin
from vault_plugin import Corrupt, Exists, NotExist, Plugin, Setting, Stage

TEMP = "~new"
OURS = re.compile(r"vault-[a-z0-9_]{8}")  # names made by mkstemp
GOOD = re.compile(r"[a-z0-9._-]+(/[a-z0-9._-]+)*")


class Directory(vault_plugin.Storage):
    def __init__(self, settings, env):
        self.dir = os.path.abspath(settings["dir"])
        self.lock = threading.Lock()
        self.made = set()  # directories known to exist durably
        self.temp = None  # held open: its lock shows that ~new is in use

    def put(self, name, data):
        self.store(name, data, os.rename)

    def create(self, name, data):
        def publish(temp, path):
            try:
                os.link(temp, path)  # fails if the name exists
            except FileExistsError as e:
                raise Exists(f"object {name} already exists in {self.dir}") from e
            os.unlink(temp)

        self.store(name, data, publish)

    def store(self, name, data, publish):
        path = self.path(name)
        self.claim_temp()
        self.make_dirs(os.path.dirname(path))
        # In this order a crash leaves either the old or the new object.
        fd, temp = tempfile.mkstemp(prefix="vault-", dir=os.path.join(self.dir, TEMP))
        try:
            with open(fd, "wb", buffering=0) as f:
                rest = memoryview(data)
                while rest:
                    rest = rest[f.write(rest):]
                os.fsync(f.fileno())
            vault_plugin.check_cancelled()
            publish(temp, path)
        except BaseException:
            os.unlink(temp)
            raise
        sync(os.path.dirname(path))

    def get(self, name, offset, length):
        with self.opened(name) as f:
            size = os.fstat(f.fileno()).st_size
            if length < 0:
                length = max(0, size - offset)
            if offset < 0 or offset + length > size:
                raise Corrupt(f"{f.name} has {size} bytes, requested were {length} from offset {offset}")
            f.seek(offset)
            data = f.read(length)
            if len(data) < length:
                raise Corrupt(f"{f.name} was truncated while it was read")
            return data

    def list(self, prefix):
        start = os.path.dirname(prefix)
        if start and not good(start):
            return
        for folder, folders, files in os.walk(os.path.join(self.dir, start), onerror=unless_gone):
            for other in (TEMP, "lost+found"):
                if other in folders:
                    folders.remove(other)
            for file in files:
                path = os.path.join(folder, file)
                name = os.path.relpath(path, self.dir)
                # Without a prefix also list other people's files: the directory must not look empty.
                if name.startswith(prefix) and (good(name) or not prefix):
                    with contextlib.suppress(FileNotFoundError):  # deleted meanwhile
                        yield os.fsencode(name).decode("utf-8", "replace"), os.lstat(path).st_size

    def delete(self, name):
        path = self.path(name)
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            os.unlink(path)
            sync(os.path.dirname(path))

    def stat(self, name):
        with self.opened(name) as f:
            return os.fstat(f.fileno()).st_size

    def free(self):
        there = self.dir
        while not os.path.exists(there):  # created by the first put
            there = os.path.dirname(there)
        if not os.access(there, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, "no write permission; run as its owner or grant this user permission", there)
        return shutil.disk_usage(there).free

    def close(self):
        with self.lock:
            if self.temp is not None:
                os.close(self.temp)
                self.temp = None

    def path(self, name):
        if not good(name):
            raise vault_plugin.Error(f"{name!r} is not a valid object name")
        return os.path.join(self.dir, name)

    def opened(self, name):
        missing = f"no object {name} in {self.dir}"
        try:
            # Opening a pipe would block.
            fd = os.open(self.path(name), os.O_RDONLY | os.O_NONBLOCK)
        except (FileNotFoundError, NotADirectoryError) as e:
            raise NotExist(missing) from e
        mode = os.fstat(fd).st_mode
        if stat.S_ISREG(mode):
            return open(fd, "rb")
        os.close(fd)
        if stat.S_ISDIR(mode):  # a directory with objects in it
            raise NotExist(missing)
        raise Corrupt(f"{name} in {self.dir} is not a regular file")

    def make_dirs(self, path):
        """Creates a directory and syncs its parent: if a crash lost the directory, its files would be lost too."""
        with self.lock:
            self._make_dirs(path)

    def _make_dirs(self, path):
        if path in self.made:
            return
        if path != self.dir:
            self._make_dirs(os.path.dirname(path))
            with contextlib.suppress(FileExistsError):
                os.mkdir(path, 0o700)
            sync(os.path.dirname(path))
        elif not os.path.isdir(path):
            os.makedirs(path, 0o700)
            sync(os.path.dirname(path))
        self.made.add(path)

    def claim_temp(self):
        """Creates ~new and takes a shared lock on it. If the lock can be taken exclusively, all files in it are remains of crashes and are removed."""
        with self.lock:
            if self.temp is not None:
                return
            temp = os.path.join(self.dir, TEMP)
            self._make_dirs(temp)
            fd = os.open(temp, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                for left in os.listdir(fd):
                    if OURS.fullmatch(left):
                        os.unlink(left, dir_fd=fd)
            except BlockingIOError:
                pass  # another process is writing
            fcntl.flock(fd, fcntl.LOCK_SH)
            self.temp = fd


def good(name):
    return len(name) <= 200 and GOOD.fullmatch(name) and not {".", ".."} & set(name.split("/"))


def sync(directory):
    fd = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def unless_gone(error):
    if not isinstance(error, (FileNotFoundError, NotADirectoryError)):
        raise error


def problems(settings):
    if not settings["dir"]:
        yield "dir", "dir is empty; name a directory for the objects"


def main():
    vault_plugin.serve(Plugin("directory", "1.0.0", [Stage(
        name="directory",
        summary="Stores objects as files in a directory.",
        doc="Every object is a file of the same name. Unfinished files are in ~new.",
        make=Directory,
        settings=[Setting("dir", required=True, help="directory for the objects; created if missing", example="/srv/backups", place="dir")],
        validate=problems,
    )]))


if __name__ == "__main__":
    main()
