/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/arena.h"
#include "base/own.h"
#include "base/text.h"
#include <stdbool.h>
#include <stdint.h>

/*
 * Every field that some rule reads has a number: 1, 2, ... in order of first use, as rules write
 * it. Number 0 is the whole event (keywords). Built while compiling, then only read.
 */
#define NAMES_WHOLE 0U
#define NAMES_NONE  UINT32_MAX

struct names;
/* Borrows `arena` for the copied names. NULL without memory. */
struct names *names_new(struct arena *arena);
void names_free(struct names *n);
AUTO_DEFINE(names);
/* The number of a name, a new one where it is new; NAMES_NONE without memory. */
uint32_t names_add(struct names *n, struct text name);
/* The number of a name, or NAMES_NONE. */
uint32_t names_find(const struct names *n, struct text name);
uint32_t names_count(const struct names *n); /* with number 0 */
struct text names_text(const struct names *n, uint32_t number);
