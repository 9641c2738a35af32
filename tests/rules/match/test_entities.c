/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/match/entities.h"
#include "tests/support/table.h"

static const struct row {
    const char *name;
    enum entity_kind kind;
    const char *value;
    bool is_nobody;
} rows[] = {
    {"empty", ENTITY_USER, "", true},
    {"dash", ENTITY_ADDRESS, "-", true},
    {"unknown", ENTITY_HOST, "Unknown", true},
    {"loopback", ENTITY_ADDRESS, "127.8.8.8", true},
    {"loopback v6", ENTITY_ADDRESS, "::1", true},
    {"mapped loopback", ENTITY_ADDRESS, "::ffff:127.0.0.1", true},
    {"unspecified", ENTITY_ADDRESS, "0.0.0.0", true},
    {"unspecified v6", ENTITY_ADDRESS, "::", true},
    {"an address", ENTITY_ADDRESS, "192.0.2.1", false},
    {"system", ENTITY_USER, "SYSTEM", true},
    {"system of a domain", ENTITY_USER, "NT AUTHORITY\\SYSTEM", true},
    {"network service", ENTITY_USER, "NT AUTHORITY\\NETWORK SERVICE", true},
    {"machine account", ENTITY_USER, "CORP\\WEB1$", true},
    {"a user", ENTITY_USER, "CORP\\alice", false},
    {"root is somebody", ENTITY_USER, "root", false},
    {"localhost", ENTITY_HOST, "localhost", true},
    {"a host", ENTITY_HOST, "web1", false},
    {"a host by address", ENTITY_HOST, "192.0.2.1", false},
};

static void test_nobody(void **state)
{
    const struct row *row = *state;
    assert_int_equal(entities_is_nobody(row->kind, text_of(row->value)), row->is_nobody);
}

int main(void)
{
    enum { COUNT = sizeof rows / sizeof *rows };
    struct CMUnitTest tests[COUNT];
    for (size_t i = 0; i < COUNT; i++)
        tests[i] = ROW(test_nobody, &rows[i]);
    return _cmocka_run_group_tests("test_entities", tests, COUNT, NULL, NULL);
}
