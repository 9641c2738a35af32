/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "rules/decode/decoder.h"
#include "rules/decode/mapping.h"
#include "rules/read/draft.h"

/*
 * Joins what was read: refuses duplicates, sorts rules and correlations by key, resolves references
 * by name and id, finds depths and chains, and says which rules feed which correlations and which
 * are reported. Correlations whose references are missing are told and left out, with all that
 * build on them.
 */
NODISCARD enum status linking_run(struct draft *d, const struct decoder_set *decoders,
                                  const struct mapping_set *mappings);
