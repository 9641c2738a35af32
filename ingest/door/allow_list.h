/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/error.h"
#include "base/option.h"
#include "ingest/door/endpoint.h"
#include <stdbool.h>

/* The networks whose senders a door lets in. Immutable; any thread. */
struct allow_list;

/* From "10.0.0.0/8", "2001:db8::/32", "192.0.2.7". INVALID names the one that is none. */
NODISCARD enum status allow_list_new(const struct option_texts *networks, struct allow_list **out,
                                     struct error *err);
void allow_list_free(struct allow_list *a);
AUTO_DEFINE(allow_list);
/* NULL lets everybody in. IPv4-mapped addresses count as IPv4; unix peers are let in. */
bool allow_list_has(const struct allow_list *a, const struct endpoint *peer);
/* The same for an address as text, as HTTP gives it; one that is none is not let in. */
bool allow_list_has_text(const struct allow_list *a, struct text address);
