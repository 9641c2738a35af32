/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/own.h"
#include <stdbool.h>
#include <stdint.h>

/*
 * Who is connected. A crowd of connections that ask nothing, or ask one byte a second, must not
 * keep others out: when there are many, the one that has kept us waiting longest is let go.
 */
struct crowd;
struct crowd_member;

/* From `many` members on, each that enters sends away the longest waiting. Whoever waits longer
 * than `patience_ms` is sent away whenever somebody enters. NULL without memory. */
struct crowd *crowd_new(uint32_t many, uint64_t patience_ms);
/* Everybody left. */
void crowd_free(struct crowd *c);
AUTO_DEFINE(crowd);

/* All of these: any thread; `now_ms` is monotonic. A member waits at first. `fd` is its socket,
 * open until crowd_leave returned. NULL without memory: it is then not in the crowd. */
struct crowd_member *crowd_enter(struct crowd *c, int fd, uint64_t now_ms);
void crowd_leave(struct crowd *c, struct crowd_member *m);
/* It is being answered, and is not sent away meanwhile; then it waits again. `m` may be NULL. */
void crowd_serve(struct crowd *c, struct crowd_member *m);
void crowd_wait(struct crowd *c, struct crowd_member *m, uint64_t now_ms);
uint64_t crowd_sent_away(struct crowd *c);
uint32_t crowd_count(struct crowd *c);
