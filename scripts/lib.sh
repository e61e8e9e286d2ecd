# Shared by scripts/run and scripts/test (bash; sourced, not run): what the project needs from Debian, and how it is
# built. Everything it says goes to stderr, so that stdout stays the program's own.

build_packages=(
  ca-certificates g++ cmake ninja-build pkg-config
  libboost1.81-dev libbrotli-dev libcivetweb-dev libcli11-dev libcurl4-openssl-dev libfmt-dev libssl-dev
  libyaml-cpp-dev libzstd-dev nlohmann-json3-dev prometheus-cpp-dev zlib1g-dev
)
# The second line is what the integration tests run against: real programs, not imitations.
test_packages=(
  libgmock-dev libgtest-dev
  curl docker-compose nginx-light openssl prometheus prometheus-alertmanager python3 python3-flask-limiter
  python3-jsonschema python3-yaml
)
# What scripts/trust attacks beside the agent, and with.
trust_packages=(haproxy nginx-light openssl python3)
# Debian starts a service as soon as its package is installed. Tests start their own copies on ports of their own.
service_units=(haproxy nginx prometheus prometheus-alertmanager prometheus-node-exporter)

say() { printf '%s\n' "$*" >&2; }
die() {
  say "$*"
  exit 2
}

is_installed() { [[ $(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null) == installed ]]; }

as_root() {
  if [[ $(id -u) == 0 ]]; then
    "$@"
  else
    sudo "$@"
  fi
}

installed_now=no
# install_missing PACKAGE…: installs those that aren't there; asks apt for nothing when all are.
install_missing() {
  if ! command -v dpkg-query >/dev/null; then
    say "This is not Debian; taking for granted what these packages hold: $*"
    return
  fi
  local package missing=()
  for package in "$@"; do
    is_installed "$package" || missing+=("$package")
  done
  [[ ${#missing[@]} -gt 0 ]] || return 0

  if [[ " ${missing[*]} " == *" libboost1.81-dev "* ]] && is_installed libboost1.74-dev; then
    die "libboost1.81-dev is needed and can't be installed beside libboost1.74-dev (Debian lets only one of them in," \
      "and nothing is removed here without being asked): apt-get install libboost1.81-dev libboost1.74-dev-"
  fi
  if [[ $(id -u) != 0 ]] && ! command -v sudo >/dev/null; then
    die "Missing packages; as root: apt-get install --no-install-recommends ${missing[*]}"
  fi
  say "Installing (a minute or two): ${missing[*]}"
  as_root apt-get update -qq </dev/null >&2 || die "apt-get update failed; its reason is above."
  install_without_starting "${missing[@]}" || die "apt-get install failed; its reason is above."
  installed_now=yes
}

# Services are installed, never started or enabled: a developer's machine must not begin to serve on :80 and :9090
# because somebody ran the tests. policy-rc.d is Debian's way to say so (invoke-rc.d(8)); one that its owner wrote stays.
install_without_starting() {
  local policy=/usr/sbin/policy-rc.d unit new_units=() status=0 own_policy=no log
  for unit in "${service_units[@]}"; do
    [[ -e /lib/systemd/system/$unit.service ]] || new_units+=("$unit")
  done
  if ! [[ -e $policy ]]; then
    own_policy=yes
    as_root sh -c "printf '#!/bin/sh\nexit 101\n' > $policy && chmod 755 $policy"
    trap 'as_root rm -f /usr/sbin/policy-rc.d' EXIT
  fi
  # Two thousand lines of unpacking interest nobody unless it fails.
  log=$(mktemp)
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends --no-remove \
    -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 "$@" </dev/null >"$log" 2>&1 || status=$?
  [[ $status == 0 ]] || cat "$log" >&2
  rm -f "$log"
  if [[ $own_policy == yes ]]; then
    as_root rm -f "$policy"
    trap - EXIT
  fi
  if command -v systemctl >/dev/null; then
    for unit in "${new_units[@]}"; do
      ! [[ -e /lib/systemd/system/$unit.service ]] || as_root systemctl --quiet disable "$unit" 2>/dev/null || true
    done
  fi
  return "$status"
}

# One compiler per core, fewer where memory is short: the event loops' files want about 1.5 GB each.
compile_jobs() {
  local cores available_kb jobs
  cores=$(nproc)
  available_kb=$(awk '/^MemAvailable:/ {print $2}' /proc/meminfo 2>/dev/null || true)
  jobs=$((${available_kb:-100000000} / 1500000))
  ((jobs >= 1)) || jobs=1
  echo $((jobs < cores ? jobs : cores))
}

# build FOLDER TARGET [cmake -D…]: configures once and after an installation (when CMake's files change, ninja does),
# builds.
build() {
  local folder=$1 target=$2
  shift 2
  if [[ $installed_now == yes ]] || ! [[ -e $folder/build.ninja ]]; then
    cmake -G Ninja -S "$root" -B "$folder" -DCMAKE_BUILD_TYPE=Release "$@" >&2
  fi
  ninja -C "$folder" -j "$(compile_jobs)" "$target" >&2
}
