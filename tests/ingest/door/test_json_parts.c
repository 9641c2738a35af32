/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buffer.h"
#include "ingest/door/json_parts.h"
#include "tests/support/table.h"
#include <stdio.h>

/* Messages that hold several events, and those that only look so. */

static const struct row {
    const char *name, *message;
    uint32_t most;
    const char *want; /* parts, each with a newline; empty: it is one event */
} rows[] = {
    {"array", "[{\"a\":1}, {\"b\":[2,{\"c\":\"]}\"}]}]", 9,
     "{\"a\":1}\n{\"b\":[2,{\"c\":\"]}\"}]}\n"},
    {"array, broken into lines", "[\n {\"a\":1},\n {\"a\":2}\n]\n", 9, "{\"a\":1}\n{\"a\":2}\n"},
    {"array of one", "[{\"a\":1}]", 9, "{\"a\":1}\n"},
    {"array without end", "[{\"a\":1},{\"a\":2", 9, ""},
    {"array of numbers", "[1,2]", 9, ""},
    {"empty array", "[]", 9, ""},
    {"text in brackets", "[28/Nov/2026] {x}{y}", 9, ""},
    {"records", "{\"records\": [ {\"a\":1},{\"a\":2} ]}", 9, "{\"a\":1}\n{\"a\":2}\n"},
    {"Records", "{ \"Records\":[{\"a\":\"\\\"},\"}]}", 9, "{\"a\":\"\\\"},\"}\n"},
    {"records that are none", "{\"records\":\"x\"}", 9, ""},
    {"records of numbers", "{\"records\":[1]}", 9, ""},
    {"records with more beside them", "{\"records\":[{\"a\":1}],\"o\":2}", 9, ""},
    {"row", "{\"a\":1}{\"a\":\"}{\"}\n{\"a\":3}", 9, "{\"a\":1}\n{\"a\":\"}{\"}\n{\"a\":3}\n"},
    {"row with blanks alone between", "{\"a\":1} {\"a\":2}", 9, ""},
    {"row that ends broken", "{\"a\":1}{\"a\":", 9, ""},
    {"one object", "{\"a\":\"}{\"}", 9, ""},
    {"one object in lines", "{\n\"a\":1\n}", 9, ""},
    {"the last one has the rest", "[{\"a\":1},{\"a\":2},{\"a\":3}]", 2,
     "{\"a\":1}\n{\"a\":2},{\"a\":3}]\n"},
    {"the last one has the rest of a row", "{\"a\":1}{\"a\":2}{\"a\":3}", 2,
     "{\"a\":1}\n{\"a\":2}{\"a\":3}\n"},
    {"CloudWatch",
     "{\"messageType\":\"DATA_MESSAGE\",\"owner\":\"1\",\"logGroup\":\"g\",\"logStream\":\"s\","
     "\"logEvents\":[{\"id\":\"7\",\"message\":\"a\\\"b\"},{}]}",
     9,
     "{\"owner\":\"1\",\"logGroup\":\"g\",\"logStream\":\"s\",\"id\":\"7\",\"message\":\"a\\\"b\"}"
     "\n"
     "{\"owner\":\"1\",\"logGroup\":\"g\",\"logStream\":\"s\"}\n"},
    {"CloudWatch's own message", "{\"messageType\":\"CONTROL_MESSAGE\",\"logEvents\":[]}", 9, ""},
    {"OpenTelemetry",
     "{\"resourceLogs\":[{\"resource\":{\"attributes\":[{\"key\":\"host.name\",\"value\":{"
     "\"stringValue\":\"h\"}},{\"key\":\"n\",\"value\":{}}]},\"scopeLogs\":[{\"logRecords\":[{"
     "\"timeUnixNano\":\"5\",\"body\":{\"stringValue\":\"x\"},\"attributes\":[{\"key\":\"i\","
     "\"value\":{\"intValue\":\"3\"}}]},{\"body\":{\"kvlistValue\":{\"values\":[{\"key\":\"m\","
     "\"value\":{\"boolValue\":true}}]}}}]}]},{\"scopeLogs\":[{\"logRecords\":[{\"body\":{}}]}]}]}",
     9,
     "{\"timeUnixNano\":\"5\",\"host.name\":\"h\",\"i\":\"3\",\"body\":\"x\"}\n"
     "{\"host.name\":\"h\",\"m\":true}\n{}\n"},
    {"OpenTelemetry without records", "{\"resourceLogs\":[{\"scopeLogs\":[]}]}", 9, ""},
    {"text", "hello", 9, ""},
    {"nothing", "", 9, ""},
};

static bool take(void *context, struct text part)
{
    buffer_append(context, part);
    buffer_byte(context, '\n');
    return true;
}

static void test_parts(void **state)
{
    const struct row *row = *state;
    struct buffer scratch;
    struct buffer got;
    const struct text message = text_of(row->message);
    buffer_init(&scratch, 1 << 16);
    buffer_init(&got, 1 << 16);
    const uint32_t count = json_parts_walk(message, row->most, &scratch, take, &got);
    assert_int_equal(json_parts_walk(message, row->most, &scratch, NULL, NULL), count);
    if (count)
        assert_true(json_parts_may_be(message));
    buffer_byte(&got, 0);
    assert_string_equal(got.at, row->want);
    buffer_fini(&got);
    buffer_fini(&scratch);
}

int main(void)
{
    enum { ROWS = sizeof rows / sizeof *rows };
    struct CMUnitTest tests[ROWS];
    for (size_t i = 0; i < ROWS; i++)
        tests[i] = ROW(test_parts, &rows[i]);
    return _cmocka_run_group_tests("test_json_parts", tests, ROWS, NULL, NULL);
}
