/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"
#include "journal/crc.h"
#include "journal/journal.h"
#include "journal/journal_dir.h"
#include "journal/segment.h"
#include "tests/support/journal_folder.h"
#include <endian.h>
#include <fcntl.h>

enum { BLOCKS = 4, EACH = 3, RECORDS = BLOCKS * EACH };

struct bytes {
    char *at;
    size_t len;
    char path[128];
};

static struct bytes load(const struct journal_folder *f, uint64_t first_position)
{
    struct bytes b = {0};
    char name[JOURNAL_DIR_NAME];
    struct stat st;
    journal_dir_name(first_position, name);
    (void)snprintf(b.path, sizeof b.path, "%s/%s", f->path, name);
    int fd = open(b.path, O_RDONLY);
    assert_true(fd >= 0 && fstat(fd, &st) == 0);
    b.len = (size_t)st.st_size;
    b.at = malloc(b.len);
    assert_int_equal(read(fd, b.at, b.len), (ssize_t)b.len);
    (void)close(fd);
    return b;
}

static void save(const struct bytes *b, size_t len)
{
    int fd = open(b->path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, b->at, len), (ssize_t)len);
    (void)close(fd);
}

/* RECORDS records in BLOCKS blocks in one file, and that file's bytes. */
static struct bytes make(struct journal_folder *f, bool is_compressed)
{
    AUTO(journal)
    j = journal_folder_open(f, (struct journal_options){.is_compressed = is_compressed});
    for (uint64_t i = 0; i < BLOCKS; i++)
        journal_folder_append(f, j, 1 + i * EACH, EACH);
    journal_close(MOVE(j));
    return load(f, 1);
}

/*
 * After the damage: a reader gives only what was written (checked record by record), at its own
 * position. A journal opened then takes up a new epoch behind what is left, and a reader gives what
 * it gave before and the new record.
 */
static uint64_t check(struct journal_folder *f)
{
    uint64_t last = 0;
    AUTO(journal_reader) before = journal_folder_read(f, 0, TIMESTAMP_NONE);
    uint64_t count = journal_folder_read_all(before, f->batch, NULL, &last);
    AUTO(journal) j = journal_folder_open(f, (struct journal_options){.segment_bytes = 1});
    assert_true(journal_epoch(j) >= 1);
    assert_true(journal_next_position(j) > last);
    journal_folder_append(f, j, 1000, 1);
    uint64_t newest = 0;
    AUTO(journal_reader) after = journal_folder_read(f, 0, TIMESTAMP_NONE);
    assert_int_equal(journal_folder_read_all(after, f->batch, NULL, &newest), count + 1);
    assert_int_equal(newest, 1000);
    return count;
}

static void test_every_flip(void **state)
{
    struct journal_folder *f = *state;
    for (int is_compressed = 0; is_compressed < 2; is_compressed++) {
        struct bytes whole = make(f, is_compressed);
        for (size_t i = 0; i < whole.len; i++) {
            journal_folder_empty(f->path);
            whole.at[i] = (char)(whole.at[i] ^ (1 << (i % 8)));
            save(&whole, whole.len);
            whole.at[i] = (char)(whole.at[i] ^ (1 << (i % 8)));
            uint64_t count = check(f);
            /* one flip costs at most one block */
            assert_true(count == RECORDS || count == RECORDS - EACH);
        }
        free(whole.at);
        journal_folder_empty(f->path);
    }
}

static void test_every_length(void **state)
{
    struct journal_folder *f = *state;
    struct bytes whole = make(f, false);
    uint64_t most = 0;
    for (size_t len = 0; len <= whole.len; len++) {
        journal_folder_empty(f->path);
        save(&whole, len);
        uint64_t count = check(f);
        assert_true(count % EACH == 0 && count >= most);
        most = count;
    }
    assert_int_equal(most, RECORDS);
    free(whole.at);
}

/* What a crash leaves behind the end: zeros of a page that was never written, or anything. */
static void test_garbage_behind(void **state)
{
    struct journal_folder *f = *state;
    for (int byte = 0; byte < 3; byte++) {
        struct bytes whole = make(f, false);
        whole.at = realloc(whole.at, whole.len + 5000);
        assert_non_null(whole.at);
        memset(whole.at + whole.len, byte == 2 ? 'T' : byte * 255, 5000);
        if (byte == 2) /* another block of this file, half of it */
            memcpy(whole.at + whole.len, whole.at + SEGMENT_HEADER_BYTES, 100);
        save(&whole, whole.len + 5000);
        assert_int_equal(check(f), RECORDS);
        free(whole.at);
        journal_folder_empty(f->path);
    }
}

static size_t block_offset(const struct bytes *whole, size_t number)
{
    size_t at = SEGMENT_HEADER_BYTES;
    for (size_t i = 0;; i++) {
        uint8_t header[SEGMENT_BLOCK_BYTES];
        struct segment_block block;
        memcpy(header, whole->at + at, sizeof header);
        assert_int_equal(segment_read_block(header, &block), STATUS_OK);
        if (i == number)
            return at;
        at += SEGMENT_BLOCK_BYTES + block.stored_bytes;
    }
}

/* Blocks 0 is the marks; zeros over the second block of records, header and all. */
static void test_torn_middle(void **state)
{
    struct journal_folder *f = *state;
    struct bytes whole = make(f, false);
    size_t from = block_offset(&whole, 2);
    memset(whole.at + from, 0, block_offset(&whole, 3) - from);
    save(&whole, whole.len);
    AUTO(journal_reader) r = journal_folder_read(f, 0, TIMESTAMP_NONE);
    assert_int_equal(journal_folder_read_all(r, f->batch, NULL, NULL), RECORDS - EACH);
    struct record none;
    assert_int_equal(journal_reader_fetch(r, 3, &f->arena, &none), STATUS_OK);
    assert_int_equal(journal_reader_fetch(r, 4, &f->arena, &none), STATUS_NOTFOUND);
    assert_int_equal(journal_reader_fetch(r, 7, &f->arena, &none), STATUS_OK);
    AUTO(journal_reader) behind = journal_folder_read(f, 5, TIMESTAMP_NONE);
    uint64_t first = 0;
    assert_int_equal(journal_folder_read_all(behind, f->batch, &first, NULL), RECORDS - 2 * EACH);
    assert_int_equal(first, 7);
    free(whole.at);
}

/* A sender that writes a whole block into its message, and a damage right before it. */
static void test_forged_block(void **state)
{
    struct journal_folder *f = *state;
    struct batch *inner = batch_new();
    journal_folder_fill(inner, 500, 1);
    struct buffer forged;
    buffer_init(&forged, 4096);
    buffer_append(&forged, (struct text){"TBLK", 4});
    uint8_t header[SEGMENT_BLOCK_BYTES];
    struct buffer payload;
    buffer_init(&payload, 4096);
    assert_int_equal(segment_pack(inner, &payload), STATUS_OK);
    struct segment_block block = {.first_position = 2,
                                  .count = 1,
                                  .epoch = 1,
                                  .stored_bytes = (uint32_t)payload.len,
                                  .plain_bytes = (uint32_t)payload.len};
    segment_write_block(&block, header);
    buffer_clear(&forged);
    buffer_append(&forged, (struct text){(const char *)header, sizeof header});
    buffer_append(&forged, buffer_text(&payload));

    AUTO(journal) j = journal_folder_open(f, (struct journal_options){.segment_bytes = 1});
    journal_folder_append(f, j, 1, 1);
    batch_reset(f->batch);
    (void)batch_add(f->batch, buffer_text(&forged));
    assert_int_equal(journal_append(j, f->batch, NULL), STATUS_OK);
    journal_folder_append(f, j, 3, 1);
    journal_close(MOVE(j));
    struct bytes whole = load(f, 1);
    whole.at[block_offset(&whole, 2) + 20] ^= 1; /* the block around the forged one */
    save(&whole, whole.len);
    AUTO(journal_reader) r = journal_folder_read(f, 0, TIMESTAMP_NONE);
    assert_int_equal(journal_folder_read_all(r, f->batch, NULL, NULL), 2);
    free(whole.at);
    buffer_fini(&forged);
    buffer_fini(&payload);
    batch_free(inner);
}

/* What a failed cut leaves: blocks that the next file holds too. They are given once. */
static void test_overlap(void **state)
{
    struct journal_folder *f = *state;
    struct bytes whole = make(f, false);
    {
        AUTO(journal) j = journal_folder_open(f, (struct journal_options){.segment_bytes = 1});
        journal_folder_append(f, j, RECORDS + 1, EACH);
    }
    /* the first file again, under the name of a position in its own middle */
    struct bytes middle = whole;
    char name[JOURNAL_DIR_NAME];
    journal_dir_name(1 + EACH, name);
    (void)snprintf(middle.path, sizeof middle.path, "%s/%s", f->path, name);
    save(&middle, middle.len);
    AUTO(journal_reader) r = journal_folder_read(f, 0, TIMESTAMP_NONE);
    assert_int_equal(journal_folder_read_all(r, f->batch, NULL, NULL), RECORDS + EACH);
    free(whole.at);
}

static void test_later_version(void **state)
{
    struct journal_folder *f = *state;
    struct bytes whole = make(f, false);
    uint8_t header[SEGMENT_HEADER_BYTES];
    memcpy(header, whole.at, sizeof header);
    header[8] = 2;
    uint32_t crc = htole32(crc_of(header, 60, 0));
    memcpy(header + 60, &crc, sizeof crc);
    memcpy(whole.at, header, sizeof header);
    save(&whole, whole.len);
    struct error err = {0};
    struct journal_options options = {.dir = f->path};
    AUTO(journal) j = NULL;
    assert_int_equal(journal_open(&options, &j, &err), STATUS_UNSUPPORTED);
    free(whole.at);
}

int main(void)
{
    log_set_level(LOG_ERROR); /* thousands of damages are told */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_every_flip, journal_folder_set_up,
                                        journal_folder_tear_down),
        cmocka_unit_test_setup_teardown(test_every_length, journal_folder_set_up,
                                        journal_folder_tear_down),
        cmocka_unit_test_setup_teardown(test_garbage_behind, journal_folder_set_up,
                                        journal_folder_tear_down),
        cmocka_unit_test_setup_teardown(test_torn_middle, journal_folder_set_up,
                                        journal_folder_tear_down),
        cmocka_unit_test_setup_teardown(test_forged_block, journal_folder_set_up,
                                        journal_folder_tear_down),
        cmocka_unit_test_setup_teardown(test_overlap, journal_folder_set_up,
                                        journal_folder_tear_down),
        cmocka_unit_test_setup_teardown(test_later_version, journal_folder_set_up,
                                        journal_folder_tear_down),
    };
    return cmocka_run_group_tests_name("test_journal_repair", tests, NULL, NULL);
}
