/* SPDX-License-Identifier: Apache-2.0 */
#include "console/listener.h"
#include "tests/support/table.h"
#include <string.h>
#include <unistd.h>

static const struct row {
    const char *name;
    enum status want;
    const char *says; /* the address, or the error */
} rows[] = {
    {"127.0.0.1:0", STATUS_OK, "127.0.0.1:"},
    {"127.0.0.9:0", STATUS_OK, "127.0.0.9:"},
    {"localhost:0", STATUS_OK, "127.0.0.1:"},
    {"0.0.0.0:0", STATUS_DENIED, "not loopback"},
    {"[::]:0", STATUS_DENIED, "not loopback"},
    {"192.0.2.7:8514", STATUS_DENIED, "not loopback"},
    {"[2001:db8::1]:8514", STATUS_DENIED, "not loopback"},
    {":8514", STATUS_INVALID, "127.0.0.1:8514"},
    {"8514", STATUS_INVALID, "127.0.0.1:8514"},
    {"127.0.0.1", STATUS_INVALID, "127.0.0.1:8514"},
    {"127.0.0.1:", STATUS_INVALID, "127.0.0.1:8514"},
    {"127.0.0.1:65536", STATUS_INVALID, "127.0.0.1:8514"},
    {"127.0.0.1:-1", STATUS_INVALID, "127.0.0.1:8514"},
    {"::1:8514", STATUS_INVALID, "127.0.0.1:8514"},
    {"example.org:80", STATUS_INVALID, "127.0.0.1:8514"},
    {"", STATUS_INVALID, "127.0.0.1:8514"},
};

static void test_listen(void **state)
{
    const struct row *row = *state;
    int fd = -1;
    char address[LISTENER_ADDRESS_LEN] = "";
    struct error err = {0};
    assert_int_equal(listener_open(text_of(row->name), false, &fd, address, &err), row->want);
    if (row->want == STATUS_OK) {
        assert_memory_equal(address, row->says, strlen(row->says));
        assert_true(strcmp(strrchr(address, ':'), ":0") != 0);
        assert_int_equal(close(fd), 0);
    } else {
        assert_non_null(strstr(err.text, row->says));
        assert_int_equal(fd, -1);
    }
}

static void test_busy_port_says_what_to_do(void **state)
{
    (void)state;
    int fd = -1;
    int second = -1;
    char address[LISTENER_ADDRESS_LEN], other[LISTENER_ADDRESS_LEN];
    struct error err = {0};
    assert_int_equal(listener_open(TEXT("127.0.0.1:0"), false, &fd, address, NULL), STATUS_OK);
    assert_int_equal(listener_open(text_of(address), false, &second, other, &err), STATUS_EXISTS);
    assert_non_null(strstr(err.text, address));
    assert_non_null(strstr(err.text, "http.listen"));
    assert_int_equal(close(fd), 0);
}

int main(void)
{
    enum { ROWS = sizeof rows / sizeof *rows };
    struct CMUnitTest tests[ROWS + 1];
    for (size_t i = 0; i < ROWS; i++)
        tests[i] = ROW(test_listen, &rows[i]);
    tests[ROWS] = (struct CMUnitTest)cmocka_unit_test(test_busy_port_says_what_to_do);
    return cmocka_run_group_tests_name("test_listener", tests, NULL, NULL);
}
