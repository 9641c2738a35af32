/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "sinks/kind.h"
#include "sinks/transfer.h"

/*
 * What an exchange means for a delivery. An answer about this one delivery (400, 422, 550) ends it;
 * one about the destination (401, 404, a redirect, 535) does not: somebody will mend the
 * destination, and until then the delivery waits.
 */

/* 2xx is delivered. Repeating is safe, so an exchange without an answer is tried again. */
void judge_http(const struct transfer_reply *reply, struct attempt *out);
/* 250 is accepted: the next server has it, nobody has read it. An exchange that broke after the
 * last byte is unknown. */
void judge_mail(const struct transfer_reply *reply, struct attempt *out);
