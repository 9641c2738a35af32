/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/door.h"
#include "tests/support/table.h"

/* Reads until `want` bytes came and compares; a minute at most. */
static void expect(int fd, const char *want)
{
    char got[1024] = "";
    size_t len = strlen(want);
    struct timeval most = {60, 0};
    assert_true(len < sizeof got);
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &most, sizeof most);
    for (size_t used = 0; used < len;) {
        ssize_t n = recv(fd, got + used, len - used, 0);
        assert_true(n > 0);
        used += (size_t)n;
    }
    assert_string_equal(got, want);
}

static const char hello[] =
    "1 rsp 58 200 OK\nrelp_version=0\nrelp_software=tocsin\ncommands=syslog\n";

static void greet(int fd)
{
    static const char open[] = "1 open 30 relp_version=0\ncommands=syslog\n";
    door_send(fd, text_of(open));
    expect(fd, hello);
}

static void hold(struct door *d)
{
    (void)pthread_mutex_lock(&d->collector.lock);
    d->collector.holds_barriers = true;
    (void)pthread_mutex_unlock(&d->collector.lock);
}

static void test_acknowledged_when_durable(void **state)
{
    (void)state;
    struct door d;
    assert_int_equal(door_open(&d, "relp: {listen: '127.0.0.1:0'}"), 0);
    hold(&d);
    int fd = door_connect(&d, SOCK_STREAM);
    greet(fd);
    door_send(fd, TEXT("2 syslog 5 <13>a\n3 syslog 5 <13>b\n"));
    assert_int_equal(collector_wait(&d.collector, 2), 2);
    assert_string_equal(d.collector.records[1].raw.at, "<13>b");
    char byte;
    assert_int_equal(recv(fd, &byte, 1, MSG_DONTWAIT), -1); /* stored, not yet durable */
    assert_true(collector_release(&d.collector, true) > 0);
    expect(fd, "2 rsp 6 200 OK\n3 rsp 6 200 OK\n");
    door_send(fd, TEXT("4 close 0\n"));
    expect(fd, "4 rsp 0\n0 serverclose 0\n");
    assert_true(door_is_closed(fd));
    (void)close(fd);
    door_close(&d);
}

static void test_no_acknowledgement_for_what_was_not_stored(void **state)
{
    (void)state;
    struct door d;
    assert_int_equal(door_open(&d, "relp: {listen: '127.0.0.1:0'}"), 0);
    hold(&d);
    int fd = door_connect(&d, SOCK_STREAM);
    greet(fd);
    door_send(fd, TEXT("2 syslog 5 <13>a\n"));
    assert_int_equal(collector_wait(&d.collector, 1), 1);
    assert_int_equal(collector_release(&d.collector, false), 1);
    char byte;
    assert_true(recv(fd, &byte, 1, 0) <= 0); /* closed instead */
    (void)close(fd);
    door_close(&d);
}

static void *release_later(void *context)
{
    struct door *d = context;
    while (collector_release(&d->collector, true) == 0)
        (void)sched_yield();
    return NULL;
}

static void test_the_stop_gives_the_answers_that_are_owed(void **state)
{
    (void)state;
    struct door d;
    pthread_t thread;
    assert_int_equal(door_open(&d, "relp: {listen: '127.0.0.1:0'}"), 0);
    hold(&d);
    int fd = door_connect(&d, SOCK_STREAM);
    greet(fd);
    door_send(fd, TEXT("2 syslog 5 <13>a\n"));
    assert_int_equal(collector_wait(&d.collector, 1), 1);
    assert_int_equal(pthread_create(&thread, NULL, release_later, &d), 0);
    source_stop(d.source);
    expect(fd, "2 rsp 6 200 OK\n");
    (void)pthread_join(thread, NULL);
    (void)close(fd);
    door_close(&d);
}

static void test_a_barrier_after_the_door_is_gone(void **state)
{
    (void)state;
    struct door d;
    assert_int_equal(door_open(&d, "relp: {listen: '127.0.0.1:0'}"), 0);
    hold(&d);
    int fd = door_connect(&d, SOCK_STREAM);
    greet(fd);
    door_send(fd, TEXT("2 syslog 5 <13>a\n"));
    assert_int_equal(collector_wait(&d.collector, 1), 1);
    (void)close(fd);
    /* a sender that left: its acknowledgement finds nobody */
    assert_int_equal(collector_release(&d.collector, true), 1);
    fd = door_connect(&d, SOCK_STREAM);
    greet(fd);
    door_send(fd, TEXT("2 syslog 5 <13>b\n"));
    assert_int_equal(collector_wait(&d.collector, 2), 2);
    assert_int_equal(collector_release(&d.collector, true), 1);
    expect(fd, "2 rsp 6 200 OK\n");
    (void)close(fd);
    door_close(&d);
}

struct hostile {
    const char *name, *stream;
};
static const struct hostile hostiles[] = {
    {"hostile: syslog before open", "2 syslog 5 <13>a\n"},
    {"hostile: garbage", "GET / HTTP/1.1\r\n\r\n"},
    {"hostile: other version", "1 open 14 relp_version=9\n"},
};

static void test_hostile(void **state)
{
    const struct hostile *row = *state;
    struct door d;
    assert_int_equal(door_open(&d, "relp: {listen: '127.0.0.1:0'}"), 0);
    int fd = door_connect(&d, SOCK_STREAM);
    door_send(fd, text_of(row->stream));
    assert_true(door_is_closed(fd));
    source_stop(d.source);
    assert_true(door_metric(&d, "source_broken_total", NULL) == 1);
    assert_int_equal(d.collector.count, 0);
    (void)close(fd);
    door_close(&d);
}

int main(void)
{
    struct CMUnitTest tests[16] = {
        cmocka_unit_test(test_acknowledged_when_durable),
        cmocka_unit_test(test_no_acknowledgement_for_what_was_not_stored),
        cmocka_unit_test(test_the_stop_gives_the_answers_that_are_owed),
        cmocka_unit_test(test_a_barrier_after_the_door_is_gone),
    };
    size_t n = 4;
    for (size_t i = 0; i < sizeof hostiles / sizeof *hostiles; i++)
        tests[n++] = ROW(test_hostile, &hostiles[i]);
    return _cmocka_run_group_tests("test_source_relp", tests, n, NULL, NULL);
}
