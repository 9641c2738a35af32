/* SPDX-License-Identifier: Apache-2.0 */
#include "correlator/window_lru.h"

enum { SWEEP_MOST = 4096, EVICT_MOST = 256 };

static struct touch_list *list_of(struct rule_state *r, const struct window *w)
{
    return w->flags & WINDOW_SILENT ? &r->silent : &r->touched;
}

static void unlink_window(struct shard *s, struct touch_list *list, struct window *w)
{
    if (w->older == WINDOW_NONE)
        list->oldest = w->newer;
    else
        window_store_at(&s->store, w->older)->newer = w->newer;
    if (w->newer == WINDOW_NONE)
        list->newest = w->older;
    else
        window_store_at(&s->store, w->newer)->older = w->older;
}

static void link_newest(struct shard *s, struct touch_list *list, struct window *w, uint32_t number)
{
    w->older = list->newest;
    w->newer = WINDOW_NONE;
    if (list->newest == WINDOW_NONE)
        list->oldest = number;
    else
        window_store_at(&s->store, list->newest)->newer = number;
    list->newest = number;
}

bool window_lru_is_idle(const struct rule_state *r, const struct window *w, int64_t at_us)
{
    if (r->shape.kind == WINDOW_SUBJECT && !(w->flags & WINDOW_SILENT))
        return false;
    return at_us - w->touched_us > r->idle_us;
}

void window_lru_leave(struct shard *s, uint32_t number)
{
    struct window *w = window_store_at(&s->store, number);
    struct rule_state *r = &s->rules[w->rule];
    unlink_window(s, list_of(r, w), w);
    r->group_count--;
}

void window_lru_forget(struct shard *s, uint32_t number)
{
    window_lru_leave(s, number);
    window_store_remove(&s->store, number);
}

/* The older of a correlation's two oldest, or WINDOW_NONE. */
static uint32_t oldest_of(const struct shard *s, const struct rule_state *r)
{
    uint32_t a = r->touched.oldest;
    uint32_t b = r->silent.oldest;
    if (a == WINDOW_NONE || b == WINDOW_NONE)
        return a == WINDOW_NONE ? b : a;
    return window_store_at(&s->store, a)->touched_us <= window_store_at(&s->store, b)->touched_us
               ? a
               : b;
}

/* The correlation that holds the shard's oldest window, and how old the next one's is. */
static struct rule_state *oldest_rule(struct shard *s, uint32_t keep, int64_t *out_next_us)
{
    struct rule_state *oldest = NULL;
    int64_t since_us = INT64_MAX;
    *out_next_us = INT64_MAX;
    for (uint32_t i = 0; i < s->rule_count; i++) {
        uint32_t number = oldest_of(s, &s->rules[i]);
        if (number == WINDOW_NONE || number == keep)
            continue;
        int64_t touched_us = window_store_at(&s->store, number)->touched_us;
        if (!oldest || touched_us < since_us) {
            *out_next_us = since_us;
            since_us = touched_us;
            oldest = &s->rules[i];
        } else if (touched_us < *out_next_us) {
            *out_next_us = touched_us;
        }
    }
    return oldest;
}

/* Looking through all correlations costs more than evicting, so some more go while one looks. */
bool window_lru_evict(struct shard *s, uint32_t keep)
{
    int64_t next_us = 0;
    struct rule_state *r = oldest_rule(s, keep, &next_us);
    if (!r)
        return false;
    uint32_t most = s->store.live / 1024 + 1;
    for (uint32_t n = 0; n < most && n < EVICT_MOST; n++) {
        uint32_t number = oldest_of(s, r);
        if (number == WINDOW_NONE || number == keep ||
            (n && window_store_at(&s->store, number)->touched_us > next_us))
            break;
        window_lru_forget(s, number);
        counter_add(&s->counters.windows_evicted, 1);
    }
    return true;
}

void window_lru_sweep(struct shard *s, struct rule_state *r, int64_t at_us)
{
    struct touch_list *lists[] = {&r->touched, &r->silent};
    for (uint32_t i = 0; i < 2; i++) {
        for (uint32_t n = 0; n < SWEEP_MOST && lists[i]->oldest != WINDOW_NONE; n++) {
            if (!window_lru_is_idle(r, window_store_at(&s->store, lists[i]->oldest), at_us))
                break;
            window_lru_forget(s, lists[i]->oldest);
            counter_add(&s->counters.windows_expired, 1);
        }
    }
}

static uint32_t open_window(struct shard *s, struct rule_state *r, struct hash128 key)
{
    window_lru_sweep(s, r, s->clock.heard_us);
    while (r->group_count >= r->group_max) {
        window_lru_forget(s, oldest_of(s, r));
        counter_add(&s->counters.windows_evicted, 1);
        r->cost.limits++;
    }
    uint32_t number = WINDOW_NONE;
    while (window_store_add(&s->store, key, &number)) {
        if (!window_lru_evict(s, WINDOW_NONE)) {
            counter_add(&s->counters.refused, 1);
            return WINDOW_NONE;
        }
    }
    struct window *w = window_store_at(&s->store, number);
    w->rule = (uint16_t)(r - s->rules);
    link_newest(s, &r->touched, w, number);
    r->group_count++;
    counter_add(&s->counters.windows_opened, 1);
    return number;
}

uint32_t window_lru_find(struct shard *s, struct rule_state *r, struct hash128 key)
{
    uint32_t number = window_store_find(&s->store, key);
    if (number == WINDOW_NONE)
        return open_window(s, r, key);
    struct window *w = window_store_at(&s->store, number);
    if (&s->rules[w->rule] != r) /* two keys of 128 bits are equal: never, and harmless */
        return WINDOW_NONE;
    if (window_lru_is_idle(r, w, s->clock.heard_us)) {
        window_lru_forget(s, number);
        counter_add(&s->counters.windows_expired, 1);
        return open_window(s, r, key);
    }
    return number;
}

void window_lru_mark(struct shard *s, struct rule_state *r, uint32_t number)
{
    struct window *w = window_store_at(&s->store, number);
    struct touch_list *list = list_of(r, w);
    w->touched_us = s->clock.heard_us;
    window_store_mark(&s->store, number);
    if (list->newest == number)
        return;
    unlink_window(s, list, w);
    link_newest(s, list, w, number);
}

void window_lru_set_silent(struct shard *s, struct rule_state *r, uint32_t number, bool is_silent)
{
    struct window *w = window_store_at(&s->store, number);
    unlink_window(s, list_of(r, w), w);
    w->flags = (uint8_t)(is_silent ? w->flags | WINDOW_SILENT : w->flags & ~WINDOW_SILENT);
    link_newest(s, list_of(r, w), w, number);
    window_store_mark(&s->store, number);
}

void window_lru_enlist(struct shard *s, uint32_t number)
{
    struct window *w = window_store_at(&s->store, number);
    struct rule_state *r = &s->rules[w->rule];
    link_newest(s, list_of(r, w), w, number);
    r->group_count++;
}
