/* SPDX-License-Identifier: Apache-2.0 */
#include "console/page.h"
#include "tests/support/table.h"
#include <string.h>

static void check(const struct page *p, const char *const *pieces, const char *const *absent)
{
    struct buffer out;
    buffer_init(&out, 1 << 20);
    page_write(p, &out);
    buffer_byte(&out, '\0');
    assert_false(out.has_failed);
    for (; *pieces; pieces++) {
        if (!strstr(out.at, *pieces))
            fail_msg("no %s in %s", *pieces, out.at);
    }
    for (; *absent; absent++)
        assert_null(strstr(out.at, *absent));
    buffer_fini(&out);
}

static void test_empty_record(void **state)
{
    (void)state;
    const struct page p = {.incidents = TEXT("{\"incidents\":[]}"),
                           .candidates = TEXT("{\"incidents\":[]}")};
    check(&p, (const char *const[]){"Nothing is open.", "No candidate", NULL},
          (const char *const[]){"<table", "Not ready", "does not answer", NULL});
}

static void test_record_that_is_away(void **state)
{
    (void)state;
    const struct page p = {.not_ready = TEXT("Redis <is> away")};
    check(&p,
          (const char *const[]){"Not ready: Redis &#60;is&#62; away", "The record does not answer.",
                                NULL},
          (const char *const[]){"<table", NULL});
}

static void test_incident_is_shown_and_escaped(void **state)
{
    (void)state;
    static const char json[] =
        "{\"incidents\":[{\"id\":\"inc_1\",\"priority\":\"P1\",\"state\":\"open\",\"score\":87.54,"
        "\"title\":\"<script>alert(1)</script> & \\\"x\\\"\\u001b\",\"entities\":["
        "{\"kind\":\"user\",\"value\":\"a'b\"},{\"kind\":\"host\",\"value\":\"h1\"},"
        "{\"kind\":\"host\",\"value\":\"h2\"},{\"kind\":\"host\",\"value\":\"h3\"}],"
        "\"times\":{\"opened\":\"2026-11-22T06:00:31.123456Z\"}}]}";
    const struct page p = {.incidents = text_of(json), .candidates = TEXT("[]")};
    check(&p,
          (const char *const[]){"<tr class=\"P1\">", "<td class=\"n\">87.5</td>",
                                "href=\"/api/v1/incidents/inc_1\"", "&#60;script&#62;",
                                "&#38; &#34;x", "user a&#39;b", "and 1 more",
                                "<td>2026-11-22T06:00:31</td>", NULL},
          (const char *const[]){"<script", "\x1b", NULL});
}

static void test_odd_shapes_do_no_harm(void **state)
{
    (void)state;
    static const char *const shapes[] = {"",
                                         "x",
                                         "[]",
                                         "{\"incidents\":1}",
                                         "{\"incidents\":[1,{}]}",
                                         "{\"incidents\":[{\"times\":3,\"entities\":{}}]}"};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        const struct page p = {.incidents = text_of(shapes[i]), .candidates = text_of(shapes[i])};
        check(&p, (const char *const[]){"</html>", NULL}, (const char *const[]){"(null)", NULL});
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_empty_record),
        cmocka_unit_test(test_record_that_is_away),
        cmocka_unit_test(test_incident_is_shown_and_escaped),
        cmocka_unit_test(test_odd_shapes_do_no_harm),
    };
    return cmocka_run_group_tests_name("test_page", tests, NULL, NULL);
}
