/* SPDX-License-Identifier: Apache-2.0 */
#include "base/event.h"
#include "ingest/ingest.h"
#include "tests/support/table.h"
#include <stdio.h>
#include <string.h>

static const int64_t start_us = INT64_C(1800000000000000); /* the start of a minute */

static void see(struct hosts *h, const char *host, int64_t receive_us, int64_t event_us,
                uint32_t flags)
{
    const struct record r = {.raw = TEXT("0123456789"),
                             .peer = TEXT("192.0.2.1"),
                             .receive_us = receive_us,
                             .source = 3};
    const struct event e = {
        .record = &r, .event_us = event_us, .host = text_of(host), .flags = flags};
    hosts_begin(h);
    hosts_see(h, &e);
    hosts_end(h);
}

static const char *report(struct hosts **tables, uint32_t count, int64_t now_us, char out[8192])
{
    struct buffer b;
    buffer_init(&b, 8191);
    hosts_write(tables, count, NULL, now_us, 100, &b);
    memcpy(out, b.at, b.len);
    out[b.len] = 0;
    buffer_fini(&b);
    return out;
}

static void test_one_host(void **state)
{
    (void)state;
    char out[8192];
    AUTO(hosts) h = hosts_new(8);
    for (int i = 0; i < 120; i++)
        see(h, "web1", start_us + i * INT64_C(1000000), start_us + i * INT64_C(1000000) - 5000000,
            i == 7 ? EVENT_HEADER_DAMAGED : 0);
    assert_string_equal(
        report(&h, 1, start_us + 120 * INT64_C(1000000), out),
        "[{\"source\":3,\"host\":\"web1\",\"peer\":\"192.0.2.1\",\"records\":120,\"bytes\":1200,"
        "\"rate\":1,\"first_seen\":\"2027-01-15T08:00:00.000000Z\",\"last_seen\":"
        "\"2027-01-15T08:01:59.000000Z\",\"last_event\":\"2027-01-15T08:01:54.000000Z\","
        "\"clock_offset_s\":-5,\"damaged\":1,\"undecoded\":0,\"truncated\":0,\"dropped\":0,"
        "\"refused\":0}]");
}

static void test_an_assumed_time_says_nothing_of_the_clock(void **state)
{
    (void)state;
    char out[8192];
    AUTO(hosts) h = hosts_new(8);
    see(h, "old", start_us, start_us - INT64_C(3600000000), EVENT_TIME_ASSUMED);
    assert_null(strstr(report(&h, 1, start_us, out), "clock_offset_s"));
}

static void test_what_was_assumed_is_counted(void **state)
{
    (void)state;
    char out[8192];
    AUTO(hosts) a = hosts_new(8);
    AUTO(hosts) b = hosts_new(8);
    struct hosts *both[] = {a, b};
    see(a, "web1", start_us, start_us, EVENT_YEAR_ASSUMED | EVENT_ZONE_ASSUMED);
    see(a, "web1", start_us, start_us, EVENT_ZONE_ASSUMED);
    see(b, "web1", start_us, start_us, EVENT_ORDER_ASSUMED | EVENT_TIME_UNREADABLE);
    (void)report(both, 2, start_us, out);
    assert_non_null(strstr(out, "\"truncated\":0,\"assumed\":{\"year\":1,\"zone\":2,\"order\":1,"
                                "\"unreadable\":1},\"dropped\":0"));
}

static void test_without_a_host_it_is_the_peer(void **state)
{
    (void)state;
    char out[8192];
    AUTO(hosts) h = hosts_new(8);
    see(h, "", start_us, start_us, 0);
    assert_non_null(strstr(report(&h, 1, start_us, out), "\"host\":\"192.0.2.1\""));
}

static void test_workers_are_added_up(void **state)
{
    (void)state;
    char out[8192];
    AUTO(hosts) a = hosts_new(8);
    AUTO(hosts) b = hosts_new(8);
    struct hosts *both[] = {a, b};
    see(a, "web1", start_us + 1, start_us, 0);
    see(b, "web1", start_us, start_us, EVENT_UNDECODED);
    see(b, "web2", start_us + 2, start_us, 0);
    (void)report(both, 2, start_us + 3, out);
    assert_non_null(strstr(out, "\"host\":\"web1\",\"peer\":\"192.0.2.1\",\"records\":2"));
    assert_non_null(strstr(out, "\"undecoded\":1"));
    assert_true(strstr(out, "web2") < strstr(out, "web1")); /* most recent first */
}

static void test_the_table_is_bounded_and_stays_sound(void **state)
{
    (void)state;
    enum { MOST = 64, HOSTS = 5000 };
    char out[8192];
    AUTO(hosts) h = hosts_new(MOST);
    for (int i = 0; i < HOSTS; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "host%d", i);
        see(h, name, start_us + i, start_us + i, 0);
        see(h, "always here", start_us + i, start_us + i, 0);
    }
    (void)report(&h, 1, start_us + HOSTS, out);
    char want[64];
    (void)snprintf(want, sizeof want, "\"host\":\"host%d\"", HOSTS - 1);
    assert_non_null(strstr(out, want));
    const char *steady = strstr(out, "always here");
    assert_non_null(steady);
    (void)snprintf(want, sizeof want, "\"records\":%d", HOSTS);
    assert_non_null(strstr(steady, want)); /* who sends all the time is never given up */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_host),
        cmocka_unit_test(test_an_assumed_time_says_nothing_of_the_clock),
        cmocka_unit_test(test_what_was_assumed_is_counted),
        cmocka_unit_test(test_without_a_host_it_is_the_peer),
        cmocka_unit_test(test_workers_are_added_up),
        cmocka_unit_test(test_the_table_is_bounded_and_stays_sound),
    };
    return cmocka_run_group_tests_name("test_hosts", tests, NULL, NULL);
}
