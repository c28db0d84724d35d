#!/usr/bin/env bash
# Installs or updates the engine: builds in this checkout, installs the result with its production packages
# into engine/ beside config.toml, and links bin/swf-alarms there. Asks no questions, needs no root, and can
# be repeated. Run it as the user that will run the ticks, who must own the files.
#
#   deploy/install.sh [FOLDER]    the folder of config.toml; by default, this checkout
set -eu
# The engine refuses alarms that other users can write.
umask go-w

fail() {
  printf 'install: %s\n' "$*" >&2
  exit 2
}

unset CDPATH
case $#${1-} in
  0) ;;
  1-*) fail "unknown option $1; usage: deploy/install.sh [FOLDER]" ;;
  1*) mkdir -p -- "$1" && site=$(cd -- "$1" && pwd -P) ;;
  *) fail "one folder at most; usage: deploy/install.sh [FOLDER]" ;;
esac
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."
root=$(pwd -P)
site=${site:-$root}
engine=$site/engine

[ -d src ] || fail "$root is an installed package, which needs no build. Copy $root/config.toml.example \
to the folder of your configuration, and run: swf-alarms run --config FILE"

command -v node >/dev/null || fail "node is not on the PATH; install Node.js 20.19 or newer from https://nodejs.org"
command -v npm >/dev/null || fail "npm is not on the PATH; it comes with Node.js from https://nodejs.org"
node build/check_node.cjs || exit 2

# One folder for each version: a running tick finishes with the files it started with.
version=$(node -p 'JSON.parse(fs.readFileSync("package.json")).version')
# Of the alarms folder only the shipped alarms are part of it.
packaged=$(node -p 'JSON.parse(fs.readFileSync("package.json")).files.filter((name) => !name.startsWith("!") && name !== "dist").join(" ")')
packaged="$packaged LICENSE README.md build src package-lock.json package.json rolldown.config.ts tsconfig.json"
# shellcheck disable=SC2086 # a list of words
id=$version-$({ node --version && find $packaged -type f -exec cksum {} + 2>/dev/null | LC_ALL=C sort; } | cksum | cut -d ' ' -f 1)

# Runs a command that must succeed.
must() {
  "$@" || fail "this failed, see above: $*. The installed engine, if there is one, is unchanged."
}

# Whether the engine in this folder starts and has all its packages.
is_whole() {
  node "$1/dist/program/swf-alarms.js" --version >/dev/null 2>&1 &&
    (cd -- "$1" && npm ls --omit=dev --all >/dev/null 2>&1)
}

lock=$root/dist.lock
mkdir -- "$lock" 2>/dev/null ||
  fail "another installation from this checkout is running; if not, remove $lock"
trap 'rmdir -- "$lock"' EXIT
trap 'exit 130' INT TERM HUP

if [ "$(readlink "$engine/current")" = "$id" ] && is_whole "$engine/$id"; then
  echo "The installed engine is up to date: $engine/$id"
else
  # Records in node_modules, which `npm ci` empties, for which lock file and Node it was installed.
  packages=$(node --version && cksum package.json package-lock.json)
  note=node_modules/.swf-alarms-install
  if [ "$(cat "$note" 2>/dev/null)" != "$packages" ]; then
    must npm ci --no-audit --no-fund
    printf '%s\n' "$packages" >"$note"
  fi
  fresh=$engine/new
  rm -rf -- "$fresh"
  mkdir -p -- "$fresh"
  must npm pack --silent --pack-destination "$fresh" >/dev/null
  tar -xzf "$fresh"/swf-alarms-*.tgz --strip-components=1 -C "$fresh"
  rm -- "$fresh"/swf-alarms-*.tgz
  # The versions that this checkout was tested with.
  cp package-lock.json "$fresh"
  must npm ci --prefix "$fresh" --omit=dev --ignore-scripts --no-audit --no-fund
  is_whole "$fresh" || fail "$fresh does not start. The installed engine, if there is one, is unchanged."
  former=$(readlink "$engine/current") || former=none
  rm -rf -- "${engine:?}/$id"
  mv -- "$fresh" "$engine/$id"
  ln -sfn -- "$id" "$engine/next"
  # A rename replaces the link in one step.
  node -e 'fs.renameSync(process.argv[1], process.argv[2])' "$engine/next" "$engine/current"
  for each in "$engine"/*/; do
    each=$(basename -- "$each")
    case $each in current | "$id" | "$former") ;; *) rm -rf -- "${engine:?}/$each" ;; esac
  done
  echo "Installed $engine/$id"
fi

mkdir -p -- "$site/bin"
for name in swf-alarms swf-alarms-run; do
  ln -sfn -- "../engine/current/dist/program/$name.js" "$site/bin/$name"
done

if [ -e "$site/config.toml" ]; then
  echo "Kept $site/config.toml as it is."
else
  # Other users must not read it: a dsn may contain a password.
  (umask 077 && cp config.toml.example "$site/config.toml")
  echo "Made $site/config.toml from config.toml.example."
fi

command=("$(command -v node)" "$site/bin/swf-alarms")

# Makes and migrates the embedded database. Listing the alarms checks the configuration and the database; of a
# shared one it says what is missing.
echo
if "${command[@]}" migrate --embedded --config "$site/config.toml" &&
  "${command[@]}" alarm list --config "$site/config.toml"; then
  ready=yes
else
  ready=no
fi

quoted() {
  # Cron passes the line to sh, and a bare % in it means a line break.
  local word out=
  for word in "$@"; do
    case $word in
      *[!A-Za-z0-9_./:@=+,-]*) word="'${word//\'/\'\\\'\'}'" ;;
    esac
    out+="${out:+ }${word//%/\\%}"
  done
  printf '%s' "$out"
}

tick=$(quoted "${command[@]}" run --config "$site/config.toml")
if timeout --version >/dev/null 2>&1; then
  # While a tick hangs, all later ones are skipped.
  guard="timeout -v -k 5 290 "
else
  guard=
fi

echo
if [ "$ready" = yes ]; then
  echo "Installed. What is left to do:"
else
  echo "Installed, but no tick can run yet: see the message above. Then:"
fi
cat <<NEXT

  1. Edit   $site/config.toml
     [engine] base_url, and [email] for real mail. Every key is explained in it.
  2. Set up each alarm that you want, in $site; mail is off until you turn it on:
     bin/swf-alarms alarm show NAME
     bin/swf-alarms alarm set NAME --param threshold=0.1 --recipients you@example.org --mail on
     Your own alarms go into $site/alarms; bin/swf-alarms alarm new NAME writes one.
  3. Check  ${tick//\\%/%} --plan
     Shows what a tick would do and why; writes nothing and sends nothing.
  4. Cron   crontab -e, and add the line

*/5 * * * * $guard$tick --jitter 20

     A clean tick prints nothing; errors go to stderr, which cron mails (MAILTO=you@example.org).
     See deploy/crontab.example, or deploy/swf-alarms.service for systemd.
NEXT
