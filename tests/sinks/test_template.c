/* SPDX-License-Identifier: Apache-2.0 */
#include "sinks/template.h"
#include "tests/support/table.h"
#include <string.h>

/* What stands at each path: the values that would break out of their place if they could. */
static struct text find(void *context, struct text path, bool as_json, struct arena *arena)
{
    (void)context;
    (void)arena;
    if (text_equal(path, TEXT("quote")))
        return as_json ? TEXT("\"a\\\"b\"") : TEXT("a\"b");
    if (text_equal(path, TEXT("lines")))
        return TEXT("a\r\nBcc: x");
    if (text_equal(path, TEXT("markup")))
        return TEXT("<!here> [x](http://e.vil) {noformat}");
    if (text_equal(path, TEXT("level")))
        return TEXT("P1");
    if (text_equal(path, TEXT("accents")))
        return TEXT("\xc3\xa8\xc3\xa8");
    if (text_equal(path, TEXT("option.url")))
        return TEXT("https://h/p?q=1");
    return as_json ? TEXT("null") : TEXT_NONE;
}

static struct text map(void *context, struct text table, struct text key)
{
    (void)context;
    return text_equal(table, TEXT("sign")) && text_equal(key, TEXT("P1")) ? TEXT("7") : key;
}

static const struct row {
    const char *name;
    enum template_medium medium;
    const char *source, *want; /* "!...": the error says so */
} rows[] = {
    {"no value", TEMPLATE_JSON, "{\"a\": {}}", "{\"a\": {}}"},
    {"empty", TEMPLATE_JSON, "", ""},
    {"json: inside quotes", TEMPLATE_JSON, "{\"a\":\"{{quote}}\"}", "{\"a\":\"a\\\"b\"}"},
    {"json: whole value", TEMPLATE_JSON, "{\"a\":{{quote|json}}}", "{\"a\":\"a\\\"b\"}"},
    {"json: nothing there", TEMPLATE_JSON, "{\"a\":{{none|json}}}", "{\"a\":null}"},
    {"json: line ends", TEMPLATE_JSON, "\"{{lines}}\"", "\"a\\r\\nBcc: x\""},
    {"json: number from a table", TEMPLATE_JSON, "{{level|map=sign|int}}", "7"},
    {"json: not a number", TEMPLATE_JSON, "{{quote|int}}", "0"},
    {"url", TEMPLATE_URL, "http://h/{{quote}}/{{markup|cut=3}}", "http://h/a%22b/%3C%21h..."},
    {"url: of the configuration", TEMPLATE_URL, "{{option.url|as_is}}&x={{quote}}",
     "https://h/p?q=1&x=a%22b"},
    {"header", TEMPLATE_HEADER, "X: {{lines}}", "X: a??Bcc: x"},
    {"header: base64", TEMPLATE_HEADER, "A: {{quote|base64}}", "A: YSJi"},
    {"plain", TEMPLATE_PLAIN, "{{lines}}", "a\r\nBcc: x"},
    {"slack", TEMPLATE_PLAIN, "{{markup|slack}}", "&lt;!here&gt; [x](http://e.vil) {noformat}"},
    {"markdown", TEMPLATE_PLAIN, "{{markup|markdown}}",
     "\\<\\!here\\> \\[x\\]\\(http://e.vil\\) \\{noformat\\}"},
    {"wiki", TEMPLATE_PLAIN, "{{markup|wiki}}", "<\\!here> \\[x\\](http://e.vil) \\{noformat\\}"},
    {"defang", TEMPLATE_PLAIN, "{{markup|defang}}", "<!here> [x](hxxp[://]e[.]vil) {noformat}"},
    {"one line", TEMPLATE_PLAIN, "{{lines|line}}", "a\\x0D\\x0ABcc: x"},
    {"cut between characters", TEMPLATE_PLAIN, "{{accents|cut=3}}", "\xc3\xa8..."},
    {"cut leaves what fits", TEMPLATE_PLAIN, "{{accents|cut=4}}", "\xc3\xa8\xc3\xa8"},
    {"or", TEMPLATE_PLAIN, "{{none|or=x y}} {{level|or=z}}", "x y P1"},
    {"lower", TEMPLATE_PLAIN, "{{level|lower}}", "p1"},
    {"spaces around", TEMPLATE_PLAIN, "{{ level | lower }}", "p1"},
    {"one after the other", TEMPLATE_PLAIN, "{{level}}{{level}}", "P1P1"},
    {"open", TEMPLATE_PLAIN, "a {{level", "!without its }}"},
    {"open at the end", TEMPLATE_PLAIN, "a {{", "!without its }}"},
    {"empty value", TEMPLATE_PLAIN, "{{ }}", "!nothing is named"},
    {"unknown filter", TEMPLATE_PLAIN, "{{level|shout}}", "!'shout'"},
    {"cut without a number", TEMPLATE_PLAIN, "{{level|cut=x}}", "!number"},
    {"cut without an argument", TEMPLATE_PLAIN, "{{level|cut}}", "!argument"},
    {"argument too much", TEMPLATE_PLAIN, "{{level|lower=1}}", "!no argument"},
    {"json with another", TEMPLATE_JSON, "{{level|json|cut=1}}", "!alone"},
    {"as_is for a stranger's value", TEMPLATE_URL, "{{quote|as_is}}", "!option.*"},
};

static void test_template(void **state)
{
    const struct row *row = *state;
    struct arena arena;
    struct buffer out;
    arena_init(&arena, 1 << 20);
    buffer_init(&out, 4096);
    const struct template *t = NULL;
    struct error err = {0};
    enum status status = template_new(text_of(row->source), row->medium, &arena, &t, &err);
    if (row->want[0] == '!') {
        assert_true(status != STATUS_OK);
        if (!strstr(err.text, row->want + 1))
            fail_msg("%s", err.text);
    } else {
        assert_int_equal(status, STATUS_OK);
        template_write(t, &(struct template_scope){NULL, find, map}, &arena, &out);
        buffer_byte(&out, '\0');
        assert_string_equal(out.at, row->want);
    }
    buffer_fini(&out);
    arena_fini(&arena);
}

int main(void)
{
    enum { COUNT = sizeof rows / sizeof *rows };
    struct CMUnitTest tests[COUNT];
    for (size_t i = 0; i < COUNT; i++)
        tests[i] = ROW(test_template, &rows[i]);
    return cmocka_run_group_tests_name("test_template", tests, NULL, NULL);
}
