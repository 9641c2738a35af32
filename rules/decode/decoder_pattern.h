/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "rules/decode/decoder_document.h"
#include "rules/decode/decoder_parts.h"

/* Reads the keys `names`, `patterns` and `samples` of a decoder's document. False: refused. */
bool decoder_pattern_compile(struct decoder_document *d, const struct yaml_node *node,
                             struct text pattern, struct decoder_regex **out);
bool decoder_pattern_names(struct decoder_document *d, const struct yaml_node *node,
                           struct decoder_names *out);
/* decoder->names must have been read. */
bool decoder_pattern_list(struct decoder_document *d, const struct yaml_node *node,
                          struct decoder *decoder);
bool decoder_pattern_samples(struct decoder_document *d, const struct yaml_node *node,
                             struct decoder *decoder);
