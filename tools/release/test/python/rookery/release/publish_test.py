import base64
import contextlib
import functools
import hashlib
import http.server
import itertools
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from rookery.release import (
    BuildError,
    CredentialsError,
    Index,
    Outcome,
    Package,
    Plan,
    Publisher,
    RefusedError,
    ReleaseError,
    Settings,
    SettingsError,
    UnavailableError,
    summary,
)
from rookery.release._build import FOLDER
from rookery.release_servers import (
    SECRET,
    USER,
    Images,
    PackageIndex,
    Registry,
    library,
    plan_of,
    wheel,
)
from rookery.service.testing import free_port

pytestmark = pytest.mark.integration

BASE = library("rookery-base")
MIDDLE = library("rookery-middle", "rookery-base")
TOP = library("rookery-top", "rookery-base", "rookery-middle")
PLAN = plan_of((BASE, "1.0.0"), (MIDDLE, "2.1.0rc1"), (TOP, "0.3.0"))
VERSION = "org.opencontainers.image.version"


def build(root: Path, plan: Plan, content: str = "") -> None:
    """Stands in for Pants: writes the wheels that are wanted."""
    for entry in plan.wanted:
        package = entry.package
        if package.kind == "wheel":
            pins = [f"{name}=={plan.versions[name]}" for name in package.requires]
            wheel(root / FOLDER, package.name, entry.version, pins, content)


@pytest.fixture(name="index")
def run_index(tmp_path: Path) -> Iterator[PackageIndex]:
    index = PackageIndex(tmp_path / "index", free_port())
    with index.running():
        yield index


@pytest.fixture(name="images")
def make_images(tmp_path: Path) -> Iterator[Images]:
    images = Images(tmp_path)
    yield images
    images.close()


@pytest.fixture(name="registry")
def run_registry(tmp_path: Path, images: Images) -> Iterator[Registry]:
    registry = Registry(tmp_path, free_port())
    with registry.running():
        yield registry


def states(outcomes: list[Outcome]) -> list[str]:
    return [outcome.state for outcome in outcomes]


def held(index: PackageIndex) -> set[str]:
    return {path.name for path in index.packages.glob("*.whl")}


def test_wheels_are_published_in_order_and_then_passed_over(
    index: PackageIndex, tmp_path: Path
) -> None:
    told: list[Outcome] = []
    publisher = Publisher(index.settings(), tmp_path, build, told.append)
    assert publisher.exists(BASE, "1.0.0") is False
    outcomes, failure = publisher.publish(PLAN)
    assert failure is None
    assert told == outcomes
    assert [outcome.entry.package.name for outcome in outcomes] == [
        "rookery-base",
        "rookery-middle",
        "rookery-top",
    ]
    assert states(outcomes) == ["published"] * 3
    assert held(index) == {
        "rookery_base-1.0.0-py3-none-any.whl",
        "rookery_middle-2.1.0rc1-py3-none-any.whl",
        "rookery_top-0.3.0-py3-none-any.whl",
    }
    built = tmp_path / FOLDER / "rookery_base-1.0.0-py3-none-any.whl"
    digest = hashlib.sha256(built.read_bytes()).hexdigest()
    assert digest in outcomes[0].detail
    assert Index(index.settings()).files("rookery_base") == {built.name: digest}
    assert publisher.exists(BASE, "1.0.0") is True
    assert publisher.exists(BASE, "1.0") is False

    again, failure = publisher.publish(PLAN)
    assert (states(again), failure) == (["same"] * 3, None)
    assert summary(again) == (
        "published: nothing; there before: rookery-base 1.0.0, rookery-middle "
        "2.1.0rc1, rookery-top 0.3.0; not published: nothing"
    )


def test_a_version_with_other_content_is_refused_and_not_overwritten(
    index: PackageIndex, tmp_path: Path
) -> None:
    Publisher(index.settings(), tmp_path, build).publish(plan_of((BASE, "1.0.0")))
    before = (index.packages / "rookery_base-1.0.0-py3-none-any.whl").read_bytes()

    def other(root: Path, plan: Plan) -> None:
        build(root, plan, "CHANGED = True\n")

    outcomes, failure = Publisher(index.settings(), tmp_path, other).publish(PLAN)
    assert isinstance(failure, RefusedError)
    assert failure.exit_code == 65
    assert "holds rookery-base 1.0.0 with other content" in str(failure)
    assert "make another version" in str(failure)
    assert states(outcomes) == ["waiting"] * 3
    after = (index.packages / "rookery_base-1.0.0-py3-none-any.whl").read_bytes()
    assert after == before
    assert len(held(index)) == 1


def test_an_index_that_goes_away_half_way_is_said_and_the_rest_is_done_later(
    tmp_path: Path,
) -> None:
    index = PackageIndex(tmp_path / "index", free_port())
    publisher = Publisher(index.settings(), tmp_path, build)
    with index.running() as child:

        def stop(outcome: Outcome) -> None:
            if outcome.state == "published":
                child.process.kill()
                child.process.wait(10)

        outcomes, failure = Publisher(index.settings(), tmp_path, build, stop).publish(
            PLAN
        )
    assert isinstance(failure, UnavailableError)
    assert failure.exit_code == 69
    assert str(failure).startswith(f"{index.url}simple/rookery-middle/: cannot be")
    assert "Connection refused" in str(failure)
    assert states(outcomes) == ["published", "waiting", "waiting"]
    assert summary(outcomes) == (
        "published: rookery-base 1.0.0; there before: nothing; not published: "
        "rookery-middle 2.1.0rc1, rookery-top 0.3.0"
    )

    with index.running():
        outcomes, failure = publisher.publish(PLAN)
    assert (states(outcomes), failure) == (["same", "published", "published"], None)
    assert len(held(index)) == 3


def test_a_wrong_password_is_said_and_never_printed(
    index: PackageIndex, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    settings = index.settings(password="not-the-one")  # nosec B106
    outcomes, failure = Publisher(settings, tmp_path, build).publish(PLAN)
    assert isinstance(failure, CredentialsError)
    assert failure.exit_code == 77
    assert "ROOKERY_RELEASE_PASSWORD are not accepted" in str(failure)
    assert held(index) == set()
    printed = "".join(capfd.readouterr()) + summary(outcomes) + str(failure)
    assert "not-the-one" not in printed


def test_an_index_that_cannot_be_reached_is_named(tmp_path: Path) -> None:
    index = PackageIndex(tmp_path / "index", free_port())
    with pytest.raises(UnavailableError, match=r"simple/rookery-base/: cannot be"):
        Publisher(index.settings(), tmp_path, build).exists(BASE, "1.0.0")
    path = wheel(tmp_path, "rookery-base", "1.0.0")
    with pytest.raises(UnavailableError, match=r"cannot be reached: .*refused"):
        Index(index.settings()).upload(path)


def test_an_index_that_hides_its_hashes_is_read_all_the_same(
    index: PackageIndex, tmp_path: Path
) -> None:
    path = wheel(index.packages, "rookery-base", "1.0.0")
    plain = tmp_path / "plain" / "simple" / "rookery-base"
    plain.mkdir(parents=True)
    address = f"{index.url}packages/{path.name}"
    (plain / "index.html").write_text(f'<a href="{address}">it</a>', "utf-8")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert httpx.get(address, trust_env=False).content == path.read_bytes()
    with serve(tmp_path / "plain") as url:
        found = Index(Settings(index=url, simple=f"{url}simple/"))
        assert found.files("rookery-base") == {path.name: digest}
        assert found.files("rookery-other") == {}


@contextlib.contextmanager
def serve(folder: Path) -> Iterator[str]:
    handler = functools.partial(
        http.server.SimpleHTTPRequestHandler, directory=str(folder)
    )
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize(
    ("version", "pins", "says"),
    [
        ("1.9.0", ["rookery-base==1.0.0"], "0 wheels rookery_middle-2.1.0rc1-*.whl"),
        ("2.1.0rc1", ["rookery-base==0.9"], "requires ['rookery-base==0.9'] instead"),
        ("2.1.0rc1", [], "requires [] instead of ['rookery-base==1.0.0']"),
    ],
)
def test_a_wheel_that_is_not_what_was_planned_is_not_published(
    index: PackageIndex, tmp_path: Path, version: str, pins: list[str], says: str
) -> None:
    def careless(root: Path, plan: Plan) -> None:
        build(root, plan_of((BASE, "1.0.0")))
        wheel(root / FOLDER, "rookery-middle", version, pins)

    outcomes, failure = Publisher(index.settings(), tmp_path, careless).publish(PLAN)
    assert isinstance(failure, BuildError)
    assert says in str(failure)
    assert states(outcomes) == ["published", "waiting", "waiting"]
    assert held(index) == {"rookery_base-1.0.0-py3-none-any.whl"}


def test_what_a_plan_refuses_is_never_built(tmp_path: Path) -> None:
    def never(root: Path, plan: Plan) -> None:
        raise AssertionError

    plan = Plan(PLAN.commit, PLAN.built, PLAN.entries, ("the tree is not clean",))
    with pytest.raises(RefusedError, match="the tree is not clean"):
        Publisher(Settings(), tmp_path, never).publish(plan)


def test_missing_settings_are_found_before_anything_is_built(tmp_path: Path) -> None:
    def never(root: Path, plan: Plan) -> None:
        raise AssertionError

    publisher = Publisher(Settings(), tmp_path, never)
    with pytest.raises(SettingsError, match="ROOKERY_RELEASE_INDEX is not set"):
        publisher.publish(PLAN)
    with pytest.raises(SettingsError, match="ROOKERY_RELEASE_REGISTRY is not set"):
        publisher.publish(plan_of((component("a"), "1.0.0")))
    assert publisher.exists(BASE, "1.0.0") is None
    assert publisher.exists(component("a"), "1.0.0") is None


def component(name: str) -> Package:
    return Package(
        f"rookery-{name}",
        "image",
        f"dockerfiles/{name}:{name}",
        frozenset(),
        frozenset(),
        repository=f"rookery/{name}",
    )


NUMBERS = itertools.count()


def unique(tmp_path: Path) -> Package:
    """An image of a name that no other run of these tests uses."""
    digest = hashlib.sha256(f"{tmp_path}{next(NUMBERS)}".encode()).hexdigest()
    return component(f"test-{digest[:12]}")


def image_settings(registry: Registry, images: Images) -> Settings:
    return Settings(registry=registry.prefix, docker=images.client)


def test_images_are_published_and_then_passed_over(
    registry: Registry, images: Images, tmp_path: Path
) -> None:
    package = unique(tmp_path)
    local = f"{package.repository}:1.0.0"
    identity = images.make(local, {VERSION: "1.0.0"}, "first")
    publisher = Publisher(image_settings(registry, images), tmp_path, build)
    images.made.append(publisher.reference(package, "1.0.0"))
    plan = plan_of((package, "1.0.0"))
    assert publisher.exists(package, "1.0.0") is False
    outcomes, failure = publisher.publish(plan)
    assert (states(outcomes), failure) == (["published"], None)
    assert identity in outcomes[0].detail
    assert publisher.exists(package, "1.0.0") is True
    tags = httpx.get(
        f"http://{registry.prefix.replace('/', '/v2/', 1)}"
        f"/{package.repository.partition('/')[2]}/tags/list",
        trust_env=False,
    ).json()["tags"]
    assert tags == ["1.0.0"]

    outcomes, failure = publisher.publish(plan)
    assert (states(outcomes), failure) == (["same"], None)


def test_an_image_built_again_at_another_time_is_the_same(
    registry: Registry, images: Images, tmp_path: Path
) -> None:
    package = unique(tmp_path)
    local = f"{package.repository}:1.0.0"
    publisher = Publisher(image_settings(registry, images), tmp_path, build)
    images.made.append(publisher.reference(package, "1.0.0"))
    plan = plan_of((package, "1.0.0"))
    first = images.make(local, {VERSION: "1.0.0"}, "content")
    assert states(publisher.publish(plan)[0]) == ["published"]
    second = images.make(local, {VERSION: "1.0.0"}, "content")
    assert first != second
    outcomes, failure = publisher.publish(plan)
    assert (states(outcomes), failure) == (["same"], None)
    assert "built at another time" in outcomes[0].detail


@pytest.mark.parametrize("what", ["content", "label"])
def test_an_image_with_other_content_is_refused(
    registry: Registry, images: Images, tmp_path: Path, what: str
) -> None:
    package = unique(tmp_path)
    local = f"{package.repository}:1.0.0"
    publisher = Publisher(image_settings(registry, images), tmp_path, build)
    images.made.append(publisher.reference(package, "1.0.0"))
    plan = plan_of((package, "1.0.0"))
    first = images.make(local, {VERSION: "1.0.0", "label": "1"}, "content")
    assert states(publisher.publish(plan)[0]) == ["published"]
    changed = {"content": "content", "label": "1"} | {what: "other"}
    images.make(
        local, {VERSION: "1.0.0", "label": changed["label"]}, changed["content"]
    )
    outcomes, failure = publisher.publish(plan)
    assert isinstance(failure, RefusedError)
    assert first in str(failure)
    assert states(outcomes) == ["waiting"]


def test_an_image_of_another_version_is_not_pushed(
    registry: Registry, images: Images, tmp_path: Path
) -> None:
    package = unique(tmp_path)
    publisher = Publisher(image_settings(registry, images), tmp_path, build)
    _, failure = publisher.publish(plan_of((package, "1.0.0")))
    assert isinstance(failure, RefusedError)
    assert "there is no such image" in str(failure)
    images.make(f"{package.repository}:1.0.0", {VERSION: "0.9.0"}, "x")
    _, failure = publisher.publish(plan_of((package, "1.0.0")))
    assert isinstance(failure, RefusedError)
    assert "image.version is '0.9.0', not 1.0.0" in str(failure)
    assert publisher.exists(package, "1.0.0") is False


def test_a_registry_that_is_not_there_is_named_and_the_rest_is_done_later(
    images: Images, tmp_path: Path
) -> None:
    registry = Registry(tmp_path, free_port())
    package = unique(tmp_path)
    images.make(f"{package.repository}:1.0.0", {VERSION: "1.0.0"}, "x")
    publisher = Publisher(image_settings(registry, images), tmp_path, build)
    images.made.append(publisher.reference(package, "1.0.0"))
    plan = plan_of((package, "1.0.0"))
    outcomes, failure = publisher.publish(plan)
    assert isinstance(failure, UnavailableError)
    assert "is the registry running?" in str(failure)
    assert states(outcomes) == ["waiting"]
    with registry.running():
        outcomes, failure = publisher.publish(plan)
    assert (states(outcomes), failure) == (["published"], None)


def test_a_registry_that_wants_a_login_is_told_by_the_client(
    images: Images, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = Registry(tmp_path, free_port(), password=True)
    package = unique(tmp_path)
    images.make(f"{package.repository}:1.0.0", {VERSION: "1.0.0"}, "x")
    publisher = Publisher(image_settings(registry, images), tmp_path, build)
    images.made.append(publisher.reference(package, "1.0.0"))
    plan = plan_of((package, "1.0.0"))
    configuration = tmp_path / "docker"
    configuration.mkdir()
    monkeypatch.setenv("DOCKER_CONFIG", str(configuration))
    with registry.running():
        outcomes, failure = publisher.publish(plan)
        assert isinstance(failure, CredentialsError)
        assert failure.exit_code == 77
        assert "docker login" in str(failure)
        assert states(outcomes) == ["waiting"]
        log_in(configuration, registry)
        outcomes, failure = publisher.publish(plan)
        assert (states(outcomes), failure) == (["published"], None)


def log_in(configuration: Path, registry: Registry) -> None:
    """Does what `docker login` does, without a password on a command line."""
    token = base64.b64encode(f"{USER}:{SECRET}".encode()).decode()
    host = registry.prefix.partition("/")[0]
    (configuration / "config.json").write_text(
        json.dumps({"auths": {host: {"auth": token}}}), "utf-8"
    )


def test_without_an_engine_nothing_is_built(
    images: Images, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(root: Path, plan: Plan) -> None:
        raise AssertionError

    plan = plan_of((component("a"), "1.0.0"))
    settings = Settings(registry="127.0.0.1:1/rookery", docker=images.client)
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/no.sock")
    with pytest.raises(UnavailableError, match="start the Docker engine"):
        Publisher(settings, tmp_path, never).publish(plan)


def test_without_a_client_the_error_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = plan_of((component("a"), "1.0.0"))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UnavailableError, match="install Docker, or name it"):
        Publisher(Settings(registry="r/x"), tmp_path, build).publish(plan)
    with pytest.raises(ReleaseError, match="No such file"):
        settings = Settings(registry="r/x", docker="/nowhere/docker")
        Publisher(settings, tmp_path, build).publish(plan)
