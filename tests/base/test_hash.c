/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hash.h"
#include "tests/support/table.h"
#include <stdio.h>
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

static void reseed(uint64_t n)
{
    const uint64_t secret[3] = {hash_mix(n), hash_mix(n + 1), hash_mix(n + 2)};
    hash_reseed(secret);
}

enum { MANY = 4096 };

/* Places of MANY keys in a table of four times as many: how many different ones. */
static unsigned different(const uint64_t *places)
{
    static unsigned char seen[4 * MANY];
    unsigned count = 0;
    memset(seen, 0, sizeof seen);
    for (unsigned i = 0; i < MANY; i++) {
        count += !seen[places[i] % (4 * MANY)];
        seen[places[i] % (4 * MANY)] = 1;
    }
    return count;
}

/* Random places: 4 * (1 - e^-1/4) * MANY = 0.885 of them differ. */
static void assert_spread(const uint64_t *places)
{
    assert_in_range(different(places), MANY * 85 / 100, MANY * 92 / 100);
}

/* Names that were sought until their fixed hashes fell together, as somebody from outside would. */
static void test_sought_bytes_fall_apart(void **state)
{
    (void)state;
    static uint64_t fixed[MANY], first[MANY], second[MANY];
    char name[32];
    unsigned count = 0;
    for (unsigned i = 0; count < MANY; i++) {
        size_t len = (size_t)snprintf(name, sizeof name, "h%u.example", i);
        uint64_t hash = hash_bytes(name, len, 7);
        if (hash % 512)
            continue;
        fixed[count] = hash / 512 % 2; /* what is left of a table of 1,024 */
        reseed(1);
        first[count] = hash_seeded(name, len, 7);
        reseed(2);
        second[count++] = hash_seeded(name, len, 7);
    }
    assert_in_range(different(fixed), 1, 2);
    assert_spread(first);
    assert_spread(second);
    assert_memory_not_equal(first, second, sizeof first);
}

/* One factor made zero wipes out the seed, and every text before it: hash_bytes knows no cure. */
static void test_no_bytes_wipe_out_the_secret(void **state)
{
    (void)state;
    static const struct {
        uint64_t constant;
        size_t front, len; /* where the constant stands */
    } rows[] = {
        {UINT64_C(0xA0761D6478BD642F), 8, 16},
        {UINT64_C(0xE7037ED1A0B428DB), 16, 24},
    };
    for (size_t r = 0; r < sizeof rows / sizeof *rows; r++) {
        static uint64_t fixed[MANY], places[MANY];
        for (unsigned i = 0; i < MANY; i++) {
            char bytes[24] = {0};
            memcpy(bytes, &i, sizeof i);
            memcpy(bytes + rows[r].front, &rows[r].constant, 8);
            fixed[i] = hash_bytes(bytes, rows[r].len, 99);
            reseed(3);
            places[i] = hash_seeded(bytes, rows[r].len, 99);
        }
        assert_in_range(different(fixed), 1, 1);
        assert_spread(places);
    }
}

/* Keys of windows and ids: any 32 bits of either half can be sought. */
static void test_sought_keys_fall_apart(void **state)
{
    (void)state;
    static uint64_t places[MANY];
    for (unsigned row = 0; row < 4; row++) {
        for (uint64_t i = 0; i < MANY; i++) {
            uint64_t free_half = hash_mix(i);
            struct hash128 key = {row & 1 ? i << 32 : free_half, row & 2 ? i << 32 : free_half};
            reseed(row + 10);
            places[i] = hash_home(key);
        }
        assert_spread(places);
    }
}

/* A salt is another table: the same names lie elsewhere, and no name and salt stand for others. */
static void test_salts_part(void **state)
{
    (void)state;
    static uint64_t places[MANY];
    reseed(20);
    for (uint64_t i = 0; i < MANY; i++) {
        uint64_t word = i ^ 0x61616161;
        places[i] = hash_seeded(&word, sizeof word, i);
    }
    assert_spread(places);
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
        cmocka_unit_test(test_sought_bytes_fall_apart),
        cmocka_unit_test(test_no_bytes_wipe_out_the_secret),
        cmocka_unit_test(test_sought_keys_fall_apart),
        cmocka_unit_test(test_salts_part),
        cmocka_unit_test(test_hex_refuses),
    };
    return cmocka_run_group_tests_name("test_hash", tests, NULL, NULL);
}
