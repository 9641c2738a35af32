/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hash.h"
#include "tests/support/table.h"
#include <string.h>

static struct hash128 of_parts(const char *a, const char *b)
{
    struct hasher h;
    hash_start(&h);
    hash_part_text(&h, text_of(a));
    hash_part_text(&h, text_of(b));
    return hash_end(&h);
}

static void test_parts_have_edges(void **state)
{
    (void)state;
    assert_false(hash_equal(of_parts("ab", "c"), of_parts("a", "bc")));
    assert_false(hash_equal(of_parts("", "abc"), of_parts("abc", "")));
    assert_true(hash_equal(of_parts("ab", "c"), of_parts("ab", "c")));
}

/* Ids and checkpoints on disk depend on these bytes: they must never change. */
static void test_hash_is_stable(void **state)
{
    (void)state;
    char hex[33];
    struct hash128 back;
    hash_to_hex(of_parts("rule", "192.0.2.7"), hex);
    assert_true(hash_from_hex(text_of(hex), &back));
    assert_true(hash_equal(back, of_parts("rule", "192.0.2.7")));
    assert_string_equal(hex, "d7b617f00d7c29403756256c317fd254");
}

static void test_pieces_do_not_matter(void **state)
{
    (void)state;
    char bytes[257];
    memset(bytes, 'x', sizeof bytes);
    for (size_t len = 0; len < sizeof bytes; len++) {
        struct hasher whole;
        hash_start(&whole);
        hash_part(&whole, bytes, len);
        struct hash128 once = hash_end(&whole);
        bytes[len / 2] ^= 1;
        struct hasher other;
        hash_start(&other);
        hash_part(&other, bytes, len);
        assert_int_equal(hash_equal(once, hash_end(&other)), len / 2 >= len);
        bytes[len / 2] ^= 1;
    }
}

static void test_hex_refuses(void **state)
{
    (void)state;
    struct hash128 h;
    assert_false(hash_from_hex(TEXT("00"), &h));
    assert_false(hash_from_hex(TEXT("0123456789abcdef0123456789abcdeg"), &h));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parts_have_edges),
        cmocka_unit_test(test_hash_is_stable),
        cmocka_unit_test(test_pieces_do_not_matter),
        cmocka_unit_test(test_hex_refuses),
    };
    return cmocka_run_group_tests_name("test_hash", tests, NULL, NULL);
}
