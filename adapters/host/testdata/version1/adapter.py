#!/usr/bin/python3 -B
"""A complete adapter plugin in Python, to be copied: its device is a directory, as that of the example in Go (plugins/example) is.

The filters of a device stand in filters.json, in the JSON form of adapter.proto's messages. A real device has an undo timer of its own; a file has none, so apply leaves what
was there before in pending.json, with the deadline, and whoever touches the device next after the deadline puts it back first.
"""

import contextlib
import errno
import fcntl
import json
import os
import secrets
import time

from google.protobuf import json_format

import adapter_pb2 as pb
from sluice_plugin import Drifted, Refused, Transient, serve

MARK = "sluice-"  # objects with other names are not ours


class Store:
    """One device's directory, locked."""

    def __init__(self, directory):
        self.directory = directory

    def path(self, name):
        return os.path.join(self.directory, name)

    def load(self, name):
        try:
            with open(self.path(name), encoding="utf-8") as f:
                return json.load(f)
        except FileNotFoundError:
            return None

    def save(self, name, value):
        """Replaces a file in one step, None removes it: others see the old content or the new, also after a power cut."""
        if value is None:
            with contextlib.suppress(FileNotFoundError):
                os.remove(self.path(name))
        else:
            with open(self.path(name + ".new"), "w", encoding="utf-8") as f:
                json.dump(value, f)
                f.flush()
                os.fsync(f.fileno())
            os.replace(self.path(name + ".new"), self.path(name))
        directory = os.open(self.directory, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)

    def filters(self):
        """What the device holds, by name. A file that is not as we write it was edited by another hand."""
        try:
            out = [json_format.ParseDict(f, pb.Filter()) for f in self.load("filters.json") or []]
        except (ValueError, json_format.ParseError) as e:
            raise Drifted(f"{self.path('filters.json')} does not read: {e}") from e
        return {f.name: f for f in out}

    def undo(self, pending):
        """Puts back what was there before. Killed half way, it is done again."""
        self.save("filters.json", pending["before"])
        self.save("pending.json", None)


class Adapter:
    """Reads and writes directories. Option of a device: directory, in which each has one of its own."""

    def info(self, request, call):
        return pb.InfoReply(name="example-python", version="1", versions=[1])

    def read(self, request, call):
        with self.opened(request.target, call) as store:
            held = store.filters()
        wanted = set(request.names) or held.keys()
        return pb.ReadReply(state=pb.State(filters=[held[n] for n in sorted(held) if n in wanted]))

    def render(self, request, call):
        return pb.RenderReply(payload=json.dumps(rendered(request.change.desired.filters), indent=1).encode())

    def apply(self, request, call):
        if request.undo_nanoseconds <= 0:
            raise ValueError("the time to undo after is not above 0")
        with self.opened(request.target, call) as store:
            waiting = store.load("pending.json")
            if waiting:
                raise Transient(f"change {waiting['token']} waits for its confirmation", unchanged=True)
            expect(store.filters(), request.change)
            accept(request.change.desired.filters)
            content = rendered(request.change.desired.filters)
            deadline = time.time_ns() + request.undo_nanoseconds
            pending = {"token": secrets.token_hex(8), "deadline": deadline, "before": store.load("filters.json")}
            # First the way back, then the change: a crash in between leaves an undo that restores what is there anyway.
            store.save("pending.json", pending)
            store.save("filters.json", content)
        return pb.ApplyReply(commit=pb.Commit(token=pending["token"], deadline_unix_nanoseconds=deadline))

    def confirm(self, request, call):
        with self.opened(request.target, call) as store:
            if not self.pending(store, request.commit):
                raise Transient(f"change {request.commit.token} is no longer pending: it was undone, cancelled or confirmed; read again")
            store.save("pending.json", None)
        return pb.ConfirmReply()

    def cancel(self, request, call):
        with self.opened(request.target, call) as store:
            waiting = self.pending(store, request.commit)
            if waiting:
                store.undo(waiting)
        return pb.CancelReply()

    def pending(self, store, commit):
        """The change that waits, if it is the one that commit names."""
        waiting = store.load("pending.json")
        return waiting if waiting and waiting["token"] == commit.token else None

    @contextlib.contextmanager
    def opened(self, target, call):
        """Locks the device's directory, and undoes what waited for its confirmation too long."""
        directory = target.options.get("directory", "")
        if not directory or "/" in target.name or target.name in ("", ".", ".."):
            raise ValueError("set the device's option directory, and give it a name without slashes")
        directory = os.path.join(directory, target.name)
        os.makedirs(directory, exist_ok=True)
        with open(os.path.join(directory, "lock"), "a", encoding="utf-8") as lock:
            acquire(lock, call)
            store = Store(directory)
            waiting = store.load("pending.json")
            if waiting and time.time_ns() >= waiting["deadline"]:
                store.undo(waiting)
            yield store


def acquire(lock, call):
    """Waits for the lock as long as somebody waits for the call."""
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except OSError as e:
            if e.errno not in (errno.EWOULDBLOCK, errno.EAGAIN):
                raise
        if not call.active():
            raise Transient("the directory is locked", unchanged=True)
        time.sleep(0.005)


def expect(held, change):
    """Refuses a change that was computed from another state than the one found."""
    touched = set()
    for step in change.steps:
        name = step.filter.name
        if not name.startswith(MARK):
            raise ValueError(f"filter {name} is not ours: its name does not begin with {MARK}")
        if step.op == pb.OP_ADD and name in held:
            raise Drifted(f"filter {name} is there already")
        if step.op in (pb.OP_REPLACE, pb.OP_REMOVE) and name not in held:
            raise Drifted(f"filter {name} is gone", gone=True)
        if step.op not in (pb.OP_ADD, pb.OP_REPLACE, pb.OP_REMOVE):
            raise ValueError(f"a step of the unknown kind {step.op}")
        touched.add(name)
    desired = {f.name: f for f in change.desired.filters}
    for name in held.keys() | desired.keys():
        if name not in touched and held.get(name) != desired.get(name):
            raise Drifted(f"filter {name} is not what it was")


def accept(filters):
    """The device's own opinion of filters, in its words: this one redirects nothing."""
    for f in filters:
        for e in f.entries:
            if e.do.HasField("redirect"):
                raise Refused(f"filter {f.name}, entry {e.name}: a file cannot redirect")


def rendered(filters):
    """Filters as JSON, by name, sure to read back as the same."""
    out = []
    for f in sorted(filters, key=lambda f: f.name):
        written = json_format.MessageToDict(f, preserving_proto_field_name=True)
        if json_format.ParseDict(written, pb.Filter()) != f:
            raise Refused(f"filter {f.name} does not survive being written as JSON")
        out.append(written)
    return out


if __name__ == "__main__":
    serve(Adapter())
