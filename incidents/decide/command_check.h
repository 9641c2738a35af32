/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/error.h"
#include "incidents/model/doc_tree.h"

/*
 * What a command may say: nothing is taken in silence. INVALID names the member that is unknown to
 * the verb, of another type, too long, or no time, and what was wanted. Unknown verbs are the
 * caller's.
 */
NODISCARD enum status command_check(struct text verb, const struct doc_tree *tree, int64_t now_us,
                                    struct error *err);
/* Most bytes of a note, and of any other text. */
enum { COMMAND_NOTE_BYTES = 16000, COMMAND_TEXT_BYTES = 4000, COMMAND_NAME_BYTES = 200 };
