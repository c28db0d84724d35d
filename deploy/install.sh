#!/usr/bin/env bash
# Builds the engine in this checkout and makes config.toml. Asks for nothing, needs no root, and is
# safe to repeat: what is up to date is left alone, and config.toml is never overwritten.
# Run it as the user that will run the ticks, who must own what they write.
set -eu

unset CDPATH
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."
root=$PWD

fail() {
  printf 'install: %s\n' "$*" >&2
  exit 1
}

[ -d src ] || fail "$root is an installed package, which needs no build. Copy $root/config.toml.example \
to where your configuration shall be, and run: swf-alarms run --config FILE"

command -v node >/dev/null || fail "node is not on the PATH; install Node.js 20.19 or newer from https://nodejs.org"
command -v npm >/dev/null || fail "npm is not on the PATH; it comes with Node.js from https://nodejs.org"
node -e 'var v = process.versions.node.split("."); process.exit(v[0] > 20 || (v[0] == 20 && v[1] >= 19) ? 0 : 1)' ||
  fail "node is $(node --version) at $(command -v node); swf-alarms needs 20.19 or newer, see https://nodejs.org"

# What was installed and built is noted in node_modules, which `npm ci` empties: after somebody else's
# `npm ci` all is done anew.
packages=$(node --version && cksum package.json package-lock.json)
sources=$(find tsconfig.json rolldown.config.ts build src -type f -exec cksum {} + | LC_ALL=C sort)
note=node_modules/.swf-alarms-install

if [ "$(cat "$note.packages" 2>/dev/null)" != "$packages" ]; then
  npm ci --no-audit --no-fund
  printf '%s\n' "$packages" >"$note.packages"
fi
if [ "$(cat "$note.sources" 2>/dev/null)" != "$sources" ] || [ ! -f dist/bin/swf-alarms.js ]; then
  npm run --silent build
  # So that an old crontab line can lead here by a link.
  chmod +x dist/bin/*.js
  printf '%s\n' "$sources" >"$note.sources"
  echo "Built $root/dist."
else
  echo "The build is up to date."
fi

if [ -e config.toml ]; then
  echo "Kept config.toml as it is."
else
  # Others must not read it: a dsn may hold a password.
  (umask 077 && cp config.toml.example config.toml)
  echo "Made config.toml from config.toml.example."
fi

engine=("$(command -v node)" "$root/dist/bin/swf-alarms.js")

# Looking at the alarms tries the configuration and the database. It makes the embedded database and
# brings it up to date; a shared one belongs to others, so there it only says what is missing.
echo
if "${engine[@]}" alarm list --config "$root/config.toml"; then
  ready=yes
else
  ready=no
fi

quoted() {
  # A crontab line is for sh, and a bare % in it means a line break.
  local word out=
  for word in "$@"; do
    case $word in
      *[!A-Za-z0-9_./:@=+,-]*) word="'${word//\'/\'\\\'\'}'" ;;
    esac
    out+="${out:+ }${word//%/\\%}"
  done
  printf '%s' "$out"
}

tick=$(quoted "${engine[@]}" run --config "$root/config.toml")
if timeout --version >/dev/null 2>&1; then
  # A tick that hangs would make all later ones skip.
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

  1. Edit   $root/config.toml
     [engine] base_url, and [email] for real mail. Every key is explained in it.
  2. Set up each alarm that you want, here in $root; mail is off until you turn it on:
     npx swf-alarms alarm show NAME
     npx swf-alarms alarm set NAME --param threshold=0.1 --recipients you@example.org --mail on
  3. Look   ${tick//\\%/%} --plan
     Says what a tick would do and why; writes nothing and sends nothing.
  4. Cron   crontab -e, and add the line

*/5 * * * * $guard$tick --jitter 20

     A clean tick prints nothing; trouble goes to stderr, which cron mails (MAILTO=you@example.org).
     See deploy/crontab.example, or deploy/swf-alarms.service for systemd.
NEXT
