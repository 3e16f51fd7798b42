#!/bin/sh
# Installs those of the named Debian packages that are missing, if it can (as root on Debian); else it says what is missing.
# The app works without them: shapes are then drawn by ray casting instead of by Mesa.
missing=""
for package in "$@"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q "ok installed" || missing="$missing $package"
done
[ -z "$missing" ] && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "wsr: installing system packages:$missing"
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null \
        || echo "wsr: apt-get could not install$missing; going on without"
else
    echo "wsr: not installed (needs root on Debian):$missing; going on without"
fi
exit 0
