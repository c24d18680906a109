"""Says whether this container is ready.

    HEALTHCHECK CMD ["python3.11", "-I", "-S", "/app/probe.py" (, PORT (, PATH))]

Asks http://127.0.0.1:PORT PATH (by default /readyz on ROOKERY_METRICS_PORT) and ends with 0
if the answer is 200, else with 1 and one line that says why. An engine runs it every few
seconds in every container, so it imports what costs no time: `_socket`, not `urllib`.
"""

import os
import sys
from _socket import AF_INET, SOCK_STREAM, socket

_TIMEOUT = 3.0


def ask(port: int, path: str) -> str:
    """Asks the server on this machine.

    Args:
        port: Its port.
        path: What to ask for.

    Returns:
        Its answer as far as it came: status line, headers, text.
    """
    connection = socket(AF_INET, SOCK_STREAM)
    try:
        connection.settimeout(_TIMEOUT)
        connection.connect(("127.0.0.1", port))
        request = f"GET {path} HTTP/1.0\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
        connection.send(request.encode())
        answer = b""
        while len(answer) < 4096 and (part := connection.recv(4096)):
            answer += part
    finally:
        connection.close()
    return answer.decode("latin-1")


def main(arguments: list[str]) -> int:
    """Runs the command line.

    Args:
        arguments: Port and path; both may be left out.

    Returns:
        The exit code: 0 ready, 1 not ready.
    """
    port = (arguments + [os.environ.get("ROOKERY_METRICS_PORT", "9090")])[0]
    path = arguments[1] if len(arguments) > 1 else "/readyz"
    try:
        answer = ask(int(port), path)
    except (OSError, ValueError) as error:
        print(f"127.0.0.1:{port}{path}: {error}")
        return 1
    status = answer.split(" ", 2)[1:2]
    if status == ["200"]:
        return 0
    text = " ".join(answer.partition("\r\n\r\n")[2].split())
    print(f"127.0.0.1:{port}{path}: {answer.partition(chr(13))[0]} {text[:200]}")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
