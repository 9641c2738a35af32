/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/feeds.h"
#include "tests/support/table.h"
#include <ctype.h>

/* A million lines of real sshd logs, through the correlator alone: what it decides is known. */

struct guess {
    int64_t event_us;
    char address[48];
};

struct guesses {
    struct guess *at;
    uint32_t count;
};

/* "Feb  5 13:37:45": some days are padded with U+00A0. */
static int64_t time_of(const char *line)
{
    char month[4] = {0};
    memcpy(month, line, 3);
    const char *at = line + 3;
    while (*at && !isdigit((unsigned char)*at))
        at++;
    int64_t day = strtol(at, NULL, 10);
    while (isdigit((unsigned char)*at))
        at++;
    at = strchr(at, ':') - 2;
    int64_t hour = strtol(at, NULL, 10);
    int64_t minute = strtol(at + 3, NULL, 10);
    int64_t second = strtol(at + 6, NULL, 10);
    assert_string_equal(month, "Feb");
    const int64_t february_2014 = INT64_C(1391212800);
    return (february_2014 + ((day - 1) * 24 + hour) * 3600 + minute * 60 + second) * 1000000;
}

static bool guess_of(const char *line, struct guess *out)
{
    const char *at = strstr(line, "Failed password for ");
    const char *from = NULL;
    for (const char *next = at; next && (next = strstr(next, " from ")); next++)
        from = next + 6;
    if (!from || !strstr(from, " port"))
        return false;
    if (strncmp(from, "::ffff:", 7) == 0)
        from += 7;
    size_t len = strcspn(from, " ");
    assert_true(len < sizeof out->address);
    memset(out->address, 0, sizeof out->address);
    memcpy(out->address, from, len);
    out->event_us = time_of(line);
    return true;
}

static int read_slice(void **state)
{
    static const char name[] = "/sshd/slice_1m.log.gz";
    const char *corpora = getenv("TOCSIN_CORPORA");
    *state = NULL;
    if (!corpora)
        return 0;
    char command[4200];
    (void)snprintf(command, sizeof command, "zcat '%s%s'", corpora, name);
    FILE *f = popen(command, "r");
    struct guesses *g = calloc(1, sizeof *g);
    assert_non_null(f);
    assert_non_null(g);
    g->at = calloc(300000, sizeof *g->at);
    char line[8192];
    while (fgets(line, sizeof line, f))
        g->count += guess_of(line, &g->at[g->count]);
    (void)pclose(f);
    *state = g;
    return 0;
}

static int free_slice(void **state)
{
    struct guesses *g = *state;
    if (g)
        free(g->at);
    free(g);
    return 0;
}

/* Counts of first detections; renewals are none. */
static uint32_t detections(const struct guesses *g, enum fire_policy fire, uint32_t shards,
                           uint32_t per_batch, int64_t lateness_us, struct hash128 *out_hash)
{
    struct feeds_rules rules = {.count = 0};
    struct correlation *c = feeds_add_rule(&rules, CORRELATION_EVENT_COUNT, 60000000);
    feeds_bound(c, BOUND_GTE, "5");
    c->fire = fire;
    c->lateness_us = lateness_us;
    struct feeds_run run;
    feeds_open(&run, &rules, shards, 64 << 20);
    struct feeds_event *events = calloc(per_batch, sizeof *events);
    int64_t journal_us = 0;
    for (uint32_t i = 0; i < g->count; i += per_batch) {
        uint32_t n = g->count - i < per_batch ? g->count - i : per_batch;
        for (uint32_t j = 0; j < n; j++) {
            const struct guess *one = &g->at[i + j];
            journal_us = one->event_us > journal_us ? one->event_us : journal_us;
            events[j] = (struct feeds_event){one->event_us, journal_us, RECORD_EVENT, 1, {{0}}};
            memcpy(events[j].feeds[0].group, one->address, FEEDS_TEXT - 1);
        }
        feeds_push(&run, events, n, i + n == g->count);
    }
    uint32_t lines = 0;
    for (size_t i = 0; i < run.out.len; i++)
        lines += run.out.at[i] == '\n';
    struct hasher h;
    hash_start(&h);
    hash_part_text(&h, buffer_text(&run.out));
    *out_hash = hash_end(&h);
    free(events);
    feeds_close(&run);
    return lines;
}

static void test_counts_are_exact(void **state)
{
    const struct guesses *g = *state;
    if (!g)
        SKIP_BECAUSE("TOCSIN_CORPORA is not set");
    static const struct {
        enum fire_policy fire;
        uint32_t want;
    } rows[] = {{FIRE_CONSUME, 45820}, {FIRE_LEVEL, 228414}, {FIRE_EDGE, 320}};
    struct hash128 one = {0};
    struct hash128 four = {0};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(detections(g, rows[i].fire, 1, 1024, 0, &one), rows[i].want);
    assert_int_equal(detections(g, FIRE_EDGE, 4, 997, 0, &four), 320);
    assert_true(hash_equal(one, four));
    assert_int_equal(detections(g, FIRE_CONSUME, 3, 1000, 5000000, &four), 45820);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_counts_are_exact)};
    return cmocka_run_group_tests_name("test_sshd_slice", tests, read_slice, free_slice);
}
