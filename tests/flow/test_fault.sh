#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Thirty faults at random moments change no incident. TOCSIN_SEED repeats a run.
command -v python3 > /dev/null || { echo "skipped: no python3 here"; exit 77; }
exec python3 "$(dirname "$(readlink -f "$0")")/fault/fault.py" "$1/app/tocsin" \
  --rounds "${TOCSIN_ROUNDS:-30}" ${TOCSIN_SEED:+--seed "$TOCSIN_SEED"}
