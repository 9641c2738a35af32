/* SPDX-License-Identifier: Apache-2.0 */
#include "ingest/door/drops.h"
#include "tests/support/door.h"
#include "tests/support/table.h"
#include <poll.h>

static void assert_raw(const struct door *d, size_t i, const char *want)
{
    assert_true(i < d->collector.count);
    assert_string_equal(d->collector.records[i].raw.at, want);
    assert_int_equal(d->collector.records[i].raw.len, strlen(want));
}

/* What came is what was handed over and what was dropped for a reason. */
static void assert_accounted(const struct door *d)
{
    assert_true(door_metric(d, "source_received_total", NULL) ==
                door_metric(d, "source_put_total", NULL) +
                    door_metric(d, "source_dropped_total", NULL));
}

/* What the door counted for 127.0.0.1. */
static uint64_t lost(const struct door *d, enum drops_reason why)
{
    uint32_t count = 0;
    uint64_t n = 0;
    struct drops_entry *all = drops_copy(d->drops, &count);
    for (uint32_t i = 0; i < count; i++)
        if (text_equal((struct text){all[i].peer, all[i].peer_len}, TEXT("127.0.0.1")))
            n += all[i].counts[why];
    free(all);
    return n;
}

static void test_udp(void **state)
{
    (void)state;
    struct door d;
    assert_int_equal(door_open(&d, "syslog_udp: {listen: '127.0.0.1:0'}"), STATUS_OK);
    assert_string_equal(source_kind(d.source), "syslog-udp");
    int fd = door_connect(&d, SOCK_DGRAM);
    door_send(fd, TEXT("<13>one"));
    door_send(fd, TEXT("<13>two\n"));
    door_send(fd, TEXT("\n"));
    door_send(fd, TEXT("\0"));
    assert_int_equal(send(fd, "", 0, 0), 0);
    door_send(fd, TEXT("three\0"));
    assert_int_equal(collector_wait(&d.collector, 3), 3);
    assert_raw(&d, 0, "<13>one");
    assert_raw(&d, 1, "<13>two");
    assert_raw(&d, 2, "three");
    const struct record *r = d.collector.records;
    assert_string_equal(r->peer.at, "127.0.0.1");
    assert_int_equal(r->source, 7);
    assert_int_equal(r->format, FORMAT_SYSLOG);
    assert_int_equal(r->flags, 0);
    assert_true(r->receive_us > INT64_C(1500000000000000));
    source_stop(d.source);
    assert_accounted(&d);
    assert_true(door_metric(&d, "source_received_total", NULL) == 6);
    assert_true(door_metric(&d, "source_dropped_total", "reason=\"empty\"") == 3);
    assert_int_equal(lost(&d, DROPS_EMPTY), 3);
    (void)close(fd);
    door_close(&d);
}

static void test_udp_keeps_what_the_kernel_holds_at_the_stop(void **state)
{
    (void)state;
    struct door d;
    assert_int_equal(door_open(&d, "syslog_udp: {listen: '127.0.0.1:0', durability: none}"), 0);
    int fd = door_connect(&d, SOCK_DGRAM);
    for (int i = 0; i < 2000; i++)
        door_send(fd, TEXT("<13>a message that was sent before the stop"));
    source_stop(d.source);
    assert_accounted(&d);
    assert_true(door_metric(&d, "source_received_total", NULL) == 2000);
    assert_int_equal(d.collector.count, 2000);
    assert_int_equal(d.collector.records[0].flags, RECORD_EXEMPT);
    (void)close(fd);
    door_close(&d);
}

static void test_udp_counts_what_the_kernel_drops(void **state)
{
    (void)state;
    struct door d;
    assert_int_equal(door_open(&d, "syslog_udp: {listen: '127.0.0.1:0', sockets: 1, "
                                   "receive_buffer: 4096}"),
                     0);
    collector_shut(&d.collector, true);
    int fd = door_connect(&d, SOCK_DGRAM);
    char big[1000];
    memset(big, 'x', sizeof big);
    for (int i = 0; i < 2000; i++)
        door_send(fd, (struct text){big, sizeof big});
    assert_true(door_metric(&d, "source_dropped_total", "reason=\"kernel\"") > 0);
    collector_shut(&d.collector, false);
    source_stop(d.source);
    assert_accounted(&d);
    assert_true(door_metric(&d, "source_received_total", NULL) == 2000);
    (void)close(fd);
    door_close(&d);
}

static void test_udp_cuts_long_messages(void **state)
{
    (void)state;
    struct door d;
    assert_int_equal(door_open(&d, "syslog_udp: {listen: '127.0.0.1:0', max_message: 480}"), 0);
    int fd = door_connect(&d, SOCK_DGRAM);
    char big[1000];
    memset(big, 'x', sizeof big);
    door_send(fd, (struct text){big, sizeof big});
    assert_int_equal(collector_wait(&d.collector, 1), 1);
    assert_int_equal(d.collector.records[0].raw.len, 480);
    assert_int_equal(d.collector.records[0].flags, RECORD_TRUNCATED);
    assert_true(door_metric(&d, "source_truncated_total", NULL) == 1);
    (void)close(fd);
    door_close(&d);
}

static void test_allow_list(void **state)
{
    (void)state;
    struct door d;
    assert_int_equal(door_open(&d, "syslog_udp: {listen: '0.0.0.0:0', allow: [10.0.0.0/8]}"), 0);
    int fd = door_connect(&d, SOCK_DGRAM);
    door_send(fd, TEXT("<13>not from there"));
    source_stop(d.source);
    assert_int_equal(d.collector.count, 0);
    assert_true(door_metric(&d, "source_dropped_total", "reason=\"denied\"") == 1);
    assert_int_equal(lost(&d, DROPS_DENIED), 1);
    assert_accounted(&d);
    (void)close(fd);
    door_close(&d);

    assert_int_equal(door_open(&d, "syslog_tcp: {listen: '0.0.0.0:0', allow: [10.0.0.0/8]}"), 0);
    fd = door_connect(&d, SOCK_STREAM);
    assert_true(door_is_closed(fd));
    assert_true(door_metric(&d, "source_connections_refused_total", NULL) == 1);
    assert_int_equal(lost(&d, DROPS_BARRED), 1);
    (void)close(fd);
    door_close(&d);
}

static void test_tcp_framings(void **state)
{
    (void)state;
    struct door d;
    assert_int_equal(door_open(&d, "syslog_tcp: {listen: '127.0.0.1:0'}"), 0);
    int counted = door_connect(&d, SOCK_STREAM);
    int lines = door_connect(&d, SOCK_STREAM);
    door_send(counted, TEXT("7 <13>one8 <13>t\no!"));
    assert_int_equal(collector_wait(&d.collector, 2), 2);
    door_send(lines, TEXT("<13>three\n<13>fo"));
    assert_int_equal(collector_wait(&d.collector, 3), 3);
    door_send(lines, TEXT("ur\n<13>five, unfinished"));
    assert_int_equal(collector_wait(&d.collector, 4), 4);
    (void)close(lines);
    assert_int_equal(collector_wait(&d.collector, 5), 5);
    assert_raw(&d, 0, "<13>one");
    assert_raw(&d, 1, "<13>t\no!");
    assert_raw(&d, 2, "<13>three");
    assert_raw(&d, 3, "<13>four");
    assert_raw(&d, 4, "<13>five, unfinished");
    assert_int_equal(d.collector.records[0].flags, 0);
    (void)close(counted);
    source_stop(d.source);
    assert_accounted(&d);
    assert_true(door_metric(&d, "source_connections_total", NULL) == 2);
    assert_true(door_metric(&d, "source_connections", NULL) == 0);
    door_close(&d);
}

static void test_tcp_many_messages_in_order(void **state)
{
    (void)state;
    struct door d;
    enum { COUNT = 20000 };
    assert_int_equal(door_open(&d, "syslog_tcp: {listen: '127.0.0.1:0'}"), 0);
    int fd = door_connect(&d, SOCK_STREAM);
    for (int i = 0; i < COUNT; i++) {
        char line[64];
        int len = snprintf(line, sizeof line, "<13>message %d\n", i);
        door_send(fd, (struct text){line, (size_t)len});
    }
    assert_int_equal(collector_wait(&d.collector, COUNT), COUNT);
    for (int i = 0; i < COUNT; i++) {
        char want[64];
        (void)snprintf(want, sizeof want, "<13>message %d", i);
        assert_raw(&d, (size_t)i, want);
    }
    (void)close(fd);
    source_stop(d.source);
    assert_accounted(&d);
    door_close(&d);
}

static void test_tcp_is_not_read_without_a_batch(void **state)
{
    (void)state;
    struct door d;
    assert_int_equal(door_open(&d, "syslog_tcp: {listen: '127.0.0.1:0'}"), 0);
    (void)pthread_mutex_lock(&d.collector.lock);
    d.collector.max_batches = 1;
    (void)pthread_mutex_unlock(&d.collector.lock);
    int fd = door_connect(&d, SOCK_STREAM);
    collector_shut(&d.collector, true);
    char line[1001];
    memset(line, 'x', sizeof line);
    line[1000] = '\n';
    /* once the buffers on the way are full the sender is held back */
    size_t sent = 0;
    ssize_t n = 1;
    for (int misses = 0; misses < 3; misses += n <= 0) {
        struct timeval most = {0, 200000};
        (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &most, sizeof most);
        n = send(fd, line + sent % sizeof line, sizeof line - sent % sizeof line, MSG_NOSIGNAL);
        sent += n > 0 ? (size_t)n : 0;
        assert_true(sent < 64 << 20);
    }
    collector_shut(&d.collector, false);
    (void)close(fd);
    size_t want = (sent + 1000) / 1001;
    assert_int_equal(collector_wait(&d.collector, want), want);
    door_close(&d);
}

static void test_tcp_hostile_frames(void **state)
{
    (void)state;
    struct door d;
    assert_int_equal(door_open(&d, "syslog_tcp: {listen: '127.0.0.1:0'}"), 0);
    int huge = door_connect(&d, SOCK_STREAM);
    door_send(huge, TEXT("4294967296 <13>a frame that claims 4 GB"));
    int slow = door_connect(&d, SOCK_STREAM);
    static const char message[] = "<13>a byte a time\n";
    int one = 1;
    (void)setsockopt(slow, IPPROTO_TCP, 1, &one, sizeof one); /* TCP_NODELAY */
    for (size_t i = 0; i + 1 < sizeof message; i++)
        door_send(slow, (struct text){message + i, 1});
    int nul = door_connect(&d, SOCK_STREAM);
    door_send(nul, TEXT("22 <13>with a NUL \0 inside"));
    assert_true(collector_wait(&d.collector, 2) >= 2);
    bool has_slow = false;
    bool has_nul = false;
    for (size_t i = 0; i < d.collector.count; i++) {
        struct text raw = d.collector.records[i].raw;
        has_slow |= text_equal(raw, TEXT("<13>a byte a time"));
        has_nul |= raw.len == 22 && memchr(raw.at, 0, 22);
    }
    assert_true(has_slow && has_nul);
    (void)close(huge);
    (void)close(slow);
    (void)close(nul);
    source_stop(d.source);
    assert_accounted(&d);
    door_close(&d);
}

static void test_tcp_limits_connections(void **state)
{
    (void)state;
    struct door d;
    assert_int_equal(door_open(&d, "syslog_tcp: {listen: '127.0.0.1:0', max_connections: 2}"), 0);
    int first = door_connect(&d, SOCK_STREAM);
    int second = door_connect(&d, SOCK_STREAM);
    door_send(first, TEXT("<13>first\n"));
    door_send(second, TEXT("<13>second\n"));
    assert_int_equal(collector_wait(&d.collector, 2), 2);
    int third = door_connect(&d, SOCK_STREAM);
    assert_true(door_is_closed(third));
    assert_int_equal(lost(&d, DROPS_CROWDED), 1);
    door_send(first, TEXT("<13>still here\n"));
    assert_int_equal(collector_wait(&d.collector, 3), 3);
    (void)close(first);
    (void)close(second);
    (void)close(third);
    door_close(&d);
}

/* Who was silent longest makes room, and nobody else; what he had sent stays. */
static void test_tcp_the_silent_make_room(void **state)
{
    (void)state;
    struct door d;
    assert_int_equal(
        door_open(&d, "syslog_tcp: {listen: '127.0.0.1:0', max_connections: 2, evict: 100ms}"), 0);
    int silent = door_connect(&d, SOCK_STREAM);
    door_send(silent, TEXT("<13>whole\n<13>its end does not come"));
    int talking = door_connect(&d, SOCK_STREAM);
    size_t said = 1;
    bool is_closed = false;
    while (!is_closed) { /* one more asks until the silent one is gone; the other one talks on */
        door_send(talking, TEXT("<13>talking\n"));
        said++;
        assert_true(collector_wait(&d.collector, said) >= said);
        int more = door_connect(&d, SOCK_STREAM);
        struct pollfd gone = {.fd = silent, .events = POLLIN};
        is_closed = poll(&gone, 1, 20) == 1;
        if (!is_closed)
            assert_true(door_is_closed(more));
        (void)close(more);
    }
    door_send(talking, TEXT("<13>talking\n"));
    (void)collector_wait(&d.collector, said + 2); /* and the silent one's rest */
    source_stop(d.source);
    bool has_rest = false;
    for (size_t i = 0; i < d.collector.count; i++)
        has_rest |= text_equal(d.collector.records[i].raw, TEXT("<13>its end does not come"));
    assert_true(has_rest);
    assert_true(door_metric(&d, "source_connections_idle_total", NULL) == 1);
    assert_accounted(&d);
    (void)close(silent);
    (void)close(talking);
    door_close(&d);
}

static void test_tcp_closes_the_silent(void **state)
{
    (void)state;
    struct door d;
    assert_int_equal(door_open(&d, "syslog_tcp: {listen: '127.0.0.1:0', idle: 100ms}"), 0);
    int fd = door_connect(&d, SOCK_STREAM);
    door_send(fd, TEXT("<13>then nothing"));
    assert_true(door_is_closed(fd));
    assert_int_equal(collector_wait(&d.collector, 1), 1);
    assert_true(door_metric(&d, "source_connections_idle_total", NULL) == 1);
    (void)close(fd);
    door_close(&d);
}

static void test_busy_port(void **state)
{
    (void)state;
    struct door d, other;
    for (int i = 0; i < 2; i++) {
        const char *kind = i ? "syslog_tcp" : "syslog_udp";
        char yaml[128];
        (void)snprintf(yaml, sizeof yaml, "%s: {listen: '127.0.0.1:0'}", kind);
        assert_int_equal(door_open(&d, yaml), 0);
        (void)snprintf(yaml, sizeof yaml, "%s: {listen: '%s'}", kind, source_address(d.source));
        assert_int_equal(door_open(&other, yaml), STATUS_IO);
        assert_non_null(strstr(other.error.text, "is in use by another program: stop it or set"));
        assert_non_null(strstr(other.error.text, source_address(d.source)));
        door_close(&other);
        door_close(&d);
    }
}

struct refusal {
    const char *name, *yaml;
    enum status want;
    const char *says;
};
static const struct refusal refusals[] = {
    {"refused: unknown kind", "syslog_pigeon: {}", STATUS_INVALID, "no kind of source"},
    {"refused: unknown key", "syslog_udp: {lisen: '127.0.0.1:0'}", STATUS_INVALID, "listen"},
    {"refused: off loopback", "syslog_udp: {listen: '0.0.0.0:0'}", STATUS_DENIED, "allow"},
    {"refused: both families off loopback", "syslog_tcp: {listen: '*:0'}", STATUS_DENIED, "allow"},
    {"refused: no address", "syslog_tcp: {listen: somewhere}", STATUS_INVALID, "no address"},
    {"refused: bad network", "syslog_tcp: {allow: [10.0.0.0/33]}", STATUS_INVALID, "no network"},
    {"refused: bad durability", "syslog_tcp: {durability: maybe}", STATUS_INVALID, "durability"},
    {"refused: list", "[syslog_tcp]", STATUS_INVALID, "one key"},
};

static void test_refused(void **state)
{
    const struct refusal *row = *state;
    struct door d;
    assert_int_equal(door_open(&d, row->yaml), row->want);
    assert_null(d.source);
    assert_non_null(strstr(d.error.text, row->says));
    assert_true(d.error.line == 1);
    door_close(&d);
}

static void test_ipv6_and_mapped(void **state)
{
    (void)state;
    struct door d;
    if (door_open(&d, "syslog_udp: {listen: '*:0', allow: ['127.0.0.0/8']}") != STATUS_OK) {
        door_close(&d);
        SKIP_BECAUSE("no IPv6 here");
    }
    int fd = door_connect(&d, SOCK_DGRAM);
    door_send(fd, TEXT("<13>mapped"));
    assert_int_equal(collector_wait(&d.collector, 1), 1);
    assert_string_equal(d.collector.records[0].peer.at, "127.0.0.1");
    (void)close(fd);
    door_close(&d);
}

static void test_options_are_printed(void **state)
{
    (void)state;
    struct buffer out;
    buffer_init(&out, 1 << 20);
    source_print_options(&out);
    buffer_byte(&out, 0);
    assert_non_null(strstr(out.at, "syslog_udp:"));
    assert_non_null(strstr(out.at, "listen: "));
    assert_non_null(strstr(out.at, "durability: batch"));
    buffer_fini(&out);
}

int main(void)
{
    struct CMUnitTest tests[32] = {
        cmocka_unit_test(test_udp),
        cmocka_unit_test(test_udp_keeps_what_the_kernel_holds_at_the_stop),
        cmocka_unit_test(test_udp_counts_what_the_kernel_drops),
        cmocka_unit_test(test_udp_cuts_long_messages),
        cmocka_unit_test(test_allow_list),
        cmocka_unit_test(test_tcp_framings),
        cmocka_unit_test(test_tcp_many_messages_in_order),
        cmocka_unit_test(test_tcp_is_not_read_without_a_batch),
        cmocka_unit_test(test_tcp_hostile_frames),
        cmocka_unit_test(test_tcp_limits_connections),
        cmocka_unit_test(test_tcp_the_silent_make_room),
        cmocka_unit_test(test_tcp_closes_the_silent),
        cmocka_unit_test(test_busy_port),
        cmocka_unit_test(test_ipv6_and_mapped),
        cmocka_unit_test(test_options_are_printed),
    };
    size_t n = 15;
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++)
        tests[n++] = ROW(test_refused, &refusals[i]);
    return _cmocka_run_group_tests("test_source", tests, n, NULL, NULL);
}
