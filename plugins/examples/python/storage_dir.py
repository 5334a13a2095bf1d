#!/usr/bin/env python3
"""A storage for Vault that keeps objects as files in a directory.

An object is a file of its name below the directory. While it is written it is a
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
OURS = re.compile(r"vault-[a-z0-9_]{8}")  # what mkstemp makes of the prefix
GOOD = re.compile(r"[a-z0-9._-]+(/[a-z0-9._-]+)*")


class Directory(vault_plugin.Storage):
    def __init__(self, settings, env):
        self.dir = os.path.abspath(settings["dir"])
        self.lock = threading.Lock()
        self.made = set()  # directories that are known to be there, durably
        self.temp = None  # held open: its lock tells others that ~new is in use

    def put(self, name, data):
        self.store(name, data, os.rename)

    def create(self, name, data):
        def publish(temp, path):
            try:
                os.link(temp, path)  # fails where the name is taken
            except FileExistsError as e:
                raise Exists(f"there is an object {name} in {self.dir}") from e
            os.unlink(temp)

        self.store(name, data, publish)

    def store(self, name, data, publish):
        path = self.path(name)
        self.claim_temp()
        self.make_dirs(os.path.dirname(path))
        # In this order a crash leaves the old object or the new one.
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
                raise Corrupt(f"{f.name} has {size} bytes, and {length} from {offset} were asked for")
            f.seek(offset)
            data = f.read(length)
            if len(data) < length:
                raise Corrupt(f"{f.name} became shorter while it was read")
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
                # With no prefix other people's files are listed too: the directory must not pass for an empty one.
                if name.startswith(prefix) and (good(name) or not prefix):
                    with contextlib.suppress(FileNotFoundError):  # deleted while we list
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
        while not os.path.exists(there):  # the first put makes it
            there = os.path.dirname(there)
        if not os.access(there, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, "no right to write there: run as its owner, or give this user the right", there)
        return shutil.disk_usage(there).free

    def close(self):
        with self.lock:
            if self.temp is not None:
                os.close(self.temp)
                self.temp = None

    def path(self, name):
        if not good(name):
            raise vault_plugin.Error(f"{name!r} is no name of an object")
        return os.path.join(self.dir, name)

    def opened(self, name):
        missing = f"there is no object {name} in {self.dir}"
        try:
            # A pipe would wait for its writer.
            fd = os.open(self.path(name), os.O_RDONLY | os.O_NONBLOCK)
        except (FileNotFoundError, NotADirectoryError) as e:
            raise NotExist(missing) from e
        mode = os.fstat(fd).st_mode
        if stat.S_ISREG(mode):
            return open(fd, "rb")
        os.close(fd)
        if stat.S_ISDIR(mode):  # that objects are in
            raise NotExist(missing)
        raise Corrupt(f"{name} in {self.dir} is not a regular file")

    def make_dirs(self, path):
        """Makes a directory and syncs it into its parent: a file in a directory that a crash forgot would be lost with it."""
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
        """Makes ~new and takes a shared lock on it. Who gets it alone finds only what crashed puts left, and removes it."""
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
                pass  # another one is writing
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
        yield "dir", "it is empty: name the directory that holds the objects"


def main():
    vault_plugin.serve(Plugin("directory", "1.0.0", [Stage(
        name="directory",
        summary="Keeps objects as files in a directory.",
        doc="An object is a file of its name. What is being written is in ~new.",
        make=Directory,
        settings=[Setting("dir", required=True, help="where the objects are kept; made when it is missing", example="/srv/backups", place="dir")],
        validate=problems,
    )]))


if __name__ == "__main__":
    main()
