/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/door.h"
#include "tests/support/table.h"
#include <stdio.h>
#include <sys/un.h>

struct place {
    char dir[64], path[128], state[128], yaml[512];
    struct door door;
};

static int setup(void **state)
{
    struct place *p = calloc(1, sizeof *p);
    assert_non_null(p);
    (void)snprintf(p->dir, sizeof p->dir, "/tmp/tocsin-source-XXXXXX");
    assert_non_null(mkdtemp(p->dir));
    (void)snprintf(p->path, sizeof p->path, "%s/log", p->dir);
    (void)snprintf(p->state, sizeof p->state, "%s/state", p->dir);
    *state = p;
    return 0;
}

static int teardown(void **state)
{
    struct place *p = *state;
    char old[160];
    (void)snprintf(old, sizeof old, "%s.1", p->path);
    (void)unlink(old);
    (void)unlink(p->path);
    (void)unlink(p->state);
    assert_int_equal(rmdir(p->dir), 0);
    free(p);
    return 0;
}

static void append(const struct place *p, const char *bytes)
{
    FILE *f = fopen(p->path, "a");
    assert_non_null(f);
    assert_true(fputs(bytes, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

static void follow(struct place *p, const char *more)
{
    (void)snprintf(p->yaml, sizeof p->yaml, "file: {path: %s, from: beginning%s}", p->path, more);
    assert_int_equal(door_open(&p->door, p->yaml), STATUS_OK);
}

static void assert_line(const struct place *p, size_t i, const char *want)
{
    assert_true(i < p->door.collector.count);
    assert_string_equal(p->door.collector.records[i].raw.at, want);
}

static void test_lines_as_they_come(void **state)
{
    struct place *p = *state;
    append(p, "13 is no count\nsecond");
    follow(p, "");
    assert_int_equal(collector_wait(&p->door.collector, 1), 1);
    append(p, " line\nthird\n");
    assert_int_equal(collector_wait(&p->door.collector, 3), 3);
    assert_line(p, 0, "13 is no count");
    assert_line(p, 1, "second line");
    assert_line(p, 2, "third");
    assert_int_equal(p->door.collector.records[0].format, FORMAT_AUTO);
    door_close(&p->door);
}

static void test_rotation(void **state)
{
    struct place *p = *state;
    char old[160];
    (void)snprintf(old, sizeof old, "%s.1", p->path);
    append(p, "one\n");
    follow(p, "");
    assert_int_equal(collector_wait(&p->door.collector, 1), 1);
    append(p, "two, the last of the old\n");
    assert_int_equal(rename(p->path, old), 0);
    append(p, "three, the first of the new\n");
    assert_int_equal(collector_wait(&p->door.collector, 3), 3);
    assert_line(p, 1, "two, the last of the old");
    assert_line(p, 2, "three, the first of the new");
    assert_true(door_metric(&p->door, "source_rotations_total", NULL) == 1);
    door_close(&p->door);
}

static void test_truncation(void **state)
{
    struct place *p = *state;
    append(p, "a long first line\n");
    follow(p, "");
    assert_int_equal(collector_wait(&p->door.collector, 1), 1);
    assert_int_equal(truncate(p->path, 0), 0);
    while (door_metric(&p->door, "source_truncations_total", NULL) == 0)
        (void)sched_yield();
    append(p, "short\n");
    assert_int_equal(collector_wait(&p->door.collector, 2), 2);
    assert_line(p, 1, "short");
    door_close(&p->door);
}

static void test_a_file_that_comes_later(void **state)
{
    struct place *p = *state;
    follow(p, "");
    append(p, "here now\n");
    assert_int_equal(collector_wait(&p->door.collector, 1), 1);
    door_close(&p->door);
}

static void test_the_place_is_remembered(void **state)
{
    struct place *p = *state;
    char more[160];
    (void)snprintf(more, sizeof more, ", state: %s", p->state);
    append(p, "one\ntwo\nunfini");
    follow(p, more);
    assert_int_equal(collector_wait(&p->door.collector, 2), 2);
    door_close(&p->door);
    append(p, "shed\n");
    follow(p, more);
    assert_int_equal(collector_wait(&p->door.collector, 1), 1);
    assert_line(p, 0, "unfinished");
    door_close(&p->door);
}

/* What comes by a unix socket names no host: it is this machine's. */
static void assert_is_from_here(const struct record *r)
{
    const struct parser_options options = {.format = FORMAT_SYSLOG};
    char name[65] = "";
    struct event e = {0};
    struct arena arena;
    AUTO(parser) parser = NULL;
    assert_int_equal(gethostname(name, sizeof name - 1), 0);
    arena_init(&arena, 1 << 20);
    assert_int_equal(parser_new(&options, &parser, NULL), STATUS_OK);
    parser_read(parser, r, &arena, &e);
    assert_true(text_equal(e.host, text_head(text_of(name), 63)));
    assert_true(e.flags & EVENT_HOST_ASSUMED);
    event_fini(&e);
    arena_fini(&arena);
}

static void test_unix_datagrams(void **state)
{
    struct place *p = *state;
    struct door other;
    (void)snprintf(p->yaml, sizeof p->yaml, "unix: {path: %s}", p->path);
    assert_int_equal(door_open(&p->door, p->yaml), STATUS_OK);
    assert_string_equal(source_address(p->door.source), p->path);
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    memcpy(at.sun_path, p->path, strnlen(p->path, sizeof at.sun_path - 1));
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&at, sizeof at), 0);
    door_send(fd, TEXT("<13>Jan  1 00:00:00 prog: hello"));
    assert_int_equal(collector_wait(&p->door.collector, 1), 1);
    assert_line(p, 0, "<13>Jan  1 00:00:00 prog: hello");
    assert_is_from_here(&p->door.collector.records[0]);
    assert_int_equal(door_open(&other, p->yaml), STATUS_IO);
    assert_non_null(strstr(other.error.text, "in use by another program"));
    door_close(&other);
    (void)close(fd);
    door_close(&p->door);
    assert_int_equal(access(p->path, F_OK), -1);
}

static void test_unix_stream_over_an_abandoned_socket(void **state)
{
    struct place *p = *state;
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    memcpy(at.sun_path, p->path, strnlen(p->path, sizeof at.sun_path - 1));
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&at, sizeof at), 0);
    (void)close(fd); /* as after a kill -9: the file stays, nobody listens */
    (void)snprintf(p->yaml, sizeof p->yaml, "unix: {path: %s, type: stream}", p->path);
    assert_int_equal(door_open(&p->door, p->yaml), STATUS_OK);
    fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&at, sizeof at), 0);
    door_send(fd, TEXT("<13>one\0<13>two\0"));
    (void)close(fd);
    assert_int_equal(collector_wait(&p->door.collector, 2), 2);
    assert_line(p, 1, "<13>two");
    assert_is_from_here(&p->door.collector.records[1]);
    door_close(&p->door);
}

static void test_stdin(void **state)
{
    struct place *p = *state;
    int pipes[2];
    int saved = dup(STDIN_FILENO);
    assert_int_equal(pipe(pipes), 0);
    assert_int_equal(dup2(pipes[0], STDIN_FILENO), STDIN_FILENO);
    assert_int_equal(door_open(&p->door, "stdin: {}"), STATUS_OK);
    assert_int_equal(write(pipes[1], "one\ntwo", 7), 7);
    (void)close(pipes[1]);
    assert_int_equal(collector_wait(&p->door.collector, 2), 2);
    assert_line(p, 1, "two");
    door_close(&p->door);
    (void)close(pipes[0]);
    (void)dup2(saved, STDIN_FILENO);
    (void)close(saved);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_lines_as_they_come, setup, teardown),
        cmocka_unit_test_setup_teardown(test_rotation, setup, teardown),
        cmocka_unit_test_setup_teardown(test_truncation, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_file_that_comes_later, setup, teardown),
        cmocka_unit_test_setup_teardown(test_the_place_is_remembered, setup, teardown),
        cmocka_unit_test_setup_teardown(test_unix_datagrams, setup, teardown),
        cmocka_unit_test_setup_teardown(test_unix_stream_over_an_abandoned_socket, setup, teardown),
        cmocka_unit_test_setup_teardown(test_stdin, setup, teardown),
    };
    return cmocka_run_group_tests_name("test_source_file", tests, NULL, NULL);
}
