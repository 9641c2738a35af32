/* SPDX-License-Identifier: Apache-2.0 */
#include "console/connection_limit.h"
#include "tests/support/table.h"
#include <sys/socket.h>
#include <unistd.h>

enum { SIZE = 4 };

/* Socket pairs, so that whoever is sent away can be seen from the other end. */
struct rig {
    struct connection_limit *crowd;
    struct connection_limit_member *members[SIZE];
    int fds[SIZE][2];
};

static void rig_init(struct rig *r, uint32_t many)
{
    r->crowd = connection_limit_new(many, 1000);
    assert_non_null(r->crowd);
    for (int i = 0; i < SIZE; i++) {
        r->members[i] = NULL;
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, r->fds[i]), 0);
    }
}

static void enter(struct rig *r, int i, uint64_t now_ms)
{
    r->members[i] = connection_limit_enter(r->crowd, r->fds[i][0], now_ms);
    assert_non_null(r->members[i]);
}

static bool is_away(const struct rig *r, int i)
{
    char byte;
    return recv(r->fds[i][1], &byte, 1, 0) == 0;
}

static void rig_fini(struct rig *r)
{
    for (int i = 0; i < SIZE; i++) {
        connection_limit_leave(r->crowd, r->members[i]);
        (void)close(r->fds[i][0]);
        (void)close(r->fds[i][1]);
    }
    assert_int_equal(connection_limit_count(r->crowd), 0);
    connection_limit_free(r->crowd);
}

static void test_longest_waiting_makes_room(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r, 2);
    enter(&r, 0, 1);
    enter(&r, 1, 2);
    assert_false(is_away(&r, 0));
    connection_limit_serve(r.crowd, r.members[0]);
    connection_limit_wait(r.crowd, r.members[0],
                          3); /* asked something: now it waits shorter than 1 */
    enter(&r, 2, 4);
    assert_true(is_away(&r, 1));
    assert_false(is_away(&r, 0));
    assert_int_equal(connection_limit_sent_away(r.crowd), 1);
    rig_fini(&r);
}

static void test_served_one_stays(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r, 1);
    enter(&r, 0, 1);
    connection_limit_serve(r.crowd, r.members[0]);
    enter(&r, 1, 5000);
    enter(&r, 2, 5001);
    assert_false(is_away(&r, 0));
    assert_true(is_away(&r, 1));
    rig_fini(&r);
}

static void test_patience_ends(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r, 100);
    enter(&r, 0, 0);
    enter(&r, 1, 500);
    enter(&r, 2, 1001);
    assert_true(is_away(&r, 0));
    assert_false(is_away(&r, 1));
    rig_fini(&r);
}

static void test_sent_away_once(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r, 1);
    enter(&r, 0, 0);
    enter(&r, 1, 1);
    connection_limit_wait(r.crowd, r.members[0], 2); /* its request ended just then */
    enter(&r, 2, 3);
    assert_true(is_away(&r, 1));
    assert_int_equal(connection_limit_sent_away(r.crowd), 2);
    rig_fini(&r);
}

static void test_nobody_is_no_member(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r, 1);
    connection_limit_serve(r.crowd, NULL);
    connection_limit_wait(r.crowd, NULL, 1);
    connection_limit_leave(r.crowd, NULL);
    assert_int_equal(connection_limit_count(r.crowd), 0);
    rig_fini(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_longest_waiting_makes_room),
        cmocka_unit_test(test_served_one_stays),
        cmocka_unit_test(test_patience_ends),
        cmocka_unit_test(test_sent_away_once),
        cmocka_unit_test(test_nobody_is_no_member),
    };
    return cmocka_run_group_tests_name("test_connection_limit", tests, NULL, NULL);
}
