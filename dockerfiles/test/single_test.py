import json
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from dockerfiles.test.stack import Stack, service_of, stack

from rookery.service.testing import eventually

pytestmark = [pytest.mark.integration, pytest.mark.timeout(240)]

SERVICES = ("nats", "ingest", "match-worker", "archiver", "serving")
# What PID 1 of a container may do: nothing but what any user may.
_RIGHTS = """
import os
status = dict(line.split(":\t") for line in open("/proc/1/status").read().splitlines())
print(os.getuid(), os.getgid(), int(status["CapEff"], 16), int(status["CapBnd"], 16),
      status["NoNewPrivs"])
"""
_WRITE = """
for folder in ("/", "/app", "/etc", "/usr/bin", "/var"):
    try:
        open(folder + "/written", "w")
    except OSError as error:
        assert error.errno == 30, error
    else:
        print(folder)
open("/tmp/written", "w")
"""
_METRICS = """
import os
from _socket import AF_INET, SOCK_STREAM, socket
for token in ("", open("/run/secrets/rookery_token").read().strip()):
    connection = socket(AF_INET, SOCK_STREAM)
    connection.settimeout(5)
    connection.connect(("{address}", 9090))
    header = f"Authorization: Bearer {{token}}\\r\\n" if token else ""
    request = f"GET /metrics HTTP/1.0\\r\\nHost: x\\r\\n{{header}}\\r\\n"
    connection.send(request.encode())
    answer = b""
    while part := connection.recv(65536):
        answer += part
    print(answer.split()[1].decode(), b"rookery_match_posts_total" in answer)
"""


@pytest.fixture(scope="module")
def platform(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stack]:
    """The platform as it comes: one server of the log, made-up posts, sample rules."""
    with stack(tmp_path_factory.mktemp("single"), "compose.yaml") as running:
        running.compose("up", "--detach")
        running.wait_until_healthy()
        before = request.session.testsfailed
        yield running
        if request.session.testsfailed > before:
            running.tell()


def _address(container: dict[str, object]) -> str:
    networks = json.loads(json.dumps(container))["NetworkSettings"]["Networks"]
    ((_, network),) = networks.items()
    address: str = network["IPAddress"]
    return address


def test_posts_flow_from_the_source_to_the_page(platform: Stack) -> None:
    assert platform.container("rules")["State"]["ExitCode"] == 0
    status = eventually(
        lambda: (now := platform.get("/api/status"))["archived_posts"] and now,
        timeout=60,
        message="posts are archived",
    )
    assert status["matched"]["posts"] > 0
    assert status["rules"] == 16
    assert status["dead"] == 0
    page = f"http://127.0.0.1:{platform.port}/"
    refused = httpx.get(f"{page}api/status", trust_env=False)
    assert refused.status_code == 401
    asked = httpx.get(page, headers={"accept": "text/html"}, trust_env=False)
    assert asked.headers["location"] == "/login"


@pytest.mark.parametrize("service", SERVICES)
def test_a_process_is_an_unprivileged_user_on_a_read_only_root(
    service: str, platform: Stack
) -> None:
    container = platform.container(service)
    assert platform.python(container["Id"], _RIGHTS).split() == [
        *("10001", "10001", "0", "0", "1")
    ]
    assert platform.python(container["Id"], _WRITE) == ""
    host = container["HostConfig"]
    assert host["Memory"] > 0
    assert host["NanoCpus"] > 0
    assert host["PidsLimit"] > 0
    assert host["LogConfig"]["Config"]["max-size"]


def test_nothing_is_kept_in_volumes_that_nobody_named(platform: Stack) -> None:
    for container in platform.containers():
        volumes = [m["Name"] for m in container["Mounts"] if m["Type"] == "volume"]
        assert [v for v in volumes if not v.startswith(platform.project)] == []


def test_only_the_page_is_published_and_only_on_loopback(platform: Stack) -> None:
    published = {
        (service_of(container), port, binding["HostIp"])
        for container in platform.containers()
        for port, bindings in container["NetworkSettings"]["Ports"].items()
        for binding in bindings or ()
    }
    assert published == {("serving", "8080/tcp", "127.0.0.1")}


def test_metrics_are_for_neighbours_with_the_token(platform: Stack) -> None:
    worker = platform.container("match-worker")
    program = _METRICS.format(address=_address(worker))
    neighbour = platform.container("archiver")["Id"]
    assert platform.python(neighbour, program).split() == [
        "401",
        "False",
        "200",
        "True",
    ]


@pytest.mark.parametrize("service", SERVICES)
def test_an_image_says_what_it_is(service: str, platform: Stack) -> None:
    container = platform.container(service)
    config = container["Config"]
    labels, prefix = config["Labels"], "org.opencontainers.image."
    assert labels[f"{prefix}title"] == f"rookery/{service}"
    variables = dict(variable.split("=", 1) for variable in config["Env"])
    for label, variable in (
        ("version", "ROOKERY_VERSION"),
        ("revision", "ROOKERY_COMMIT"),
        ("created", "ROOKERY_BUILT"),
    ):
        assert labels[f"{prefix}{label}"] == variables.get(variable, "")
    said = platform.docker(
        *("run", "--rm", "--network", "none", "--read-only", container["Image"]),
        "--version",
    ).splitlines()[0]
    version = re.escape(variables.get("ROOKERY_VERSION") or "0+source")
    assert re.match(rf"{service} {version}($| \()", said), said
    assert variables.get("ROOKERY_COMMIT", "")[:12] in said
    assert variables.get("ROOKERY_BUILT", "") in said


def test_no_log_holds_a_token(platform: Stack) -> None:
    logs = platform.compose("logs", "--no-color")
    secrets = Path(platform.environment["ROOKERY_SECRETS_FOLDER"])
    assert "listen" in logs
    for file in secrets.iterdir():
        assert file.read_text().strip() not in logs


# Last, because nothing runs any more after it.
def test_each_container_that_is_stopped_ends_in_time_with_0(platform: Stack) -> None:
    ends = {}
    for service in ("ingest", "match-worker", "archiver", "serving", "nats"):
        container = platform.container(service)
        grace = container["Config"]["StopTimeout"]
        assert grace > float(
            dict(v.split("=", 1) for v in container["Config"]["Env"]).get(
                "ROOKERY_DRAIN_SECONDS", "0"
            )
        )
        platform.docker("stop", container["Id"])
        ends[service] = platform.container(service)["State"]["ExitCode"]
    assert ends == dict.fromkeys(ends, 0)
