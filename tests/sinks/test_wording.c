/* SPDX-License-Identifier: Apache-2.0 */
#include "sinks/wording.h"
#include "tests/support/table.h"
#include <string.h>

static const struct row {
    const char *name, *json;
    enum notice_kind kind;
    const char *incident, *subject;
} rows[] = {
    {"title that names its entity",
     "{\"title\":\"Guessing: address 192.0.2.7\",\"entities\":[{\"kind\":\"address\",\"value\":"
     "\"192.0.2.7\"},{\"kind\":\"host\",\"value\":\"web1\"}]}",
     NOTICE_OPENED, "inc_1", "[P2] opened: Guessing: address 192.0.2.7 and 1 more"},
    {"title that does not",
     "{\"title\":\"Guessing\",\"entities\":[{\"kind\":\"address\",\"value\":\"192.0.2.7\"}]}",
     NOTICE_RAISED, "inc_1", "[P2] raised: Guessing on address 192.0.2.7"},
    {"no title: the rules, each once",
     "{\"contributions\":[{\"rule\":\"a\"},{\"rule\":\"b\",\"title\":\"B\"},{\"rule\":\"a\"},{"
     "\"rule\":"
     "\"c\"},{\"rule\":\"d\"}],\"entities\":[{\"kind\":\"host\",\"value\":\"web1\"}]}",
     NOTICE_RESOLVED, "inc_1", "[P2] resolved: a, B, c, ... on host web1"},
    {"nothing known", "{}", NOTICE_CLOSED, "inc_1", "[P2] closed: "},
    {"a line end in the title", "{\"title\":\"a\\r\\nBcc: x\"}", NOTICE_OPENED, "inc_1",
     "[P2] opened: a\\x0D\\x0ABcc: x"},
    {"a digest", "{\"title\":\"3 incidents: P2: 3\"}", NOTICE_DIGEST, "",
     "[P2] digest: 3 incidents: P2: 3"},
    {"a storm", "{\"title\":\"12 incidents in 10 minutes\"}", NOTICE_STORM, "",
     "[P2] storm: 12 incidents in 10 minutes"},
};

static void test_subject(void **state)
{
    const struct row *row = *state;
    AUTO(document) doc = NULL;
    assert_int_equal(document_new(text_of(row->json), &doc, NULL), STATUS_OK);
    struct delivery d = {
        .incident = text_of(row->incident), .kind = row->kind, .priority = 2, .id = TEXT("dlv_1")};
    struct buffer out;
    buffer_init(&out, 4096);
    wording_subject(&d, doc, &out);
    buffer_byte(&out, '\0');
    assert_string_equal(out.at, row->subject);
    buffer_fini(&out);
}

static void test_body_shows_and_defangs(void **state)
{
    (void)state;
    static const char json[] =
        "{\"title\":\"t\",\"score\":70.33,\"contributions\":[{\"rule\":\"r\",\"title\":"
        "\"Guessing\","
        "\"tactic\":\"access\",\"p\":0.54}],\"entities\":[{\"kind\":\"user\",\"value\":"
        "\"http://x.example\"}],\"evidence\":[{\"position\":7,\"line\":\"see "
        "http://x.example\\u001b[2J\"}]}";
    AUTO(document) doc = NULL;
    assert_int_equal(document_new(text_of(json), &doc, NULL), STATUS_OK);
    struct delivery d = {.incident = TEXT("inc_1"), .priority = 1, .id = TEXT("dlv_1")};
    struct buffer out;
    buffer_init(&out, 1 << 16);
    wording_body(&d, doc, &out);
    buffer_byte(&out, '\0');
    assert_non_null(strstr(out.at, "Score        70.33\n"));
    assert_non_null(strstr(out.at, "  Guessing (access), p 0.54\n"));
    assert_non_null(strstr(out.at, "user hxxp[://]x[.]example\n"));
    assert_non_null(strstr(out.at, "UNTRUSTED"));
    assert_non_null(strstr(out.at, "  | see hxxp[://]x[.]example\\x1B[2J\n"));
    assert_null(strstr(out.at, "http://"));
    buffer_fini(&out);
}

/* However much is in the document, the mail stays readable and bounded. */
static void test_body_is_bounded(void **state)
{
    (void)state;
    struct buffer json, out;
    buffer_init(&json, 1 << 20);
    buffer_init(&out, 64 << 10);
    buffer_append(&json, TEXT("{\"evidence\":["));
    for (int i = 0; i < 100; i++) {
        buffer_append(&json, i ? TEXT(",\"") : TEXT("\""));
        for (int k = 0; k < 5000; k++)
            buffer_byte(&json, 'x');
        buffer_byte(&json, '"');
    }
    buffer_append(&json, TEXT("]}"));
    AUTO(document) doc = NULL;
    assert_int_equal(document_new(buffer_text(&json), &doc, NULL), STATUS_OK);
    struct delivery d = {.incident = TEXT("inc_1"), .priority = 1, .id = TEXT("dlv_1")};
    wording_body(&d, doc, &out);
    assert_false(out.has_failed);
    assert_true(out.len < 10000);
    assert_true(text_find(buffer_text(&out), TEXT("... and 90 more")) < out.len);
    buffer_fini(&json);
    buffer_fini(&out);
}

/* A digest is words, not the document, and names all that is in it. */
static void test_digest(void **state)
{
    (void)state;
    static const char json[] = "{\"kind\":\"digest\",\"title\":\"2 incidents: P2: 1, P3: "
                               "1\",\"members\":[{\"id\":\"inc_1\","
                               "\"priority\":\"P2\",\"state\":\"open\",\"title\":\"see "
                               "http://x.example\"},{\"id\":\"inc_2\","
                               "\"priority\":\"P3\",\"state\":\"resolved\",\"title\":\"Disk\"}]}";
    AUTO(document) doc = NULL;
    assert_int_equal(document_new(text_of(json), &doc, NULL), STATUS_OK);
    struct delivery d = {
        .kind = NOTICE_DIGEST, .priority = 2, .id = TEXT("dlv_1"), .document = text_of(json)};
    struct buffer out;
    buffer_init(&out, 1 << 16);
    wording_body(&d, doc, &out);
    buffer_byte(&out, '\0');
    assert_non_null(strstr(out.at, "Digest, priority P2: 2 incidents: P2: 1, P3: 1\n"));
    assert_non_null(strstr(out.at, "P2 open inc_1  see hxxp[://]x[.]example\n"));
    assert_non_null(strstr(out.at, "P3 resolved inc_2  Disk\n"));
    assert_null(strchr(out.at, '{'));
    buffer_fini(&out);
}

int main(void)
{
    enum { COUNT = sizeof rows / sizeof *rows, MORE = 3 };
    struct CMUnitTest tests[COUNT + MORE] = {
        cmocka_unit_test(test_digest),
        cmocka_unit_test(test_body_shows_and_defangs),
        cmocka_unit_test(test_body_is_bounded),
    };
    for (size_t i = 0; i < COUNT; i++)
        tests[MORE + i] = ROW(test_subject, &rows[i]);
    return cmocka_run_group_tests_name("test_wording", tests, NULL, NULL);
}
