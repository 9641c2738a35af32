/* SPDX-License-Identifier: Apache-2.0 */
#include "base/event.h"
#include "ingest/door/drops.h"
#include "tests/support/table.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void see(struct hosts *h, const char *host, const char *peer)
{
    const struct record r = {
        .raw = TEXT("0123456789"), .peer = text_of(peer), .receive_us = 1000000, .source = 3};
    const struct event e = {.record = &r, .event_us = 1000000, .host = text_of(host)};
    hosts_begin(h);
    hosts_see(h, &e);
    hosts_end(h);
}

static uint64_t times(const char *in, const char *what)
{
    uint64_t n = 0;
    for (const char *at = strstr(in, what); at; at = strstr(at + 1, what))
        n++;
    return n;
}

static struct buffer report(struct hosts *h, struct drops *d)
{
    struct buffer b;
    buffer_init(&b, 4 << 20);
    hosts_write(&h, 1, d, 2000000, 5000, &b);
    buffer_byte(&b, '\0');
    assert_false(b.has_failed);
    return b;
}

static void test_drops_stand_with_the_only_host_behind_an_address(void **state)
{
    (void)state;
    AUTO(hosts) h = hosts_new(8);
    AUTO(drops) d = drops_new();
    see(h, "web1", "192.0.2.1");
    drops_count(d, 3, TEXT("192.0.2.1"), DROPS_JOURNAL, 5);
    drops_count(d, 3, TEXT("192.0.2.1"), DROPS_MEMORY, 2);
    drops_count(d, 3, TEXT("192.0.2.1"), DROPS_BROKEN, 1);
    struct buffer b = report(h, d);
    assert_non_null(strstr(b.at, "\"host\":\"web1\""));
    assert_non_null(strstr(b.at,
                           "\"dropped\":7,\"refused\":1,\"reasons\":{\"memory\":2,\"journal\":5,"
                           "\"broken\":1}"));
    assert_int_equal(times(b.at, "\"host\""), 1);
    buffer_fini(&b);
}

/* Two hosts behind a relay: its drops are in neither's row, and in the sum once. */
static void test_drops_of_a_relay_have_their_own_row(void **state)
{
    (void)state;
    AUTO(hosts) h = hosts_new(8);
    AUTO(drops) d = drops_new();
    see(h, "web1", "192.0.2.1");
    see(h, "web2", "192.0.2.1");
    drops_count(d, 3, TEXT("192.0.2.1"), DROPS_JOURNAL, 5);
    drops_count(d, 4, TEXT("192.0.2.1"), DROPS_DENIED, 1); /* another door: another row */
    struct buffer b = report(h, d);
    assert_int_equal(times(b.at, "\"host\""), 4);
    assert_int_equal(times(b.at, "\"dropped\":5"), 1);
    assert_int_equal(times(b.at, "\"host\":\"192.0.2.1\",\"peer\":\"192.0.2.1\",\"records\":0"), 2);
    buffer_fini(&b);
}

static uint64_t sum(struct drops *d, uint32_t source, uint32_t *out_entries)
{
    uint64_t all = 0;
    struct drops_entry *entries = drops_copy(d, out_entries);
    for (uint32_t i = 0; i < *out_entries; i++)
        for (int why = 0; why < DROPS_REASONS; why++)
            all += entries[i].source == source ? entries[i].counts[why] : 0;
    free(entries);
    return all;
}

static void test_a_flood_of_forged_senders_keeps_the_sum(void **state)
{
    (void)state;
    AUTO(drops) d = drops_new();
    char peer[32];
    uint32_t entries = 0;
    for (uint32_t i = 0; i < 100000; i++) {
        int len = snprintf(peer, sizeof peer, "10.%u.%u.%u", i >> 16, i >> 8 & 255, i & 255);
        drops_count(d, i % 2 ? 5 : UINT32_MAX, (struct text){peer, (size_t)len}, DROPS_DENIED, 1);
    }
    assert_int_equal(sum(d, 5, &entries), 50000);
    assert_int_equal(sum(d, UINT32_MAX, &entries), 50000);
    assert_in_range(entries, 1000, 2200);
}

static void test_a_batch_counts_each_sender(void **state)
{
    (void)state;
    AUTO(drops) d = drops_new();
    AUTO(batch) b = batch_new();
    const char *const peers[] = {"a", "a", "b", "", "b"};
    for (size_t i = 0; i < 5; i++)
        batch_add(b, TEXT("x"))->peer = text_of(peers[i]);
    b->source = 2;
    drops_count_batch(d, b, DROPS_STOPPED);
    drops_count_batch(NULL, b, DROPS_STOPPED);
    uint32_t n = 0;
    struct drops_entry *all = drops_copy(d, &n);
    assert_int_equal(n, 3);
    assert_int_equal(all[0].peer_len, 0);
    assert_int_equal(all[0].counts[DROPS_STOPPED], 1);
    assert_int_equal(all[1].counts[DROPS_STOPPED], 2);
    assert_int_equal(all[2].counts[DROPS_STOPPED], 2);
    free(all);
}

static void test_every_reason_has_a_name(void **state)
{
    (void)state;
    for (int why = 0; why < DROPS_REASONS; why++)
        assert_non_null(drops_name((enum drops_reason)why));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_drops_stand_with_the_only_host_behind_an_address),
        cmocka_unit_test(test_drops_of_a_relay_have_their_own_row),
        cmocka_unit_test(test_a_flood_of_forged_senders_keeps_the_sum),
        cmocka_unit_test(test_a_batch_counts_each_sender),
        cmocka_unit_test(test_every_reason_has_a_name),
    };
    return cmocka_run_group_tests_name("test_drops", tests, NULL, NULL);
}
