/* SPDX-License-Identifier: Apache-2.0 */
#include "incidents/view/response_times.h"
#include "base/json_write.h"
#include "incidents/model/json_fixed.h"
#include <stdlib.h>

enum { FEW = 20 }; /* below this the points say more than a percentile */

void response_times_fini(struct response_times *t)
{
    free(t->all);
    *t = (struct response_times){0};
}

static void add(struct response_times *t, int64_t us, bool is_open)
{
    if (us < 0) {
        t->negative++;
        return;
    }
    if (t->count == t->max) {
        uint32_t max = t->max ? t->max * 2 : 64;
        struct response_time *all = realloc(t->all, max * sizeof *all);
        if (!all) {
            t->has_failed = true;
            return;
        }
        t->all = all;
        t->max = max;
    }
    t->all[t->count++] = (struct response_time){us, is_open};
    t->ended += !is_open;
    t->open += is_open;
}

void response_times_add(struct response_times *t, int64_t us)
{
    add(t, us, false);
}

void response_times_add_open(struct response_times *t, int64_t us)
{
    add(t, us, true);
}

void response_times_add_unknown(struct response_times *t)
{
    t->unknown++;
}

/* At equal times the ended come first: that is the convention of Kaplan and Meier. */
static int by_time(const void *a, const void *b)
{
    const struct response_time *x = a, *y = b;
    if (x->us != y->us)
        return x->us < y->us ? -1 : 1;
    return (x->is_open > y->is_open) - (x->is_open < y->is_open);
}

static double seconds(int64_t us)
{
    return (double)us / 1e6;
}

/* The smallest value that at least this share of the ended ones do not exceed (nearest rank). */
static int64_t quantile(const struct response_times *t, uint32_t percent)
{
    uint64_t rank = ((uint64_t)t->ended * percent + 99) / 100, seen = 0;
    for (uint32_t i = 0; i < t->count; i++)
        if (!t->all[i].is_open && ++seen >= rank)
            return t->all[i].us;
    return 0;
}

static int64_t median(const struct response_times *t)
{
    int64_t low = 0, high = 0;
    uint32_t seen = 0;
    for (uint32_t i = 0; i < t->count; i++) {
        if (t->all[i].is_open)
            continue;
        if (seen == (t->ended - 1) / 2)
            low = t->all[i].us;
        if (seen == t->ended / 2)
            high = t->all[i].us;
        seen++;
    }
    return low + (high - low) / 2;
}

/* The time by which half of all, open ones counted as still at risk, had ended. */
static bool survival_median(const struct response_times *t, int64_t *out)
{
    double alive = 1;
    for (uint32_t i = 0; i < t->count; i++) {
        if (!t->all[i].is_open)
            alive *= 1 - 1 / (double)(t->count - i);
        if (alive > 0.5 + 1e-12)
            continue;
        *out = t->all[i].us;
        return true;
    }
    return false;
}

static void write_ended(const struct response_times *t, struct buffer *out)
{
    double sum = 0;
    int64_t most = 0;
    for (uint32_t i = 0; i < t->count; i++) {
        if (t->all[i].is_open)
            continue;
        sum += seconds(t->all[i].us);
        most = t->all[i].us;
    }
    json_fixed_write(out, "median_s", seconds(median(t)), 6);
    json_fixed_write(out, "p90_s", seconds(quantile(t, 90)), 6);
    if (t->ended >= FEW)
        json_fixed_write(out, "p95_s", seconds(quantile(t, 95)), 6);
    json_fixed_write(out, "mean_s", sum / (double)t->ended, 6);
    json_fixed_write(out, "max_s", seconds(most), 6);
}

void response_times_write(struct response_times *t, struct buffer *out)
{
    int64_t half;
    if (t->count)
        qsort(t->all, t->count, sizeof *t->all, by_time);
    json_write_uint(out, "n", t->ended);
    json_write_uint(out, "open", t->open);
    if (t->unknown)
        json_write_uint(out, "unknown", t->unknown);
    if (t->negative)
        json_write_uint(out, "negative", t->negative);
    if (t->ended)
        write_ended(t, out);
    if (survival_median(t, &half))
        json_fixed_write(out, "median_with_open_s", seconds(half), 6);
    if (!t->ended || t->ended >= FEW)
        return;
    json_write_open(out, "points_s", '[');
    for (uint32_t i = 0; i < t->count; i++)
        if (!t->all[i].is_open)
            json_fixed_write(out, NULL, seconds(t->all[i].us), 6);
    json_write_close(out, ']');
}
