/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/buffer.h"
#include "base/text.h"

/*
 * The overview as one HTML page without scripts: what is open, what is building up. Everything that
 * came out of logs is escaped.
 */
struct page {
    struct text not_ready;             /* why; empty: ready */
    struct text incidents, candidates; /* {"incidents":[..]} as the API gives it; empty: unknown */
};
void page_write(const struct page *p, struct buffer *out);
