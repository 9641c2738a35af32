/* SPDX-License-Identifier: Apache-2.0 */
#include "sinks/signature.h"
#include "tests/support/table.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct secret_list secrets_of(const char *const *texts)
{
    struct secret_list list = {0};
    for (; *texts; texts++) {
        char *copy = strdup(*texts);
        assert_non_null(copy);
        list.items[list.count++] = (struct secret){copy, strlen(copy)};
    }
    return list;
}

static void check(const char *const *secrets, const char *want)
{
    struct secret_list list = secrets_of(secrets);
    struct buffer out;
    buffer_init(&out, 1024);
    assert_true(signature_write(&list, TEXT("msg_p5jXN8AQM9LWM0D4loKWxJek"), 1614265330,
                                TEXT("{\"test\": 2432232314}"), &out));
    assert_true(text_equal(buffer_text(&out), text_of(want)));
    buffer_fini(&out);
    secret_fini(&list);
}

/* The vector that Standard Webhooks publish. */
static void test_published_vector(void **state)
{
    (void)state;
    check((const char *const[]){"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", NULL},
          "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

static void test_two_secrets_give_two_signatures(void **state)
{
    (void)state;
    /* the second computed with Python's hmac over the same content */
    check((const char *const[]){"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "plain secret", NULL},
          "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE= "
          "v1,gke7k785FD6W2FuaDcrvG3sQcmFE9YVaaAmarK4oi68=");
}

static const struct row {
    const char *name, *secret;
    bool is_good;
} rows[] = {
    {"secret: base64", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", true},
    {"secret: base64 with padding", "whsec_YQ==", true},
    {"secret: base64 without it", "whsec_YQ", true},
    {"secret: nothing behind the prefix", "whsec_", false},
    {"secret: not base64", "whsec_a b", false},
    {"secret: one digit too many", "whsec_YWFhY", false},
    {"secret: its own bytes", "anything, really", true},
};

static void test_secret(void **state)
{
    const struct row *row = *state;
    struct secret_list list = secrets_of((const char *const[]){row->secret, NULL});
    assert_int_equal(signature_is_secret(&list.items[0]), row->is_good);
    secret_fini(&list);
}

static void test_file_gives_a_secret_a_line(void **state)
{
    (void)state;
    char path[] = "/tmp/tocsin-secret-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "one\n\n  two \r\n", 13), 13);
    struct secret_list list = {0};
    struct error err = {0};
    assert_int_equal(secret_load(&list, path, &err), STATUS_OK);
    assert_int_equal(list.count, 2);
    assert_string_equal(list.items[0].at, "one");
    assert_string_equal(list.items[1].at, "two");
    secret_fini(&list);
    assert_int_equal(ftruncate(fd, 0), 0);
    assert_int_equal(secret_load(&list, path, &err), STATUS_INVALID);
    assert_non_null(strstr(err.text, path));
    assert_int_equal(unlink(path), 0);
    assert_int_equal(secret_load(&list, path, &err), STATUS_IO);
    (void)close(fd);
}

int main(void)
{
    enum { COUNT = sizeof rows / sizeof *rows };
    struct CMUnitTest tests[COUNT + 3] = {
        cmocka_unit_test(test_published_vector),
        cmocka_unit_test(test_two_secrets_give_two_signatures),
        cmocka_unit_test(test_file_gives_a_secret_a_line),
    };
    for (size_t i = 0; i < COUNT; i++)
        tests[3 + i] = ROW(test_secret, &rows[i]);
    return cmocka_run_group_tests_name("test_signature", tests, NULL, NULL);
}
