/* SPDX-License-Identifier: Apache-2.0 */
#include "base/wall_clock.h"
#include "ingest/ingest.h"
#include "journal/journal.h"
#include "tests/support/table.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct place {
    char dir[64], path[128], journal[128];
};

static int setup(void **state)
{
    struct place *p = calloc(1, sizeof *p);
    assert_non_null(p);
    (void)snprintf(p->dir, sizeof p->dir, "/tmp/tocsin-repeats-XXXXXX");
    assert_non_null(mkdtemp(p->dir));
    (void)snprintf(p->path, sizeof p->path, "%s/repeats", p->dir);
    (void)snprintf(p->journal, sizeof p->journal, "%s/journal", p->dir);
    *state = p;
    return 0;
}

static int teardown(void **state)
{
    struct place *p = *state;
    char command[128];
    (void)snprintf(command, sizeof command, "rm -rf '%s'", p->dir);
    assert_int_equal(system(command), 0);
    free(p);
    return 0;
}

static struct repeats *open_repeats(const struct place *p)
{
    struct repeats *r = NULL;
    struct error err = {0};
    enum status status = repeats_open(p->path, p->journal, &r, &err);
    if (status)
        print_error("%s\n", err.text);
    assert_int_equal(status, STATUS_OK);
    return r;
}

static void add(struct batch *b, const char *origin, int64_t at_us)
{
    struct record *r = batch_add(b, TEXT("x"));
    assert_non_null(r);
    r->origin = arena_copy(&b->arena, text_of(origin));
    r->receive_us = at_us;
}

/* How many records of these origins (NULL at the end) are news. */
static uint32_t news(struct repeats *r, const char *const *origins, int64_t at_us)
{
    AUTO(batch) b = batch_new();
    assert_non_null(b);
    for (; *origins; origins++)
        add(b, *origins, at_us);
    repeats_drop(r, b);
    assert_int_equal(b->raw_bytes, b->count);
    return b->count;
}

#define NEWS(r, at_us, ...) news((r), (const char *const[]){__VA_ARGS__, NULL}, (at_us))

enum { SECOND = 1000000 };

static void test_a_repetition_is_dropped(void **state)
{
    int64_t now_us = wall_clock_us();
    AUTO(repeats) r = open_repeats(*state);
    assert_int_equal(NEWS(r, now_us, "a", "b", "a"), 2);
    assert_int_equal(NEWS(r, now_us + SECOND, "b", "c"), 1);
    assert_int_equal(NEWS(r, now_us + SECOND, "", ""), 2); /* no identity of their own */
    assert_int_equal(NEWS(r, now_us, "kafka:t:0:1", "kafka:t:0:1"), 2); /* the journal's matter */
}

static void test_it_is_forgotten_after_ten_minutes(void **state)
{
    int64_t now_us = wall_clock_us();
    AUTO(repeats) r = open_repeats(*state);
    assert_int_equal(NEWS(r, now_us, "a"), 1);
    assert_int_equal(NEWS(r, now_us + INT64_C(599) * SECOND, "a"), 0);
    assert_int_equal(NEWS(r, now_us + INT64_C(601) * SECOND, "a"), 1);
}

static void test_what_was_not_stored_may_come_again(void **state)
{
    int64_t now_us = wall_clock_us();
    AUTO(repeats) r = open_repeats(*state);
    AUTO(batch) b = batch_new();
    add(b, "a", now_us);
    repeats_drop(r, b);
    repeats_forget(r, b);
    assert_int_equal(NEWS(r, now_us, "a"), 1);
    assert_int_equal(NEWS(r, now_us, "a"), 0);
}

static void test_the_file_remembers(void **state)
{
    const struct place *p = *state;
    int64_t now_us = wall_clock_us();
    struct repeats *r = open_repeats(p);
    assert_int_equal(NEWS(r, now_us, "a", "b"), 2);
    repeats_save(r, true);
    repeats_free(r);
    r = open_repeats(p);
    assert_int_equal(NEWS(r, now_us + SECOND, "a", "b", "c"), 1);
    repeats_free(r);
    FILE *f = fopen(p->path, "r+");
    assert_non_null(f);
    assert_int_equal(fseek(f, 40, SEEK_SET), 0);
    assert_int_equal(fputc('?', f), '?');
    assert_int_equal(fclose(f), 0);
    r = open_repeats(p); /* damaged: as none */
    assert_int_equal(NEWS(r, now_us + SECOND, "a"), 1);
    repeats_free(r);
}

static void test_the_journal_says_the_rest(void **state)
{
    const struct place *p = *state;
    int64_t now_us = wall_clock_us();
    struct journal *j = NULL;
    const struct journal_options options = {.dir = p->journal, .segment_bytes = 1 << 20};
    struct repeats *r = open_repeats(p);
    assert_int_equal(NEWS(r, now_us - 60 * (int64_t)SECOND, "saved"), 1);
    repeats_save(r, true);
    assert_int_equal(journal_open(&options, &j, NULL), STATUS_OK);
    AUTO(batch) b = batch_new();
    add(b, "not saved", now_us);
    repeats_drop(r, b);
    assert_int_equal(journal_append(j, b, NULL), STATUS_OK);
    assert_int_equal(journal_sync(j, NULL), STATUS_OK);
    repeats_free(r); /* as after a kill -9 */
    journal_close(j);
    r = open_repeats(p);
    assert_int_equal(NEWS(r, now_us + SECOND, "saved", "not saved", "new"), 1);
    repeats_free(r);
}

static void test_the_ceiling(void **state)
{
    int64_t now_us = wall_clock_us();
    AUTO(repeats) r = open_repeats(*state);
    AUTO(batch) b = batch_new();
    for (uint32_t done = 0; done < REPEATS_MAX + BATCH_RECORDS;) {
        batch_reset(b);
        for (uint32_t i = 0; i < BATCH_RECORDS; i++) {
            char origin[32];
            (void)snprintf(origin, sizeof origin, "o%u", done++);
            add(b, origin, now_us);
        }
        repeats_drop(r, b);
        assert_int_equal(b->count, BATCH_RECORDS);
    }
    assert_int_equal(NEWS(r, now_us, "o0"), 1); /* given up early */
    assert_int_equal(NEWS(r, now_us, "o5000", "o200000"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_repetition_is_dropped, setup, teardown),
        cmocka_unit_test_setup_teardown(test_it_is_forgotten_after_ten_minutes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_what_was_not_stored_may_come_again, setup, teardown),
        cmocka_unit_test_setup_teardown(test_the_file_remembers, setup, teardown),
        cmocka_unit_test_setup_teardown(test_the_journal_says_the_rest, setup, teardown),
        cmocka_unit_test_setup_teardown(test_the_ceiling, setup, teardown),
    };
    return cmocka_run_group_tests_name("test_repeats", tests, NULL, NULL);
}
