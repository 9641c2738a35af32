/* SPDX-License-Identifier: Apache-2.0 */
#include "sinks/pace.h"
#include "base/hash.h"

void pace_init(struct pace *p, const struct pace_options *options, int64_t now_us)
{
    *p = (struct pace){.options = *options, .tokens_at_us = now_us};
    if (p->options.burst < 1)
        p->options.burst = 1;
    p->tokens = p->options.burst;
}

static double tokens_at(const struct pace *p, int64_t now_us)
{
    int64_t passed_us = now_us - p->tokens_at_us;
    if (passed_us <= 0) /* also a wall clock set back: no tokens, no harm */
        return p->tokens;
    double tokens = p->tokens + (double)passed_us * p->options.rate_per_s / 1e6;
    return tokens < p->options.burst ? tokens : p->options.burst;
}

int64_t pace_ready_us(const struct pace *p, int64_t now_us)
{
    int64_t ready_us = now_us;
    if (p->held_until_us > ready_us)
        ready_us = p->held_until_us;
    if (p->open_until_us > ready_us)
        ready_us = p->open_until_us;
    if (p->options.rate_per_s <= 0)
        return ready_us;
    double missing = 1 - tokens_at(p, now_us);
    int64_t token_us =
        missing <= 0 ? now_us : now_us + 1 + (int64_t)(missing * 1e6 / p->options.rate_per_s);
    return token_us > ready_us ? token_us : ready_us;
}

void pace_take(struct pace *p, int64_t now_us)
{
    if (p->options.rate_per_s <= 0)
        return;
    p->tokens = tokens_at(p, now_us) - 1;
    p->tokens_at_us = now_us;
}

static int64_t doubled(int64_t base_us, uint32_t times, int64_t ceiling_us)
{
    int64_t wait_us = base_us;
    for (uint32_t i = 0; i < times && wait_us < ceiling_us; i++)
        wait_us *= 2;
    return wait_us < ceiling_us ? wait_us : ceiling_us;
}

void pace_answer(struct pace *p, bool is_down, int64_t now_us)
{
    if (!is_down) {
        p->failures = 0;
        p->trips = 0;
        p->open_until_us = 0;
        return;
    }
    p->failures++;
    if (p->options.breaker_after <= 0 || p->failures < p->options.breaker_after)
        return;
    p->open_until_us =
        now_us + doubled(p->options.breaker_pause_us, p->trips, p->options.ceiling_us);
    p->trips++;
}

void pace_hold(struct pace *p, int64_t wait_us, int64_t now_us)
{
    int64_t most_us = p->options.ceiling_us;
    int64_t until_us = now_us + (wait_us < most_us ? wait_us : most_us);
    if (until_us > p->held_until_us)
        p->held_until_us = until_us;
}

bool pace_is_open(const struct pace *p)
{
    return p->open_until_us != 0;
}

int64_t pace_backoff_us(const struct pace *p, struct text id, uint32_t attempt)
{
    int64_t whole_us =
        doubled(p->options.retry_us, attempt ? attempt - 1 : 0, p->options.ceiling_us);
    int64_t half_us = whole_us / 2;
    if (half_us <= 0)
        return whole_us;
    uint64_t spread = hash_bytes(id.at, id.len, attempt) % (uint64_t)(half_us + 1);
    return whole_us - (int64_t)spread;
}
