/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/door.h"
#include "tests/support/table.h"
#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>

/*
 * Journal files as systemd-journal-remote writes them. Without it, or without libsystemd, the tests
 * say skipped.
 */
#define REMOTE "/lib/systemd/systemd-journal-remote"

struct place {
    char dir[64], journal[128], state[128], yaml[512];
    int64_t clock_us;
    struct door door;
};

static int setup(void **state)
{
    struct place *p = calloc(1, sizeof *p);
    assert_non_null(p);
    (void)snprintf(p->dir, sizeof p->dir, "/tmp/tocsin-journald-XXXXXX");
    assert_non_null(mkdtemp(p->dir));
    (void)snprintf(p->journal, sizeof p->journal, "%s/journal", p->dir);
    (void)snprintf(p->state, sizeof p->state, "%s/state", p->dir);
    assert_int_equal(mkdir(p->journal, 0700), 0);
    p->clock_us = INT64_C(1760000000000000);
    *state = p;
    return 0;
}

static int teardown(void **state)
{
    struct place *p = *state;
    DIR *d = opendir(p->journal);
    char path[512];
    for (struct dirent *e = d ? readdir(d) : NULL; e; e = readdir(d)) {
        (void)snprintf(path, sizeof path, "%s/%s", p->journal, e->d_name);
        (void)unlink(path);
    }
    (void)closedir(d);
    (void)rmdir(p->journal);
    (void)unlink(p->state);
    assert_int_equal(rmdir(p->dir), 0);
    free(p);
    return 0;
}

/* Appends entries "<program> <from>" ... "<program> <to>" to one of the journal's files. */
static void write_entries(struct place *p, const char *file, const char *program, int from, int to)
{
    char command[512];
    if (access(REMOTE, X_OK) != 0)
        SKIP_BECAUSE("no systemd-journal-remote here");
    (void)snprintf(command, sizeof command, REMOTE " -o %s/%s.journal - 2> /dev/null", p->journal,
                   file);
    FILE *out = popen(command, "we");
    assert_non_null(out);
    for (int i = from; i <= to; i++) {
        p->clock_us += 1000000;
        (void)fprintf(out,
                      "__REALTIME_TIMESTAMP=%" PRId64 "\n__MONOTONIC_TIMESTAMP=%" PRId64
                      "\n_BOOT_ID=0123456789abcdef0123456789abcdef\nMESSAGE=%s %d\n"
                      "SYSLOG_IDENTIFIER=%s\n_HOSTNAME=web1\n\n",
                      p->clock_us, p->clock_us - INT64_C(1759000000000000), program, i, program);
    }
    assert_int_equal(pclose(out), 0);
}

static void follow(struct place *p, const char *more)
{
    (void)snprintf(p->yaml, sizeof p->yaml, "journald: {directory: %s, state: %s%s}", p->journal,
                   p->state, more);
    enum status status = door_open(&p->door, p->yaml);
    if (status == STATUS_INVALID && strstr(p->door.error.text, "without libsystemd")) {
        door_close(&p->door);
        SKIP_BECAUSE("built without libsystemd");
    }
    assert_int_equal(status, STATUS_OK);
}

static void assert_entry(struct place *p, size_t i, const char *want)
{
    struct collector *c = &p->door.collector;
    (void)pthread_mutex_lock(&c->lock);
    assert_true(i < c->count);
    const char *raw = c->records[i].raw.at;
    (void)pthread_mutex_unlock(&c->lock);
    const char *message = strstr(raw, " - - - ");
    assert_non_null(message);
    assert_string_equal(message + 7, want);
}

static void hold(struct collector *c, bool holds_barriers)
{
    (void)pthread_mutex_lock(&c->lock);
    c->holds_barriers = holds_barriers;
    (void)pthread_mutex_unlock(&c->lock);
}

static void test_entries_come_in_order_and_live(void **state)
{
    struct place *p = *state;
    write_entries(p, "a", "one", 1, 3);
    follow(p, ", from: start");
    assert_int_equal(collector_wait(&p->door.collector, 3), 3);
    assert_string_equal(p->door.collector.records[0].raw.at,
                        "<14>1 2025-10-09T08:53:21.000000Z web1 one - - - one 1");
    write_entries(p, "a", "one", 4, 4);
    write_entries(p, "b", "two", 1, 2); /* another file, that comes while we read */
    assert_int_equal(collector_wait(&p->door.collector, 6), 6);
    assert_entry(p, 3, "one 4");
    assert_entry(p, 4, "two 1");
    assert_entry(p, 5, "two 2");
    assert_true(door_metric(&p->door, "source_received_total", NULL) == 6);
    assert_true(text_starts(p->door.collector.records[5].origin, TEXT("journald:")));
    assert_true(p->door.collector.records[5].peer.len > 0); /* this machine's name */
    door_close(&p->door);
}

static void test_the_place_is_remembered(void **state)
{
    struct place *p = *state;
    write_entries(p, "a", "one", 1, 5);
    follow(p, ", from: start");
    assert_int_equal(collector_wait(&p->door.collector, 5), 5);
    door_close(&p->door);
    write_entries(p, "a", "one", 6, 7);
    follow(p, "");
    assert_int_equal(collector_wait(&p->door.collector, 2), 2);
    assert_entry(p, 0, "one 6");
    write_entries(p, "a", "one", 8, 8);
    assert_int_equal(collector_wait(&p->door.collector, 3), 3);
    assert_true(door_metric(&p->door, "source_gaps_total", NULL) == 0);
    assert_true(door_metric(&p->door, "source_missing_total", NULL) == 0);
    door_close(&p->door);
}

static void test_from_now_leaves_the_past(void **state)
{
    struct place *p = *state;
    write_entries(p, "a", "old", 1, 5);
    follow(p, ", from: now, matches: [SYSLOG_IDENTIFIER=old, SYSLOG_IDENTIFIER=new]");
    /* the door has its place when its thread has looked: until then what comes is old to it */
    for (int i = 6; collector_wait(&p->door.collector, 0) == 0; i++)
        write_entries(p, "a", "new", i, i);
    assert_non_null(strstr(p->door.collector.records[0].raw.at, "- new "));
    door_close(&p->door);
}

static void test_matches(void **state)
{
    struct place *p = *state;
    write_entries(p, "a", "one", 1, 2);
    write_entries(p, "a", "two", 1, 2);
    write_entries(p, "a", "three", 1, 1);
    follow(p, ", from: start, matches: [SYSLOG_IDENTIFIER=two, SYSLOG_IDENTIFIER=three]");
    assert_int_equal(collector_wait(&p->door.collector, 3), 3);
    assert_entry(p, 0, "two 1");
    assert_entry(p, 2, "three 1");
    door_close(&p->door);
    (void)snprintf(p->yaml, sizeof p->yaml, "journald: {directory: %s, matches: nonsense}",
                   p->journal);
    assert_int_equal(door_open(&p->door, p->yaml), STATUS_INVALID);
    assert_non_null(strstr(p->door.error.text, "'nonsense' is none"));
    door_close(&p->door);
}

static void test_what_was_refused_is_read_again(void **state)
{
    struct place *p = *state;
    write_entries(p, "a", "one", 1, 3);
    follow(p, ", from: start");
    struct collector *c = &p->door.collector;
    assert_int_equal(collector_wait(c, 3), 3);
    hold(c, true);
    write_entries(p, "a", "one", 4, 6);
    assert_int_equal(collector_wait(c, 6), 6);
    hold(c, false);
    assert_true(collector_release(c, false) > 0); /* the journal's disk was full, say */
    assert_int_equal(collector_wait(c, 9), 9);
    assert_entry(p, 6, "one 4");
    assert_entry(p, 8, "one 6");
    assert_true(c->records[6].flags & RECORD_RESUMED);
    assert_true(text_equal(c->records[3].origin, c->records[6].origin));
    door_close(&p->door);
}

/* A field that is no text: its length in 8 bytes, least first, then its bytes. */
static void write_binary(FILE *out, const char *name, struct text value)
{
    (void)fprintf(out, "%s\n", name);
    for (int i = 0; i < 8; i++)
        (void)fputc((int)(value.len >> 8 * i & 0xff), out);
    (void)fwrite(value.at, 1, value.len, out);
    (void)fputc('\n', out);
}

static void test_binary_and_huge(void **state)
{
    struct place *p = *state;
    static const char stamp[] = "__REALTIME_TIMESTAMP=1760000000000000\n"
                                "__MONOTONIC_TIMESTAMP=1000000\n"
                                "_BOOT_ID=0123456789abcdef0123456789abcdef\n_HOSTNAME=web1\n";
    char *huge = malloc(300000);
    char command[512];
    if (access(REMOTE, X_OK) != 0) {
        free(huge);
        SKIP_BECAUSE("no systemd-journal-remote here");
    }
    assert_non_null(huge);
    memset(huge, 'x', 300000);
    (void)snprintf(command, sizeof command, REMOTE " -o %s/a.journal - 2> /dev/null", p->journal);
    FILE *out = popen(command, "we");
    assert_non_null(out);
    (void)fputs(stamp, out);
    write_binary(out, "MESSAGE", TEXT("two\nlines, a \0 and \xff"));
    (void)fprintf(out, "\n%s", stamp);
    write_binary(out, "COREDUMP", (struct text){huge, 300000});
    write_binary(out, "MESSAGE", (struct text){huge, 300000}); /* compressed in the file */
    (void)fputs("\n", out);
    assert_int_equal(pclose(out), 0);
    follow(p, ", from: start");
    assert_int_equal(collector_wait(&p->door.collector, 2), 2);
    const struct record *r = p->door.collector.records;
    assert_true(text_ends(r[0].raw, TEXT(" - - - - two\nlines, a \0 and \xff")));
    assert_false(r[0].flags & RECORD_TRUNCATED);
    assert_int_equal(r[1].raw.len, 65536);
    assert_int_equal(r[1].raw.at[65535], 'x');
    assert_true(r[1].flags & RECORD_TRUNCATED);
    assert_true(door_metric(&p->door, "source_truncated_total", NULL) == 1);
    door_close(&p->door);
    free(huge);
}

static void test_a_place_that_was_vacuumed(void **state)
{
    struct place *p = *state;
    char path[256];
    write_entries(p, "a", "one", 1, 3);
    follow(p, ", from: start");
    assert_int_equal(collector_wait(&p->door.collector, 3), 3);
    door_close(&p->door);
    (void)snprintf(path, sizeof path, "%s/a.journal", p->journal);
    assert_int_equal(unlink(path), 0);
    write_entries(p, "b", "two", 1, 2);
    follow(p, ", from: now");
    assert_int_equal(collector_wait(&p->door.collector, 2), 2);
    assert_entry(p, 0, "two 1");
    assert_true(door_metric(&p->door, "source_gaps_total", NULL) == 1);
    door_close(&p->door);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_entries_come_in_order_and_live, setup, teardown),
        cmocka_unit_test_setup_teardown(test_the_place_is_remembered, setup, teardown),
        cmocka_unit_test_setup_teardown(test_from_now_leaves_the_past, setup, teardown),
        cmocka_unit_test_setup_teardown(test_matches, setup, teardown),
        cmocka_unit_test_setup_teardown(test_binary_and_huge, setup, teardown),
        cmocka_unit_test_setup_teardown(test_what_was_refused_is_read_again, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_place_that_was_vacuumed, setup, teardown),
    };
    return cmocka_run_group_tests_name("test_source_journald", tests, NULL, NULL);
}
