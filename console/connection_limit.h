/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/own.h"
#include <stdbool.h>
#include <stdint.h>

/*
 * Who is connected. Many connections that ask nothing, or ask one byte a second, must not
 * keep others out: when there are many, the one that has kept us waiting longest is let go.
 */
struct connection_limit;
struct connection_limit_member;

/* From `many` members on, each that enters sends away the longest waiting. Whoever waits longer
 * than `patience_ms` is sent away whenever somebody enters. NULL without memory. */
struct connection_limit *connection_limit_new(uint32_t many, uint64_t patience_ms);
/* Everybody left. */
void connection_limit_free(struct connection_limit *c);
AUTO_DEFINE(connection_limit);

/* All of these: any thread; `now_ms` is monotonic. A member waits at first. `fd` is its socket,
 * open until connection_limit_leave returned. NULL without memory: it is then not counted. */
struct connection_limit_member *connection_limit_enter(struct connection_limit *c, int fd,
                                                       uint64_t now_ms);
void connection_limit_leave(struct connection_limit *c, struct connection_limit_member *m);
/* It is being answered, and is not sent away meanwhile; then it waits again. `m` may be NULL. */
void connection_limit_serve(struct connection_limit *c, struct connection_limit_member *m);
void connection_limit_wait(struct connection_limit *c, struct connection_limit_member *m,
                           uint64_t now_ms);
uint64_t connection_limit_sent_away(struct connection_limit *c);
uint32_t connection_limit_count(struct connection_limit *c);
