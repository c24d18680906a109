"""Runs nats-server in its container: PID 1 of the image rookery/nats.

    docker run --volume nats:/data --volume $PWD/secrets:/run/secrets:ro rookery/nats

The token comes from the file rookery_bus_token in ROOKERY_SECRETS (/run/secrets). The
configuration is /etc/nats/nats.conf and what is set here; it exists in memory only, so the
token is in no argument, no environment and no file.

  ROOKERY_NATS_NAME      name of this server (the container's host name)
  ROOKERY_NATS_ROUTES    the other servers of a cluster, host or host:port, with commas;
                         without it the server is alone
  ROOKERY_NATS_CLUSTER   name of the cluster (rookery)

Ports: 4222 clients, 6222 cluster, 8222 health and metrics (loopback only). Store: /data.
SIGTERM: a server of a cluster sends its clients to the others first (20 seconds at most).
Further arguments go to nats-server (-D shows what it does).
"""

from __future__ import annotations

import os
import re
import signal
import sys

SERVER = "/app/bin/nats-server"
CONFIGURATION = "/etc/nats/nats.conf"
STORE = "/data"
# Then what is left is ended at once; an engine gives 30 seconds at most as a rule.
LAME_DUCK_SECONDS = 20
_STOP = (signal.SIGTERM, signal.SIGINT)
_SENT_ON = (signal.SIGHUP, signal.SIGUSR1)
_WATCHED = (*_STOP, *_SENT_ON, signal.SIGCHLD, signal.SIGALRM)
_HOST = re.compile(r"[A-Za-z0-9._-]+(:[0-9]{1,5})?|\[[0-9A-Fa-f:.]+\](:[0-9]{1,5})?")
_NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")


class Stop(Exception):
    """Why this container cannot run, for the one who started it."""

    def __init__(self, exit_code: int, text: str) -> None:
        super().__init__(exit_code, text)
        self.exit_code = exit_code
        self.text = text


def read_token(folder: str) -> str:
    """Reads the token of the clients.

    Args:
        folder: Where secrets are.

    Returns:
        The token.

    Raises:
        Stop: It cannot be read, or is none.
    """
    path = os.path.join(folder, "rookery_bus_token")
    try:
        with open(path, encoding="utf-8") as file:
            token = file.read(4096).strip()
    except FileNotFoundError:
        raise Stop(
            78,
            f"{path} is missing: mount a file with the token of the log's clients there.",
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise Stop(77, f"cannot read {path} as user {os.getuid()}: {error}.") from None
    if not re.fullmatch(r"[A-Za-z0-9._~+/=-]{16,512}", token):
        raise Stop(
            78,
            f"{path} holds no token: 16 to 512 letters, digits or ._~+/=- are needed. "
            "Make one with  openssl rand -hex 24.",
        )
    return token


def configuration(base: str, environment: dict[str, str], host: str, token: str) -> str:
    """Completes the configuration.

    Args:
        base: The configuration of the image.
        environment: Variables of the container.
        host: Its host name.
        token: The token of the clients; the servers of a cluster use it among themselves.

    Returns:
        What the server reads.

    Raises:
        Stop: A variable makes no sense.
    """
    name = environment.get("ROOKERY_NATS_NAME") or host
    cluster = environment.get("ROOKERY_NATS_CLUSTER") or "rookery"
    for variable, value in (("NAME", name), ("CLUSTER", cluster)):
        if not _NAME.fullmatch(value):
            raise Stop(
                78, f"ROOKERY_NATS_{variable}={value!r}: letters, digits and ._- only."
            )
    lines = [base, f'server_name: "{name}"', f'authorization {{ token: "{token}" }}']
    routes = []
    for route in environment.get("ROOKERY_NATS_ROUTES", "").replace(",", " ").split():
        address = route.removeprefix("nats://").rstrip("/")
        if not _HOST.fullmatch(address):
            raise Stop(
                78, f"ROOKERY_NATS_ROUTES holds {route!r}, which is no host:port."
            )
        if not re.search(r":[0-9]+$", address):
            address += ":6222"
        routes.append(f'"nats://rookery:{_quoted(token)}@{address}"')
    if routes:
        lines += [
            "cluster {",
            f'  name: "{cluster}"',
            '  listen: "0.0.0.0:6222"',
            f'  authorization {{ user: "rookery", password: "{token}", timeout: 5 }}',
            f"  routes: [{', '.join(routes)}]",
            # Clients know all servers by name; addresses of containers change.
            "  no_advertise: true",
            "}",
        ]
    return "\n".join(lines) + "\n"


def prepare(environment: dict[str, str]) -> str:
    """Puts together what the server needs, before it starts.

    Args:
        environment: Variables of the container.

    Returns:
        Its configuration.

    Raises:
        Stop: Something is missing.
    """
    token = read_token(environment.get("ROOKERY_SECRETS") or "/run/secrets")
    with open(CONFIGURATION, encoding="utf-8") as file:
        text = configuration(file.read(), environment, os.uname().nodename, token)
    if not os.access(STORE, os.W_OK | os.X_OK):
        raise Stop(
            77,
            f"user {os.getuid()} cannot write to {STORE}: mount a volume that it owns.",
        )
    return text


def supervise(arguments: list[str], text: str, *, clustered: bool) -> int:
    """Runs the server until it ends.

    Args:
        arguments: Arguments of its command line.
        text: Its configuration.
        clustered: Whether clients can go elsewhere when it stops.

    Returns:
        The exit code: 0 after SIGTERM or SIGINT, else the server's own.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, _WATCHED)
    memory = os.memfd_create("nats.conf", 0)  # no MFD_CLOEXEC: the server reads it
    os.write(memory, text.encode())
    os.set_inheritable(memory, True)
    server = os.posix_spawn(
        SERVER,
        [SERVER, "--config", f"/proc/self/fd/{memory}", *arguments],
        os.environ,
        setsigmask=(),
    )
    stopping = False
    while True:
        received = signal.sigwait(_WATCHED)
        if received == signal.SIGCHLD:
            ended = _reap(server)
            if ended is not None:
                return 0 if stopping and ended in (0, 1) else ended
        elif received in _SENT_ON:
            os.kill(server, received)
        elif received in _STOP and clustered and not stopping:
            # Lame duck: no new clients, and those that are there leave one by one.
            os.kill(server, signal.SIGUSR2)
            signal.alarm(LAME_DUCK_SECONDS)
        else:
            # It writes what it has to disk and ends.
            os.kill(server, signal.SIGINT)
        stopping = stopping or received in _STOP


def _reap(server: int) -> int | None:
    # PID 1 gets whatever loses its parent; one signal may stand for several of them.
    result: int | None = None
    while True:
        try:
            process, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return result
        if process == 0:
            return result
        if process == server:
            code = os.waitstatus_to_exitcode(status)
            result = code if code >= 0 else 128 - code


def _quoted(token: str) -> str:
    # In the address of a route: the only characters of a token that mean something there.
    return token.replace("+", "%2B").replace("/", "%2F").replace("=", "%3D")


def version(environment: dict[str, str]) -> str:
    """Says which build of the image this is.

    Args:
        environment: Variables of the container.

    Returns:
        As all components say it: `nats 1.2.3 (commit 0123456789ab, built ...)`.
    """
    commit = environment.get("ROOKERY_COMMIT", "")[:12]
    built = environment.get("ROOKERY_BUILT", "")
    parts = [f"commit {commit}" if commit else "", f"built {built}" if built else ""]
    text = ", ".join(part for part in parts if part)
    return f"nats {environment.get('ROOKERY_VERSION') or '0+source'}" + (
        f" ({text})" if text else ""
    )


def main(arguments: list[str]) -> int:
    """Runs the command line.

    Args:
        arguments: What follows the name of the image.

    Returns:
        The exit code.
    """
    environment = dict(os.environ)
    if any(argument in ("-h", "--help", "-help") for argument in arguments):
        print((__doc__ or "").strip())
        return 0
    if any(argument in ("-v", "--version", "-version") for argument in arguments):
        print(version(environment), flush=True)
        os.execv(SERVER, [SERVER, "--version"])  # nosec B606
    try:
        text = prepare(environment)
    except Stop as stop:
        print(f"nats: {stop.text}", file=sys.stderr)
        return stop.exit_code
    return supervise(arguments, text, clustered="\ncluster {" in text)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
