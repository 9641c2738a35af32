#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The public vectors through `tocsin replay`, from outside.
[ -n "${TOCSIN_CORPORA:-}" ] || { echo "skipped: TOCSIN_CORPORA is not set"; exit 77; }
command -v python3 > /dev/null || { echo "skipped: no python3 here"; exit 77; }
exec python3 "$(dirname "$(readlink -f "$0")")/vectors.py" "$1/app/tocsin" "$TOCSIN_CORPORA"
