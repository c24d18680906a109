"""From the address of a lake to its store."""

import ipaddress
import os
from datetime import timedelta
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

from obstore.store import LocalStore, S3Store

from rookery.lake._errors import LakeConfiguration, LakeUnavailable
from rookery.lake._reasons import reason_of
from rookery.lake._store import Store

_FORMS = "file:///folder or s3://bucket/prefix"
# A caller waits and asks again by itself, so a request gives up within these.
_CONNECT = timedelta(seconds=5)
_REQUEST = timedelta(seconds=30)
_RETRY = timedelta(seconds=10)


def open_store(url: str, *, read_only: bool = False) -> Store:
    """Opens the folder or bucket that an address names.

    Args:
        url: `file:///folder`, which is made if it is missing, or `s3://bucket/prefix`.
        read_only: Whether it is enough that a folder may be read.

    Returns:
        The store. `LakeUnavailable` is raised if what it names cannot be reached.

    Raises:
        LakeConfiguration: If the address, or what it names, cannot be used.
    """
    parts = _parsed(url)
    match parts.scheme:
        case "file":
            return _folder(parts, url, read_only=read_only)
        case "s3":
            return _bucket(parts, url)
        case _:
            raise LakeConfiguration(
                f"the address of the lake, {url!r}, cannot be used: expected {_FORMS}"
            )


def _parsed(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise LakeConfiguration(
            f"the address of the lake cannot be read ({error}): expected {_FORMS}"
        ) from error
    if parts.username is not None or parts.password is not None:
        raise LakeConfiguration(
            "the address of the lake holds credentials: give them as AWS_ACCESS_KEY_ID "
            "and AWS_SECRET_ACCESS_KEY in the environment"
        )
    if parts.query or parts.fragment:
        raise LakeConfiguration(
            f"the address of the lake, {url!r}, has a ? or # in it: "
            f"expected {_FORMS} (write them as %3F and %23 in the name of a folder)"
        )
    return parts


def _folder(parts: SplitResult, url: str, *, read_only: bool) -> Store:
    if parts.netloc not in ("", "localhost") or not parts.path.startswith("/"):
        raise LakeConfiguration(
            f"the address of the lake, {url!r}, names no absolute folder: write "
            "file:/// (three slashes) and the path"
        )
    folder = Path(unquote(parts.path))
    rights, purpose = os.R_OK | os.X_OK, "read"
    if not read_only:
        rights, purpose = rights | os.W_OK, "read and written"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        allowed = os.access(
            folder, rights, effective_ids=os.access in os.supports_effective_ids
        )
    except (OSError, ValueError) as error:
        raise LakeConfiguration(
            f"cannot make the folder of the lake, {folder}: {error}; name another one "
            "in ROOKERY_LAKE or correct its rights"
        ) from error
    if not allowed:
        raise LakeConfiguration(
            f"the folder of the lake, {folder}, may not be {purpose} by this user: "
            "correct its rights, or name another one in ROOKERY_LAKE"
        )
    return Store(LocalStore(folder), url)


def _bucket(parts: SplitResult, url: str) -> Store:
    if not parts.netloc:
        raise LakeConfiguration(
            f"the address of the lake, {url!r}, names no bucket: expected {_FORMS}"
        )
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get(
        "AWS_ENDPOINT_URL"
    )
    plain = endpoint is not None and is_plain(endpoint)
    prefix = unquote(parts.path).strip("/")
    try:
        store = S3Store(
            parts.netloc,
            prefix=prefix or None,
            config={"endpoint": endpoint} if endpoint else None,
            client_options={
                "allow_http": plain,
                "connect_timeout": _CONNECT,
                "timeout": _REQUEST,
            },
            retry_config={"max_retries": 5, "retry_timeout": _RETRY},
        )
    except Exception as error:
        raise LakeConfiguration(
            f"the bucket of {url!r} cannot be used: {reason_of(error)}; check the AWS_* "
            "variables in the environment"
        ) from error
    opened = Store(store, url)
    # Says now, not at the first commit, that the bucket is absent or refuses us.
    try:
        opened.list("epochs")
    except LakeUnavailable as error:
        hint = "" if endpoint is None else f" (AWS_ENDPOINT_URL is {endpoint})"
        raise LakeUnavailable(f"{error}{hint}") from error
    return opened


def is_plain(endpoint: str) -> bool:
    """Whether an endpoint is spoken to without TLS, which only loopback is.

    Args:
        endpoint: Address of the service that holds the buckets.

    Returns:
        True for `http`, False for `https`.

    Raises:
        LakeConfiguration: If it cannot be used.
    """
    parts = urlsplit(endpoint)
    if parts.scheme == "https":
        return False
    host = parts.hostname or ""
    if parts.scheme != "http" or not host:
        raise LakeConfiguration(
            f"AWS_ENDPOINT_URL is {endpoint!r}: expected https://host[:port]"
        )
    try:
        loopback = ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = host == "localhost"
    if loopback or os.environ.get("AWS_ALLOW_HTTP", "").lower() in ("1", "true"):
        return True
    raise LakeConfiguration(
        f"AWS_ENDPOINT_URL is {endpoint!r}: without TLS only loopback is spoken to; use "
        "https, or set AWS_ALLOW_HTTP=true in a network that you trust"
    )
