/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/buffer.h"
#include "base/text.h"
#include <stdbool.h>

/*
 * The line by which a web server was told what to log, as a pattern: nginx's log_format
 * ('$remote_addr [$time_local] "$request" $status') or Apache's LogFormat ('%h %l %u %t "%r" %>s').
 * Each variable becomes a group that ends where the next letter of the format stands; `-` is no
 * value. Groups have the variable's name, or the short one that decoder_format_field knows.
 */

/* Appends the PCRE2 text. False: `*out_wrong` is the part of the format that names no variable. */
bool decoder_format_pattern(struct text format, struct buffer *out, struct text *out_wrong);
/* The field that a group of such a pattern is: c_ip is c-ip, others keep their name. */
struct text decoder_format_field(struct text group);
