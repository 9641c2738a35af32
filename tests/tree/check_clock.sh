#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# One place reads the wall clock, so that a test can move it; what is built without the option for
# that holds none of it.
set -u
build=$(readlink -f "${1:?the build folder}")
cd "$(dirname "$(readlink -f "$0")")/../.." || exit 2
bad=0
say() { [ -z "$2" ] || { echo "$1:"; echo "$2" | head -n 20; bad=1; }; }

sources=$(git ls-files '*.c' '*.h' | grep -vxF base/wall_clock.c)
readers='CLOCK_(REALTIME|TAI)|(^|[^_[:alnum:]>.])(time|gettimeofday|timespec_get|ftime|pthread_(timedjoin_np|mutex_timedlock|rwlock_timed..lock)|sem_timedwait|mq_timed(send|receive))\('
say 'the wall clock is read by wall_clock_us() alone, and waits are monotonic' "$(grep -nE "$readers" $sources)"
# without an attribute a condition waits by the wall clock
waiters=$(grep -lE 'pthread_cond_timedwait\(' $sources)
say 'a condition that waits by the wall clock: make it with monotonic_cond_init' \
  "$(for f in $waiters; do grep -q 'monotonic_cond_init(' "$f" || echo "$f"; done)"

# what the compiler made of it: a macro hides nothing
archives=$(find "$build" -name 'lib*.a' -not -path '*/_deps/*')
[ -n "$archives" ] || { echo "no archives in $build"; exit 2; }
say 'linked with a clock of the wall' \
  "$(nm -A --undefined-only $archives 2> /dev/null | grep -E ' U (time|gettimeofday|timespec_get|ftime)(@|$)')"

if grep -q '^TOCSIN_TEST_CLOCK:BOOL=ON$' "$build/CMakeCache.txt"; then
  nm "$build/app/tocsin" | grep -q ' test_clock_shift$' || { echo "a test build has no test clock"; bad=1; }
else
  say 'a clock that a test moves, in a build without the option' \
    "$(nm "$build/app/tocsin" | grep test_clock; grep -c TOCSIN_TEST_CLOCK "$build/app/tocsin" | grep -v '^0$')"
fi
exit $bad
