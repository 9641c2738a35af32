/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/text.h"
#include <stdint.h>

/*
 * The first part of a regular expression that short texts bring to the match limit, for it can be
 * read in too many ways: "(a+)+", "(x|x)*", "(\w+\s?)*". Tried, not guessed: each group that
 * repeats is matched against texts of its own characters. Empty: none, or no memory to look.
 */
struct text lint_regex_find(struct text pattern, uint32_t flags);
