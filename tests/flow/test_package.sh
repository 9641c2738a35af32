#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# TOCSIN_PACKAGE=1: builds the Debian package of this tree and looks into it: lintian finds nothing,
# the program in it finds its rules where the package puts them, no path of the build is in it.
. "$(dirname "$(readlink -f "$0")")/lib.sh"
flow_begin "$1"
[ "${TOCSIN_PACKAGE:-}" = 1 ] || flow_skip "builds the package only with TOCSIN_PACKAGE=1: it compiles everything anew"
command -v dpkg-buildpackage > /dev/null || flow_skip "no dpkg-buildpackage here"
root=$(readlink -f "$(dirname "$(readlink -f "$0")")/../..")
"$root/script/package" > "$flow_dir/err" 2>&1 || flow_fail "script/package"
deb=$(ls "$root"/build/package/tocsin_*.deb)
dpkg-deb -x "$deb" "$flow_dir/in" || flow_fail "no package"
if command -v lintian > /dev/null; then
  lintian "$root"/build/package/*.changes > "$flow_dir/lintian" 2> /dev/null || flow_fail "$(cat "$flow_dir/lintian")"
  [ ! -s "$flow_dir/lintian" ] || flow_fail "$(cat "$flow_dir/lintian")"
  flow_note "lintian finds nothing"
fi
! grep -rlF "$root" "$flow_dir/in" || flow_fail "the package tells where it was built"
"$flow_dir/in/usr/bin/tocsin" check share > "$flow_dir/err" 2>&1 || flow_fail "the rules in the package have errors"
flow_note "$(basename "$deb")"
