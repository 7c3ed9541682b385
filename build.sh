#!/usr/bin/env bash
# Sets up what is missing and runs Smae: ./build.sh quickstart [--data DIR] [--out DIR] | reproduction | test | bench | setup
# On a feed that has Microsoft.ML, TorchSharp and ONNX Runtime it uses them; elsewhere it builds polyfills/ (see README.md).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
root=$PWD
caller=${OLDPWD:-$PWD}
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1

say() { printf 'build.sh: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

usage() {
  cat <<'TEXT'
usage: ./build.sh COMMAND [OPTIONS]

  quickstart [--data DIR] [--out DIR] ...   pretrain on images, probe, write metrics.json and reconstructions.png
                                            (quickstart --help lists all options; without --data it draws images of its own)
  reproduction --tiny-imagenet DIR --cub DIR ...
                                            the experiment of the SMAE paper as one table (see examples/Reproduction)
  test [DOTNET TEST OPTIONS]                build everything and run all tests
  bench [train|encode|scoring|feeding|memory|scaling|micro|all] [--json FILE] [--rounds N] [--quick]
                                            how fast Smae is, side by side with PyTorch (see docs/performance.md)
  setup                                     only install and build what the other commands need

environment:
  Accelerator=cuda    run on NVIDIA GPUs (default: cpu)
  SMAE_FEED=packages  use the real packages, never the polyfills
  SMAE_FEED=polyfills use the polyfills even where the feed has the packages
  SMAE_PYTHON=PATH    bench: the Python whose PyTorch is compared with (default: Debian's python3-torch, installed if it is missing)
TEXT
}

need_dotnet() {
  command -v dotnet >/dev/null || die "the .NET SDK is missing: install the .NET 10 SDK (https://dotnet.microsoft.com/download) and put dotnet on the PATH."
  dotnet --version >/dev/null 2>&1 || die "no .NET 10 SDK found (global.json asks for 10.0.100 or a newer 10.0): installed are $(dotnet --list-sdks | tr '\n' ';')"
}

# Whether the feed has what Smae is built on, in the versions it is built on: newer ones may not run on this system (TorchSharp 0.107.0 asks for a newer
# C++ library than Debian 12 has). Only 'no such package' and 'another version instead' (NU1603) count as no; any other failure is reported as it is.
feed_has_packages() {
  local probe=$root/artifacts/feed-probe log=$root/artifacts/feed-probe/restore.log
  mkdir -p "$probe"
  cat > "$probe/probe.csproj" <<'XML'
<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup><UsePolyfills>false</UsePolyfills><UsesNativeLibraries>true</UsesNativeLibraries></PropertyGroup>
  <ItemGroup>
    <PackageReference Include="Microsoft.ML" />
    <PackageReference Include="Microsoft.ML.ImageAnalytics" />
    <PackageReference Include="Microsoft.ML.OnnxTransformer" />
    <PackageReference Include="TorchSharp" />
  </ItemGroup>
</Project>
XML
  local code=0
  dotnet restore "$probe/probe.csproj" -p:UsePolyfills=false >"$log" 2>&1 || code=$?
  if grep -qE 'NU110[123]|NU1603' "$log" && ! grep -q 'NU1301' "$log"; then return 1; fi
  if [ $code = 0 ]; then return 0; fi
  cat "$log" >&2
  die "the package feed could not be asked (see above)."
}

choose_feed() {
  local stamp=$root/artifacts/feed
  mkdir -p artifacts
  case ${SMAE_FEED:-} in
    packages) echo packages > "$stamp" ;;
    polyfills) echo polyfills > "$stamp" ;;
    '') if [ ! -s "$stamp" ]; then if feed_has_packages; then echo packages > "$stamp"; else echo polyfills > "$stamp"; fi; fi ;;
    *) die "SMAE_FEED is '$SMAE_FEED': expected packages or polyfills." ;;
  esac
  if [ "$(cat "$stamp")" = polyfills ]; then
    touch .polyfills
    say "this feed lacks Microsoft.ML, TorchSharp or ONNX Runtime (or the versions that Smae is built on): building on polyfills/ (delete artifacts/ to look again)."
    install_for_polyfills
  else
    rm -f .polyfills
    say "using Microsoft.ML, TorchSharp and ONNX Runtime from the package feed."
  fi
}

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"
  elif command -v sudo >/dev/null; then sudo "$@"
  else die "needs root to install Debian packages: run as root, install sudo, or run this yourself: $*"; fi
}

install_for_polyfills() {
  local missing=() package
  command -v apt-get >/dev/null || die "the polyfills need Debian (or Ubuntu) packages, and there is no apt-get here: use a feed that has the real packages."
  for package in libtorch-dev libopenblas0-openmp cmake make g++ libjpeg-dev libpng-dev libstb-dev; do
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
  done
  command -v npm >/dev/null || missing+=(npm)
  if [ ${#missing[@]} -gt 0 ]; then
    say "installing ${missing[*]}"
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq update >&2
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends "${missing[@]}" >artifacts/apt.log 2>&1 \
      || { tail -n 20 artifacts/apt.log >&2; die "apt-get could not install ${missing[*]}."; }
  fi
  if [ ! -d polyfills/Microsoft.ML.OnnxRuntime/node_modules/com.github.asus4.onnxruntime ]; then
    say "fetching ONNX Runtime"
    (cd polyfills/Microsoft.ML.OnnxRuntime && npm install --no-package-lock --no-audit --no-fund --loglevel=error >&2) || die "npm could not fetch ONNX Runtime."
  fi
  # The OpenMP build of OpenBLAS, whichever one the system prefers: the pthread build fights with libtorch's own threads and halves the speed.
  local openblas
  openblas=$(dirname "$(dpkg-query -L libopenblas0-openmp | grep -m1 'libblas\.so\.3$')")
  export LD_LIBRARY_PATH="$openblas${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
}

# What 'bench' compares with. PyTorch as installed must not get the libraries chosen for Smae above: it gets the caller's own library path, and the BLAS that
# Debian gives. That is the reference BLAS for python3-torch alone, and the pthread build of OpenBLAS for who asks for libopenblas0: both are unpacked under
# artifacts/, so that what the system uses by default stays as it is.
install_for_bench() {
  export SMAE_BENCH_LIBRARY_PATH=$callers_library_path
  case " $* " in *' --no-pytorch '* | *' --help '* | *' micro '* | *' feeding '* | *' memory '* | *' scaling '* | *' scoring '*) return ;; esac
  if [ -n "${SMAE_PYTHON:-}" ] || ! command -v apt-get >/dev/null; then return; fi
  if ! /usr/bin/python3 -c 'import torch' 2>/dev/null; then
    say "installing python3-torch to compare with (--no-pytorch leaves it out, SMAE_PYTHON names another)"
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq update >&2
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends python3-torch >artifacts/apt.log 2>&1 \
      || { tail -n 20 artifacts/apt.log >&2; say "python3-torch could not be installed: the comparison with PyTorch is left out."; return 0; }
  fi
  local folder=$root/artifacts/blas package
  if [ ! -e "$folder/done" ]; then
    mkdir -p "$folder"
    for package in libopenblas0-pthread libblas3 liblapack3; do
      (cd "$folder" && apt-get -qq download "$package" && dpkg -x "$package"_*.deb .) >>artifacts/apt.log 2>&1 \
        || { say "$package could not be fetched: PyTorch as installed runs on the system's own BLAS."; return 0; }
    done
    touch "$folder/done"
  fi
  local libraries
  libraries=$(dirname "$folder"/usr/lib/*/openblas-pthread)
  export SMAE_BENCH_OPENBLAS=$libraries/openblas-pthread SMAE_BENCH_REFERENCE_BLAS=$libraries/blas:$libraries/lapack
}

run_tests() {
  local log=$root/artifacts/test.log code=0
  dotnet build Smae.sln -c Release --nologo -v q >&2
  dotnet test Smae.sln -c Release --no-build --nologo -m:1 "$@" 2>&1 | tee "$log" || code=$?
  # One line for all test projects; dotnet test prints one for each.
  awk '/(Passed|Failed)! +- +Failed:/ { gsub(",", ""); for (i = 1; i < NF; i++) { if ($i == "Failed:") f += $(i+1); if ($i == "Passed:") p += $(i+1); if ($i == "Skipped:") s += $(i+1) } }
       /^Skipped! +- +Failed:/ { gsub(",", ""); for (i = 1; i < NF; i++) if ($i == "Skipped:") s += $(i+1) }
       END { printf "%d passed, %d failed, %d skipped\n", p, f, s; exit p == 0 }' "$log" || code=1
  return $code
}

command=${1:-help}
[ $# -gt 0 ] && shift
case $command in
  quickstart | reproduction)
    example=${command^}
    need_dotnet; choose_feed
    dotnet build "examples/$example" -c Release --nologo -v q >&2
    cd "$caller"
    exec dotnet "$root/examples/$example/bin/Release/net10.0/$example.dll" "$@" ;;
  bench)
    need_dotnet
    [ $# -gt 0 ] && [ "${1#-}" = "$1" ] || set -- all "$@"   # without a name, or with options alone: all
    callers_library_path=${LD_LIBRARY_PATH:-}
    choose_feed; install_for_bench "$@"
    dotnet build benchmarks/Smae.Benchmarks -c Release --nologo -v q >&2
    cd "$caller"
    exec dotnet "$root/benchmarks/Smae.Benchmarks/bin/Release/net10.0/Smae.Benchmarks.dll" "$@" ;;
  test) need_dotnet; choose_feed; run_tests "$@" ;;
  setup) need_dotnet; choose_feed; dotnet build Smae.sln -c Release --nologo -v q >&2 ;;
  help | -h | --help) usage ;;
  *) usage >&2; die "unknown command '$command'." ;;
esac
