/* SPDX-License-Identifier: Apache-2.0 */
#include "incidents/model/inventory.h"
#include "tests/support/table.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct row {
    const char *name, *yaml;
    enum status want;
    enum entity_kind kind;
    const char *value;
    double criticality;
    bool is_excluded;
} rows[] = {
    {"name", "entities: [{kind: host, name: DB1, criticality: 1.5}]", STATUS_OK, ENTITY_HOST, "db1",
     1.5, false},
    {"other kind", "entities: [{kind: user, name: db1, criticality: 1.5}]", STATUS_OK, ENTITY_HOST,
     "db1", 1, false},
    {"pattern", "entities: [{pattern: 'svc-*-?', exclude: true}]", STATUS_OK, ENTITY_USER,
     "svc-backup-1", 1, true},
    {"pattern misses", "entities: [{pattern: 'svc-*-?', exclude: true}]", STATUS_OK, ENTITY_USER,
     "svc-backup", 1, false},
    {"cidr", "entities: [{cidr: 10.0.0.0/9, exclude: true}]", STATUS_OK, ENTITY_ADDRESS,
     "10.127.255.255", 1, true},
    {"cidr misses", "entities: [{cidr: 10.0.0.0/9, exclude: true}]", STATUS_OK, ENTITY_ADDRESS,
     "10.128.0.0", 1, false},
    {"cidr six", "entities: [{cidr: '2001:db8::/33', exclude: true}]", STATUS_OK, ENTITY_ADDRESS,
     "2001:db8:7fff::1", 1, true},
    {"cidr is no name", "entities: [{cidr: 10.0.0.0/8, exclude: true}]", STATUS_OK, ENTITY_HOST,
     "ten", 1, false},
    {"first wins", "entities: [{name: a, criticality: 2}, {name: a, criticality: 0.5}]", STATUS_OK,
     ENTITY_HOST, "a", 2, false},
    {"unknown key", "entities: [{nam: a}]", STATUS_INVALID, ENTITY_HOST, "", 0, false},
    {"two ways", "entities: [{name: a, cidr: 10.0.0.0/8}]", STATUS_INVALID, ENTITY_HOST, "", 0,
     false},
    {"bad network", "entities: [{cidr: 10.0.0.0/33}]", STATUS_INVALID, ENTITY_HOST, "", 0, false},
    {"too critical", "entities: [{name: a, criticality: 3}]", STATUS_INVALID, ENTITY_HOST, "", 0,
     false},
    {"no list", "entity: []", STATUS_INVALID, ENTITY_HOST, "", 0, false},
};

static void test_read(void **state)
{
    const struct row *row = *state;
    char path[] = "/tmp/tocsin-inventory-XXXXXX";
    int fd = mkstemp(path);
    struct error err = {0};
    AUTO(inventory) r = NULL;
    assert_true(fd >= 0);
    assert_int_equal(write(fd, row->yaml, strlen(row->yaml)), (ssize_t)strlen(row->yaml));
    close(fd);
    enum status s = inventory_new(path, &r, &err);
    unlink(path);
    assert_int_equal(s, row->want);
    assert_int_equal(r != NULL, s == STATUS_OK);
    if (s != STATUS_OK) {
        assert_true(strstr(err.text, path) != NULL);
        return;
    }
    const struct inventory_entry *e = inventory_find(r, row->kind, text_of(row->value));
    assert_true(e->criticality > row->criticality - 1e-9 &&
                e->criticality < row->criticality + 1e-9);
    assert_int_equal(e->is_excluded, row->is_excluded);
}

static void test_nobody(void **state)
{
    (void)state;
    static const struct {
        enum entity_kind kind;
        const char *value;
        bool is_nobody;
    } all[] = {
        {ENTITY_ADDRESS, "", true},          {ENTITY_ADDRESS, "-", true},
        {ENTITY_ADDRESS, "127.0.0.5", true}, {ENTITY_ADDRESS, "::1", true},
        {ENTITY_ADDRESS, "0.0.0.0", true},   {ENTITY_ADDRESS, "192.0.2.1", false},
        {ENTITY_USER, "SYSTEM", true},       {ENTITY_USER, "NT AUTHORITY\\SYSTEM", true},
        {ENTITY_USER, "CORP\\WEB1$", true},  {ENTITY_USER, "CORP\\ada", false},
        {ENTITY_USER, "unknown@web1", true}, {ENTITY_USER, "ada@web1", false},
        {ENTITY_HOST, "localhost", true},    {ENTITY_HOST, "web1", false},
    };
    for (size_t n = 0; n < sizeof all / sizeof all[0]; n++)
        assert_int_equal(inventory_is_nobody(all[n].kind, text_of(all[n].value)), all[n].is_nobody);
}

static void test_missing_file(void **state)
{
    (void)state;
    AUTO(inventory) r = NULL;
    struct error err = {0};
    assert_int_equal(inventory_new("/nowhere/entities.yml", &r, &err), STATUS_IO);
    assert_int_equal(inventory_new(NULL, &r, &err), STATUS_OK);
}

int main(void)
{
    struct CMUnitTest tests[32];
    size_t n = 0;
    for (size_t r = 0; r < sizeof rows / sizeof rows[0]; r++)
        tests[n++] = ROW(test_read, &rows[r]);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_nobody);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_missing_file);
    return _cmocka_run_group_tests("test_inventory", tests, n, NULL, NULL);
}
