"""The boundary between sluice and a plugin, for plugins in Python: handshake, certificates, calls, errors and the log.

A plugin is a class with the methods info, read, render, apply, confirm and cancel (and counters, if it has any), handed to serve():

    from sluice_plugin import serve
    serve(MyAdapter())

Each method is given the request of adapter.proto and a Call, and returns the reply. What fails raises Transient, Refused or Drifted; any other
exception is an error of the plugin itself. A request with a field that this file's adapter_pb2 does not know is refused before the method sees it: a
condition that is passed over makes a filter match more than it should.

Nothing may be printed: standard output belongs to the boundary. Log with `log`, whose lines appear in the gateway's log.
"""

import base64
import contextlib
import datetime
import json
import logging
import os
import signal
import sys
import tempfile
import threading
from concurrent import futures

import grpc
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from google.protobuf import any_pb2

import adapter_pb2 as pb

# What host and plugin agree on before anything else (plugins/sdk/serve.go).
COOKIE = ("SLUICE_PLUGIN", "a5e2f0c4-adapter")
VERSIONS = (1,)  # of the boundary, adapter.proto
MAX_MESSAGE = 256 << 20
MAX_WORDS = 32 << 10  # of one error: it travels in HTTP/2 trailers


class Failure(Exception):
    """An error that tells sluice what to do next."""

    code = grpc.StatusCode.UNKNOWN

    def details(self):
        raise NotImplementedError


class Transient(Failure):
    """Goes away by itself: back off, try again. unchanged, of apply: the device is certain to be as it was."""

    code = grpc.StatusCode.UNAVAILABLE

    def __init__(self, text, unchanged=False):
        super().__init__(text)
        self.unchanged = unchanged

    def details(self):
        return pb.Failure(transient=pb.Transient(text=words(self), unchanged=self.unchanged))


class Refused(Failure):
    """The device's own refusal, in its words: stop until something else is desired."""

    code = grpc.StatusCode.FAILED_PRECONDITION

    def details(self):
        return pb.Failure(refused=pb.Refused(words=words(self)))


class Drifted(Failure):
    """Somebody else changed our objects. gone: one was removed or switched off, and is not put back."""

    code = grpc.StatusCode.ABORTED

    def __init__(self, what, gone=False):
        super().__init__(what)
        self.gone = gone

    def details(self):
        return pb.Failure(drifted=pb.Drifted(what=words(self), gone=self.gone))


def words(error):
    return str(error)[:MAX_WORDS]


class Call:
    """One call: how long there is, and whether somebody still waits."""

    def __init__(self, context):
        self.context = context

    def remaining(self):
        """Seconds until the deadline; None: there is none."""
        return self.context.time_remaining()

    def active(self):
        return self.context.is_active()


def understood(message):
    """Refuses a message with fields that adapter_pb2 does not know, at any depth."""
    known = type(message)()
    known.CopyFrom(message)
    known.DiscardUnknownFields()
    if known.ByteSize() != message.ByteSize():
        raise ValueError("the request has a field that this plugin does not know; it was written for an older protocol")


class Lines(logging.Formatter):
    """One JSON object a line, in the form of hashicorp's hclog."""

    def format(self, record):
        now = datetime.datetime.fromtimestamp(record.created, datetime.timezone.utc)
        level = {"WARNING": "warn", "CRITICAL": "error"}.get(record.levelname, record.levelname.lower())
        return json.dumps({"@message": record.getMessage(), "@level": level, "@timestamp": now.isoformat(timespec="microseconds").replace("+00:00", "Z")})


log = logging.getLogger("plugin")


def certificate():
    """A key and a certificate of itself for this one start, in PEM, and the certificate in DER."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.utcnow()
    cert = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=1))
        .not_valid_after(now + datetime.timedelta(days=3650))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return private, cert.public_bytes(pem), cert.public_bytes(serialization.Encoding.DER)


def status_details(code, error):
    """google.rpc.Status with the Failure in it, as trailers carry it: code = 1, message = 2, details = 3."""
    packed = any_pb2.Any()
    packed.Pack(error.details())
    out = b"\x08" + varint(code.value[0])
    for field, octets in ((b"\x12", words(error).encode()), (b"\x1a", packed.SerializeToString())):
        out += field + varint(len(octets)) + octets
    return out


def varint(n):
    out = bytearray()
    while n > 0x7F:
        out.append(n & 0x7F | 0x80)
        n >>= 7
    out.append(n)
    return bytes(out)


def method(call, request_type):
    """Makes a method of the adapter answer a call of the boundary."""

    def answer(request, context):
        try:
            understood(request)
        except ValueError as e:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"the plugin does not understand the request: {e}")
        try:
            return call(request, Call(context))
        except Failure as e:
            context.set_trailing_metadata((("grpc-status-details-bin", status_details(e.code, e)),))
            context.abort(e.code, words(e))
        except Exception as e:  # one call fails, and no other; what the exception says may hold anything, so its kind and place are enough
            place = e.__traceback__
            while place.tb_next:
                place = place.tb_next
            where = f"{os.path.basename(place.tb_frame.f_code.co_filename)}:{place.tb_lineno}"
            log.error("the adapter failed: %s at %s", type(e).__name__, where)
            context.abort(grpc.StatusCode.INTERNAL, f"the adapter failed ({type(e).__name__} at {where})")

    return grpc.unary_unary_rpc_method_handler(answer, request_type.FromString, lambda reply: reply.SerializeToString())


def adapter_service(adapter):
    methods = {
        "Info": method(adapter.info, pb.InfoRequest),
        "Read": method(adapter.read, pb.ReadRequest),
        "Render": method(adapter.render, pb.RenderRequest),
        "Apply": method(adapter.apply, pb.ApplyRequest),
        "Confirm": method(adapter.confirm, pb.ConfirmRequest),
        "Cancel": method(adapter.cancel, pb.CancelRequest),
    }
    if hasattr(adapter, "counters"):  # without it the answer is UNIMPLEMENTED
        methods["Counters"] = method(adapter.counters, pb.CountersRequest)
    return grpc.method_handlers_generic_handler("sluice.adapter.v1.Adapter", methods)


def go_plugin_services(ended):
    """What every go-plugin has besides: it says that it is well, and it takes leave. Their messages are empty, or one field."""

    def raw(answer):
        return grpc.unary_unary_rpc_method_handler(answer, lambda b: b, lambda b: b)

    def check(request, context):
        return b"\x08\x01"  # grpc.health.v1.HealthCheckResponse: SERVING

    def shutdown(request, context):
        ended.set()
        return b""

    return (
        grpc.method_handlers_generic_handler("grpc.health.v1.Health", {"Check": raw(check)}),
        grpc.method_handlers_generic_handler("plugin.GRPCController", {"Shutdown": raw(shutdown)}),
    )


def end_with_host():
    """Ends the process when the host is gone, even when it was killed: standard input is a pipe that it holds open."""
    with contextlib.suppress(OSError):
        while os.read(0, 4096):
            pass
    os._exit(2)


def negotiated():
    """The newest version of the boundary that both sides speak."""
    offered = {int(v) for v in os.environ.get("PLUGIN_PROTOCOL_VERSIONS", "").split(",") if v}
    common = offered & set(VERSIONS)
    if not common:
        sys.exit(f"the host speaks versions {sorted(offered)} of the boundary, this plugin {list(VERSIONS)}")
    return max(common)


def serve(adapter):
    """Answers sluice's calls until sluice ends the process. Run by hand, it says what it is and exits with status 1."""
    if os.environ.get(COOKIE[0]) != COOKIE[1]:
        sys.exit("This is a plugin of sluice. It is started by sluice, and not by hand: sluice adapter test FILE")
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Lines())
    log.addHandler(handler)
    log.setLevel(logging.DEBUG)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a signal to the whole group is the gateway's
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if os.environ.get("SLUICE_LIFELINE"):
        threading.Thread(target=end_with_host, daemon=True).start()

    version, ended = negotiated(), threading.Event()
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=16), options=[("grpc.max_receive_message_length", MAX_MESSAGE), ("grpc.max_send_message_length", MAX_MESSAGE)])
    server.add_generic_rpc_handlers((adapter_service(adapter),) + go_plugin_services(ended))
    key, cert, der = certificate()
    # Only the process that started us holds the key of the certificate that it put into our environment.
    credentials = grpc.ssl_server_credentials([(key, cert)], root_certificates=os.environ["PLUGIN_CLIENT_CERT"].encode(), require_client_auth=True)
    path = os.path.join(tempfile.mkdtemp(dir=os.environ.get("PLUGIN_UNIX_SOCKET_DIR")), "s")
    if server.add_secure_port("unix:" + path, credentials) == 0:
        sys.exit(f"cannot listen on {path}")
    server.start()
    print(f"1|{version}|unix|{path}|grpc|{base64.b64encode(der).decode().rstrip('=')}", flush=True)
    sys.stdout = sys.stderr  # whatever prints from here on would be taken for the handshake
    ended.wait()
    server.stop(grace=2).wait()
    os._exit(0)
