/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/text.h"
#include <stdbool.h>

/*
 * JSON objects behind one another, with white space, line ends or nothing between them, as agents
 * send many in one body. Moves *rest behind the first and gives its bytes, of which only brackets
 * and quotes were looked at. False: what is left in *rest is empty, or does not begin with a whole
 * object. One pass over the bytes, whatever they are.
 */
bool json_split_next(struct text *rest, struct text *out_object);
