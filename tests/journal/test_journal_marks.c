/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"
#include "journal/journal.h"
#include "journal/journal_marks.h"
#include "tests/support/journal_folder.h"

/* Records first..last of stream kafka:logs:3. */
static void fill_stream(struct batch *b, int first, int last, uint32_t flags)
{
    batch_reset(b);
    for (int i = first; i <= last; i++) {
        char text[48];
        (void)snprintf(text, sizeof text, "kafka:logs:3:%d", i);
        struct record *r = batch_add(b, text_of(text));
        r->origin = r->raw;
        r->receive_us = i;
        r->flags = i == first ? flags : 0;
    }
}

static enum status offer(struct journal *j, struct batch *b, int first, int last, uint32_t flags)
{
    fill_stream(b, first, last, flags);
    return journal_append(j, b, NULL);
}

static void test_drops_known(void **state)
{
    struct journal_folder *f = *state;
    AUTO(journal) j = journal_folder_open(f, (struct journal_options){0});
    assert_int_equal(offer(j, f->batch, 10, 20, 0), STATUS_OK);
    assert_int_equal(f->batch->count, 11);
    assert_int_equal(offer(j, f->batch, 15, 25, 0), STATUS_OK);
    assert_int_equal(f->batch->count, 5);
    assert_int_equal(f->batch->records[0].position, 12);
    assert_int_equal(offer(j, f->batch, 1, 25, 0), STATUS_OK);
    assert_int_equal(f->batch->count, 0);
    assert_int_equal(journal_next_position(j), 17);
    assert_true(journal_folder_metric(j, "journal_repeated_records_total") == 31);
    /* other origins are nobody's business here */
    for (int i = 0; i < 2; i++) {
        batch_reset(f->batch);
        batch_add(f->batch, TEXT("x"))->origin = TEXT("dedup:7");
        assert_int_equal(journal_append(j, f->batch, NULL), STATUS_OK);
        assert_int_equal(f->batch->count, 1);
    }
}

/* Over starts, over many files, and when the file with the marks is gone or damaged. */
static void test_outlives_a_start(void **state)
{
    struct journal_folder *f = *state;
    for (int start = 0; start < 4; start++) {
        AUTO(journal) j = journal_folder_open(f, (struct journal_options){.segment_bytes = 1});
        journal_allow_removal(j, UINT64_MAX);
        assert_int_equal(journal_mark(j, TEXT("kafka:logs:3")), start ? start * 3000 - 1 : -1);
        for (int n = 0; n < 3000; n += 500) {
            assert_int_equal(
                offer(j, f->batch, 0, start * 3000 - 1 < 400 ? start * 3000 - 1 : 400, 0),
                STATUS_OK);
            assert_int_equal(f->batch->count, 0);
            assert_int_equal(offer(j, f->batch, start * 3000 + n, start * 3000 + n + 499, 0),
                             STATUS_OK);
            assert_int_equal(f->batch->count, 500);
        }
        assert_true(start == 0 || journal_folder_metric(j, "journal_files") >= 2);
    }
}

/* 101..110 is refused: what lies behind it in the air must not raise the mark over it. */
static void test_nothing_overtakes(void **state)
{
    struct journal_folder *f = *state;
    struct journal *j = journal_folder_open(f, (struct journal_options){0});
    assert_int_equal(offer(j, f->batch, 1, 100, 0), STATUS_OK);
    journal_close(j);
    j = journal_folder_open(f, (struct journal_options){.reserve_bytes = 1ULL << 60});
    assert_int_equal(offer(j, f->batch, 101, 110, 0), STATUS_FULL);
    assert_int_equal(offer(j, f->batch, 111, 120, 0), STATUS_CONFLICT);
    assert_int_equal(offer(j, f->batch, 121, 130, 0), STATUS_CONFLICT);
    journal_close(j);
}

static void test_marks_rules(void **state)
{
    struct journal_folder *f = *state;
    AUTO(journal_marks) m = NULL;
    assert_int_equal(journal_marks_new(&m), STATUS_OK);
    fill_stream(f->batch, 101, 110, 0);
    journal_marks_refuse(m, f->batch);
    assert_int_equal(journal_marks_check(m, f->batch), STATUS_OK); /* tried again at once */
    fill_stream(f->batch, 111, 120, 0);
    assert_int_equal(journal_marks_check(m, f->batch), STATUS_CONFLICT);
    journal_marks_refuse(m, f->batch);
    fill_stream(f->batch, 111, 120, RECORD_RESUMED); /* the partition came from somebody else */
    assert_int_equal(journal_marks_check(m, f->batch), STATUS_OK);
    fill_stream(f->batch, 95, 120, 0); /* read again from before it */
    assert_int_equal(journal_marks_check(m, f->batch), STATUS_OK);
    journal_marks_take(m, f->batch->records, f->batch->count);
    fill_stream(f->batch, 121, 122, 0);
    assert_int_equal(journal_marks_check(m, f->batch), STATUS_OK);
    assert_int_equal(journal_marks_number(m, TEXT("kafka:logs:3")), 120);
}

static void test_many_streams(void **state)
{
    (void)state;
    AUTO(journal_marks) m = NULL;
    AUTO(journal_marks) copy = NULL;
    assert_int_equal(journal_marks_new(&m), STATUS_OK);
    assert_int_equal(journal_marks_new(&copy), STATUS_OK);
    for (int i = 0; i < JOURNAL_MARKS_MAX + 100; i++) {
        char origin[48];
        (void)snprintf(origin, sizeof origin, "kafka:t:%d:%d", i, i * 2);
        struct record r = {.origin = text_of(origin)};
        journal_marks_take(m, &r, 1);
    }
    struct buffer lines;
    buffer_init(&lines, 48 << 20);
    assert_int_equal(journal_marks_write(m, &lines), STATUS_OK);
    assert_int_equal(journal_marks_read(copy, buffer_text(&lines)), STATUS_OK);
    assert_int_equal(journal_marks_number(copy, TEXT("kafka:t:65535")), 131070);
    assert_int_equal(journal_marks_number(copy, TEXT("kafka:t:65536")),
                     -1); /* beyond the ceiling */
    assert_int_equal(journal_marks_read(copy, TEXT("x kafka:t:1\n")), STATUS_SYNTAX);
    assert_int_equal(journal_marks_read(copy, TEXT("17")), STATUS_SYNTAX);
    buffer_fini(&lines);
}

int main(void)
{
    log_set_level(LOG_ERROR);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_drops_known, journal_folder_set_up,
                                        journal_folder_tear_down),
        cmocka_unit_test_setup_teardown(test_outlives_a_start, journal_folder_set_up,
                                        journal_folder_tear_down),
        cmocka_unit_test_setup_teardown(test_nothing_overtakes, journal_folder_set_up,
                                        journal_folder_tear_down),
        cmocka_unit_test_setup_teardown(test_marks_rules, journal_folder_set_up,
                                        journal_folder_tear_down),
        cmocka_unit_test(test_many_streams),
    };
    return cmocka_run_group_tests_name("test_journal_marks", tests, NULL, NULL);
}
