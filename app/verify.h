/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "app/config.h"
#include "rules/rules.h"

/*
 * Whether `run` could start with a configuration, as far as it can be known without starting: the
 * same for `check`, a start and a reload. Each error with file, line and column; returns how many.
 */
uint32_t verify_config(const struct config *c, diagnostic_fn tell, void *context);
/* The part of it that is about other files: rules, decoders, overrides, lists and entities. */
uint32_t verify_files(const struct config *c, diagnostic_fn tell, void *context);
/* An entities.yml: its entries, or an error told. */
bool verify_entities(const char *path, uint32_t *out_count, diagnostic_fn tell, void *context);
