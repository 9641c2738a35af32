/* SPDX-License-Identifier: Apache-2.0 */
#include "ingest/door/allow_list.h"
#include "tests/support/table.h"
#include <string.h>

struct row {
    const char *name, *network, *address;
    bool want;
};
static const struct row rows[] = {
    {"allow: inside", "10.0.0.0/8", "10.255.0.1", true},
    {"allow: outside", "10.0.0.0/8", "11.0.0.1", false},
    {"allow: odd prefix, inside", "192.0.2.128/25", "192.0.2.200", true},
    {"allow: odd prefix, outside", "192.0.2.128/25", "192.0.2.100", false},
    {"allow: single", "192.0.2.7", "192.0.2.7", true},
    {"allow: single, another", "192.0.2.7", "192.0.2.8", false},
    {"allow: mapped address", "192.0.2.0/24", "::ffff:192.0.2.9", true},
    {"allow: everybody of IPv4", "0.0.0.0/0", "203.0.113.1", true},
    {"allow: IPv4 for all, IPv6 asks", "0.0.0.0/0", "2001:db8::1", false},
    {"allow: IPv6", "2001:db8::/32", "2001:db8:ffff::1", true},
    {"allow: IPv6, outside", "2001:db8::/32", "2001:db9::1", false},
    {"allow: IPv6 for all, IPv4 asks", "::/0", "192.0.2.1", true},
    {"allow: no address", "0.0.0.0/0", "somebody", false},
    {"allow: empty address", "0.0.0.0/0", "", false},
};

static void test_has(void **state)
{
    const struct row *row = *state;
    const struct text network = {row->network, strlen(row->network)};
    const struct option_texts networks = {&network, 1};
    AUTO(allow_list) a = NULL;
    assert_int_equal(allow_list_new(&networks, &a, NULL), STATUS_OK);
    assert_int_equal(allow_list_has_text(a, text_of(row->address)), row->want);
}

struct fault {
    const char *name, *network;
};
static const struct fault faults[] = {
    {"refused: a word", "everybody"},
    {"refused: prefix too long", "10.0.0.0/33"},
    {"refused: IPv6 prefix", "::1/129"},
    {"refused: no prefix", "10.0.0.0/"},
    {"refused: negative", "10.0.0.0/-1"},
    {"refused: half an address", "10.0.0/8"},
    {"refused: nothing", ""},
};

static void test_refused(void **state)
{
    const struct fault *row = *state;
    const struct text network = {row->network, strlen(row->network)};
    const struct option_texts networks = {&network, 1};
    struct allow_list *a = NULL;
    assert_int_equal(allow_list_new(&networks, &a, NULL), STATUS_INVALID);
    assert_null(a);
}

struct place {
    const char *name, *text, *want; /* NULL: refused */
    bool is_loopback;
};
static const struct place places[] = {
    {"endpoint: IPv4", "127.0.0.1:514", "127.0.0.1:514", true},
    {"endpoint: all of 127/8", "127.9.9.9:1", "127.9.9.9:1", true},
    {"endpoint: IPv6", "[::1]:514", "[::1]:514", true},
    {"endpoint: both families", "*:514", "[::]:514", false},
    {"endpoint: all of IPv4", "0.0.0.0:514", "0.0.0.0:514", false},
    {"endpoint: localhost", "localhost:0", "127.0.0.1:0", true},
    {"endpoint: no port", "127.0.0.1", NULL, false},
    {"endpoint: port too high", "127.0.0.1:65536", NULL, false},
    {"endpoint: IPv6 without brackets", "::1:514", NULL, false},
    {"endpoint: a name", "tocsin.example.org:514", NULL, false},
    {"endpoint: nothing", "", NULL, false},
};

static void test_endpoint(void **state)
{
    const struct place *row = *state;
    struct endpoint e;
    char text[ENDPOINT_TEXT_LEN];
    enum status status = endpoint_parse(text_of(row->text), &e, NULL);
    assert_int_equal(status, row->want ? STATUS_OK : STATUS_INVALID);
    if (!row->want)
        return;
    endpoint_print(&e, text);
    assert_string_equal(text, row->want);
    assert_int_equal(endpoint_is_loopback(&e), row->is_loopback);
}

int main(void)
{
    struct CMUnitTest tests[64];
    size_t n = 0;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        tests[n++] = ROW(test_has, &rows[i]);
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
        tests[n++] = ROW(test_refused, &faults[i]);
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        tests[n++] = ROW(test_endpoint, &places[i]);
    return _cmocka_run_group_tests("test_allow_list", tests, n, NULL, NULL);
}
