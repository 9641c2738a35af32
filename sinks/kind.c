/* SPDX-License-Identifier: Apache-2.0 */
#include "sinks/kind.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define COMMON(member) offsetof(struct sink_common, member)
static const struct option common_rows[] = {
    {"name", OPTION_TEXT, COMMON(name), "", 0, 0, NULL,
     "What routes and records call it; the kind, then kind2, ... where there is none."},
    {"rate", OPTION_DOUBLE, COMMON(rate_per_s), "0", 0, 1e6, NULL,
     "Tries per second in the long run; 0: no limit."},
    {"burst", OPTION_DOUBLE, COMMON(burst), "10", 1, 1e6, NULL,
     "Tries at once after a rest, where there is a rate."},
    {"retry", OPTION_DURATION, COMMON(retry_us), "1s", 1, 3600e6, NULL,
     "Wait after the first failure; doubles, with jitter."},
    {"retry_ceiling", OPTION_DURATION, COMMON(retry_ceiling_us), "10m", 1, 86400e6, NULL,
     "The longest wait between two tries."},
    {"give_up", OPTION_DURATION, COMMON(give_up_us), "2d", 1, 30 * 86400e6, NULL,
     "A delivery older than this is recorded as expired."},
    {"breaker_after", OPTION_INT, COMMON(breaker_after), "5", 0, 1e6, NULL,
     "Failures in a row after which the destination is left alone; 0: never."},
    {"breaker_pause", OPTION_DURATION, COMMON(breaker_pause_us), "30s", 1, 86400e6, NULL,
     "How long it is left alone; doubles while it stays down."},
    {"queue", OPTION_INT, COMMON(queue), "1024", 1, 1e6, NULL,
     "Deliveries held at once; the rest stays in the outbox."},
};
enum { COMMON_COUNT = sizeof common_rows / sizeof *common_rows, MOST_ROWS = 48 };

const struct option *kind_common_options(size_t *out_count)
{
    *out_count = COMMON_COUNT;
    return common_rows;
}

enum status kind_read_options(const struct sink_kind *k, const struct yaml_node *node,
                              struct arena *arena, void *out, struct error *err)
{
    struct option rows[MOST_ROWS];
    if (COMMON_COUNT + k->option_count > MOST_ROWS)
        return error_set(err, STATUS_LIMIT, 0, "the kind %s has too many options", k->name);
    memcpy(rows, k->options, k->option_count * sizeof *rows);
    memcpy(rows + k->option_count, common_rows, sizeof common_rows);
    return option_read(rows, k->option_count + COMMON_COUNT, node, arena, out, err);
}

void kind_tell(struct attempt *a, enum delivery_state state, const char *format, ...)
{
    a->state = state;
    va_list args;
    va_start(args, format);
    (void)vsnprintf(a->detail, sizeof a->detail, format, args);
    va_end(args);
}
