/* SPDX-License-Identifier: Apache-2.0 */
#include "ingest/ingest.h"
#include "tests/support/table.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

enum { LIMIT = 65536 };
enum packing { PLAIN, GZIP, ZSTD };

/* A file of these bytes, packed; its path is written to `path`. */
static void write_file(char path[64], enum packing packing, struct text bytes, size_t cut)
{
    size_t room = bytes.len + 4096;
    char *packed = malloc(room);
    size_t len = bytes.len;
    assert_non_null(packed);
    memcpy(packed, bytes.at, bytes.len);
    if (packing == GZIP) {
        z_stream z = {0};
        assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
        memcpy(&z.next_in, &bytes.at, sizeof bytes.at);
        z.avail_in = (uInt)bytes.len;
        z.next_out = (Bytef *)packed;
        z.avail_out = (uInt)room;
        assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
        len = room - z.avail_out;
        assert_int_equal(deflateEnd(&z), Z_OK);
    } else if (packing == ZSTD) {
        len = ZSTD_compress(packed, room, bytes.at, bytes.len, 3);
        assert_false(ZSTD_isError(len));
    }
    (void)snprintf(path, 64, "/tmp/test_file_reader_XXXXXX");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_true(len > cut && write(fd, packed, len - cut) == (ssize_t)(len - cut));
    assert_int_equal(close(fd), 0);
    free(packed);
}

static struct file_reader *open_file(const char *path, bool has_nul_frames)
{
    struct file_reader *r = NULL;
    struct error err = {0};
    assert_int_equal(file_reader_open(path, has_nul_frames, &r, &err), STATUS_OK);
    return r;
}

static const struct row {
    const char *name;
    struct text bytes;
    bool has_nul_frames;
    const char *want; /* "line:text;" */
} rows[] = {
    {"lines", {"a\nbc\n", 5}, false, "1:a;2:bc;"},
    {"no end", {"a\nbc", 4}, false, "1:a;2:bc;"},
    {"CR LF", {"a\r\nb\r\n", 6}, false, "1:a;2:b;"},
    {"empty lines are counted", {"\n\na\n\nb", 6}, false, "3:a;5:b;"},
    {"byte order mark",
     {"\xEF\xBB\xBF"
      "a\nb",
      6},
     false,
     "1:a;2:b;"},
    {"NUL frames", {"a\nb\0c\0d", 8}, true, "1:a\nb;2:c;3:d;"},
    {"a list of records",
     {"{\"Records\":[{\"a\":1},{\"b\":\"},]{\\\"\"}]}", 36},
     false,
     "1:{\"a\":1};2:{\"b\":\"},]{\\\"\"};"},
    {"a list over many lines",
     {"{\n  \"records\" : [\n {\"a\":\n1},\n\n{\"b\":[2,{}]} ]\n}\n", 47},
     false,
     "1:{\"a\":\n1};2:{\"b\":[2,{}]};"},
    {"lists behind each other",
     {"{\"Records\":[{\"a\":1}]}\n{\"Records\":[]}\n{\"Records\":[{\"b\":1},3]}x\ny", 63},
     false,
     "1:{\"a\":1};2:{\"b\":1};3:3;4:x;5:y;"},
    {"a list with more beside it",
     {"{\"Records\":[{\"a\":1}],\"o\":2}\nz", 29},
     false,
     "1:{\"a\":1};2:,\"o\":2};3:z;"},
    {"a list that is cut",
     {"{\"Records\":[{\"a\":1},{\"b\":", 25},
     false,
     "1:{\"a\":1};2:{\"b\":;"},
    {"nearly a list",
     {"{\"Record\":[1]}\n{\"Records\":[2]}", 30},
     false,
     "1:{\"Record\":[1]};2:{\"Records\":[2]};"},
    {"an array",
     {"[{\"a\":1},{\"b\":\"},]\"}]\n{\"c\":1}\n", 30},
     false,
     "1:{\"a\":1};2:{\"b\":\"},]\"};3:{\"c\":1};"},
    {"an array over many lines",
     {"[\n {\"a\":\n1},\n {\"b\":2}\n]\n[{\"c\":1}]\n", 34},
     false,
     "1:{\"a\":\n1};2:{\"b\":2};3:{\"c\":1};"},
    {"text in brackets", {"[x]\n[{\n", 7}, false, "1:[x];2:[{;"},
    {"objects over many lines",
     {"{\n \"a\": 1\n}\n{\n \"b\": \"}{\"}\nx\n{\ny\n", 32},
     false,
     "1:{\n \"a\": 1\n};2:{\n \"b\": \"}{\"};3:x;4:{;5:y;"},
    {"an object over many lines that is cut", {"{\n \"a\": 1", 9}, false, "1:{\n \"a\": 1;"},
    {"arrays and rows of objects among lines",
     {"x\n[{\"a\":1},{\"a\":2}]\n{\"b\":1}{\"b\":2}\ny\n", 37},
     false,
     "1:x;2:{\"a\":1};3:{\"a\":2};4:{\"b\":1};5:{\"b\":2};6:y;"},
    {"NUL frames count themselves",
     {"[{\"a\":1},{\"a\":2}]\0[{\"b\":1}]\0", 28},
     true,
     "1:[{\"a\":1},{\"a\":2}];2:{\"b\":1};"},
    {"NUL inside a line", {"a\0b\nc", 5}, false, "1:a?b;2:c;"},
};

static void test_records(void **state)
{
    const struct row *row = *state;
    for (int packing = PLAIN; packing <= ZSTD; packing++) {
        char path[64];
        char out[256] = "";
        write_file(path, (enum packing)packing, row->bytes, 0);
        AUTO(file_reader) r = open_file(path, row->has_nul_frames);
        AUTO(batch) b = batch_new();
        assert_non_null(b);
        assert_int_equal(file_reader_next(r, b, NULL), STATUS_OK);
        for (uint32_t i = 0; i < b->count; i++) {
            size_t len = strlen(out);
            struct text raw = b->records[i].raw;
            (void)snprintf(out + len, sizeof out - len, "%u:", (unsigned)b->records[i].position);
            len = strlen(out);
            for (size_t k = 0; k < raw.len; k++)
                out[len++] = raw.at[k] ? raw.at[k] : '?';
            memcpy(out + len, ";", 2);
        }
        assert_string_equal(out, row->want);
        assert_int_equal(file_reader_next(r, b, NULL), STATUS_AGAIN);
        assert_int_equal(file_reader_next(r, b, NULL), STATUS_AGAIN);
        assert_true(file_reader_bytes(r) == row->bytes.len);
        assert_true(file_reader_progress(r) == 1);
        assert_int_equal(unlink(path), 0);
    }
}

/* A line of 1 MB between two short ones: its first 64 KiB, and nothing else is lost. */
static void test_long_line(void **state)
{
    (void)state;
    enum { LONG = 1 << 20 };
    char *bytes = malloc(LONG + 64);
    assert_non_null(bytes);
    memcpy(bytes, "first\n", 6);
    memset(bytes + 6, 'x', LONG);
    memcpy(bytes + 6 + LONG, "\nlast\n", 6);
    for (int packing = PLAIN; packing <= ZSTD; packing++) {
        char path[64];
        write_file(path, (enum packing)packing, (struct text){bytes, LONG + 12}, 0);
        AUTO(file_reader) r = open_file(path, false);
        AUTO(batch) b = batch_new();
        assert_non_null(b);
        assert_int_equal(file_reader_next(r, b, NULL), STATUS_OK);
        assert_int_equal(b->count, 3);
        assert_int_equal(b->records[1].raw.len, LIMIT);
        assert_true(b->records[1].flags & RECORD_TRUNCATED);
        assert_false(b->records[2].flags & RECORD_TRUNCATED);
        assert_true(text_equal(b->records[2].raw, TEXT("last")));
        assert_int_equal(b->records[2].position, 3);
        assert_int_equal(unlink(path), 0);
    }
    free(bytes);
}

/* Lengths around the limit. */
static void test_limit(void **state)
{
    (void)state;
    char *bytes = malloc(LIMIT + 8);
    assert_non_null(bytes);
    for (size_t len = LIMIT - 1; len <= LIMIT + 1; len++) {
        char path[64];
        memset(bytes, 'x', len);
        memcpy(bytes + len, "\r\n", 2);
        write_file(path, PLAIN, (struct text){bytes, len + 2}, 0);
        AUTO(file_reader) r = open_file(path, false);
        AUTO(batch) b = batch_new();
        assert_non_null(b);
        assert_int_equal(file_reader_next(r, b, NULL), STATUS_OK);
        assert_int_equal(b->count, 1);
        assert_int_equal(b->records[0].raw.len, len > LIMIT ? LIMIT : len);
        assert_int_equal((b->records[0].flags & RECORD_TRUNCATED) != 0, len > LIMIT);
        assert_int_equal(unlink(path), 0);
    }
    free(bytes);
}

/* More lines than a batch and a window hold, numbered without a gap. */
static void test_many_lines(void **state)
{
    (void)state;
    enum { LINES = 50000 };
    struct buffer text;
    buffer_init(&text, 8 << 20);
    for (int i = 1; i <= LINES; i++)
        buffer_printf(&text, "line %d of many, some of them longer %.*s\n", i, i % 40,
                      "----------------------------------------");
    for (int packing = PLAIN; packing <= ZSTD; packing++) {
        char path[64];
        uint64_t next = 1;
        write_file(path, (enum packing)packing, buffer_text(&text), 0);
        AUTO(file_reader) r = open_file(path, false);
        AUTO(batch) b = batch_new();
        assert_non_null(b);
        while (file_reader_next(r, b, NULL) == STATUS_OK) {
            for (uint32_t i = 0; i < b->count; i++, next++) {
                char start[32];
                (void)snprintf(start, sizeof start, "line %u of", (unsigned)next);
                assert_true(b->records[i].position == next);
                assert_true(text_starts(b->records[i].raw, text_of(start)));
            }
        }
        assert_int_equal(next, LINES + 1);
        assert_int_equal(unlink(path), 0);
    }
    buffer_fini(&text);
}

/* What came before the damage is given, then the damage is said. */
/* A message of many events waits for a batch that has room for all of them. */
static void test_a_message_shares_a_batch(void **state)
{
    (void)state;
    enum { LINES = BATCH_RECORDS - 1 };
    struct buffer bytes;
    char path[64];
    buffer_init(&bytes, 1 << 20);
    for (int i = 0; i < LINES; i++)
        buffer_append(&bytes, TEXT("x\n"));
    buffer_append(&bytes, TEXT("[{},{}]\ny\n"));
    write_file(path, PLAIN, buffer_text(&bytes), 0);
    AUTO(file_reader) r = open_file(path, false);
    AUTO(batch) b = batch_new();
    assert_non_null(b);
    assert_int_equal(file_reader_next(r, b, NULL), STATUS_OK);
    assert_int_equal(b->count, LINES);
    assert_int_equal(file_reader_next(r, b, NULL), STATUS_OK);
    assert_int_equal(b->count, 3);
    assert_int_equal(b->records[0].position, LINES + 1);
    assert_int_equal(b->records[2].position, LINES + 3);
    assert_int_equal(file_reader_next(r, b, NULL), STATUS_AGAIN);
    assert_int_equal(unlink(path), 0);
    buffer_fini(&bytes);
}

static void test_cut_short(void **state)
{
    (void)state;
    static const enum packing packings[] = {GZIP, ZSTD};
    for (size_t i = 0; i < sizeof packings / sizeof *packings; i++) {
        char path[64];
        struct error err = {0};
        write_file(path, packings[i], TEXT("one\ntwo\nthree\n"), 3);
        AUTO(file_reader) r = open_file(path, false);
        AUTO(batch) b = batch_new();
        assert_non_null(b);
        enum status s = file_reader_next(r, b, &err);
        while (s == STATUS_OK)
            s = file_reader_next(r, b, &err);
        assert_int_equal(s, STATUS_SYNTAX);
        assert_non_null(strstr(err.text, path));
        assert_int_equal(unlink(path), 0);
    }
}

/* Files put one behind the other are one file, as gzip and zstd say. */
static void test_members(void **state)
{
    (void)state;
    char one[64];
    char both[64];
    char bytes[512];
    write_file(one, GZIP, TEXT("one\n"), 0);
    FILE *f = fopen(one, "rb");
    assert_non_null(f);
    size_t len = fread(bytes, 1, sizeof bytes / 2, f);
    assert_int_equal(fclose(f), 0);
    memcpy(bytes + len, bytes, len);
    write_file(both, PLAIN, (struct text){bytes, 2 * len}, 0);
    AUTO(file_reader) r = open_file(both, false);
    AUTO(batch) b = batch_new();
    assert_non_null(b);
    assert_int_equal(file_reader_next(r, b, NULL), STATUS_OK);
    assert_int_equal(b->count, 2);
    assert_int_equal(unlink(one), 0);
    assert_int_equal(unlink(both), 0);
}

static void test_refusals(void **state)
{
    (void)state;
    struct file_reader *r = NULL;
    struct error err = {0};
    assert_int_equal(file_reader_open("/no/such/file", false, &r, &err), STATUS_IO);
    assert_non_null(strstr(err.text, "/no/such/file"));
    assert_int_equal(file_reader_open("/tmp", false, &r, &err), STATUS_INVALID);
    assert_null(r);
}

/* What a pipe has is given before it is asked for more. */
static void test_pipe(void **state)
{
    (void)state;
    int ends[2];
    char path[64];
    assert_int_equal(pipe(ends), 0);
    (void)snprintf(path, sizeof path, "/dev/fd/%d", ends[0]);
    assert_int_equal(write(ends[1], "one\ntwo\nthr", 11), 11);
    AUTO(file_reader) r = open_file(path, false);
    AUTO(batch) b = batch_new();
    assert_non_null(b);
    assert_int_equal(file_reader_next(r, b, NULL), STATUS_OK);
    assert_int_equal(b->count, 2);
    assert_true(file_reader_progress(r) < 0);
    assert_int_equal(write(ends[1], "ee\n", 3), 3);
    assert_int_equal(close(ends[1]), 0);
    assert_int_equal(file_reader_next(r, b, NULL), STATUS_OK);
    assert_true(text_equal(b->records[0].raw, TEXT("three")));
    assert_int_equal(file_reader_next(r, b, NULL), STATUS_AGAIN);
    assert_int_equal(close(ends[0]), 0);
}

/* The time of receipt is the file's last write: the same at each replay. */
static void test_time_of_receipt(void **state)
{
    (void)state;
    char path[64];
    const struct timespec times[2] = {{.tv_sec = 1391607465}, {.tv_sec = 1391607465}};
    write_file(path, PLAIN, TEXT("x\n"), 0);
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
    AUTO(file_reader) r = open_file(path, false);
    AUTO(batch) b = batch_new();
    assert_non_null(b);
    assert_int_equal(file_reader_next(r, b, NULL), STATUS_OK);
    assert_true(b->records[0].receive_us == INT64_C(1391607465000000));
    assert_int_equal(unlink(path), 0);
}

/* Items of any length among others, more than the window holds: each is a record, the long ones
 * are cut, what follows them is whole. */
static void test_long_list(void **state)
{
    (void)state;
    enum { ITEMS = 3000 };
    struct buffer b;
    char path[64];
    buffer_init(&b, 64 << 20);
    buffer_append(&b, TEXT("{\"Records\":["));
    for (unsigned i = 0; i < ITEMS; i++) {
        buffer_printf(&b, "%s{\"n\":%u,\"text\":\"", i ? "," : "", i);
        for (unsigned k = 0; k < (i % 500 == 499 ? 200000 : i % 97); k++)
            buffer_append(&b, TEXT("]}\\\""));
        buffer_append(&b, TEXT("\"}"));
    }
    buffer_append(&b, TEXT("]}"));
    assert_false(b.has_failed);
    write_file(path, PLAIN, buffer_text(&b), 0);
    AUTO(file_reader) r = open_file(path, false);
    AUTO(batch) batch = batch_new();
    unsigned n = 0;
    unsigned cut = 0;
    while (file_reader_next(r, batch, NULL) == STATUS_OK)
        for (uint32_t i = 0; i < batch->count; i++) {
            char head[32];
            (void)snprintf(head, sizeof head, "{\"n\":%u,\"text\":\"", n++);
            assert_true(text_starts(batch->records[i].raw, text_of(head)));
            bool is_cut = batch->records[i].flags & RECORD_TRUNCATED;
            cut += is_cut;
            assert_int_equal(batch->records[i].raw.len == LIMIT, is_cut);
            assert_int_equal(text_ends(batch->records[i].raw, TEXT("\"}")), !is_cut);
        }
    assert_int_equal(n, ITEMS);
    assert_int_equal(cut, ITEMS / 500);
    (void)unlink(path);
    buffer_fini(&b);
}

int main(void)
{
    enum { ROWS = sizeof rows / sizeof *rows };
    struct CMUnitTest tests[ROWS + 16];
    size_t n = 0;
    for (size_t i = 0; i < ROWS; i++)
        tests[n++] = ROW(test_records, &rows[i]);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_long_line);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_limit);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_long_list);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_many_lines);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_a_message_shares_a_batch);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_cut_short);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_members);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_refusals);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_pipe);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_time_of_receipt);
    return _cmocka_run_group_tests("test_file_reader", tests, n, NULL, NULL);
}
