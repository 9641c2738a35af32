/* SPDX-License-Identifier: Apache-2.0 */
#include "base/wall_clock.h"
#include "sinks/sink_command.h"
#include "sinks/sinks.h"
#include "tests/support/outcomes.h"
#include "tests/support/table.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const struct row {
    const char *name, *script, *options;
    enum delivery_state want;
    const char *says;
    bool is_again;
} rows[] = {
    {"exit 0", "exit 0", "", DELIVERY_ACCEPTED, "exit 0", false},
    {"exit 1 is tried again", "echo no line >&2; exit 1", "", DELIVERY_FAILED_TEMP,
     "exit 1: no line", true},
    {"exit 65 ends it", "exit 65", "", DELIVERY_FAILED_PERM, "exit 65", false},
    {"exit 75 is tried again", "exit 75", "", DELIVERY_FAILED_TEMP, "exit 75", true},
    {"a signal", "kill -SEGV $$", "", DELIVERY_FAILED_TEMP, "signal 11", true},
    {"too slow is unknown", "sleep 1000", ", timeout: 100ms", DELIVERY_UNKNOWN, "killed", true},
    {"so is what it starts", "sleep 1000 & wait", ", timeout: 100ms", DELIVERY_UNKNOWN, "killed",
     true},
    {"the document comes in", "cat", "", DELIVERY_ACCEPTED,
     "{\"type\":\"incident.opened\",\"id\":\"dlv_1\"", false},
    {"the environment is ours",
     "echo $TOCSIN_DELIVERY $TOCSIN_INCIDENT $TOCSIN_NOTICE "
     "$TOCSIN_PRIORITY ${HOME-none}",
     "", DELIVERY_ACCEPTED, "dlv_1 inc_1 opened 2 none", false},
    {"bytes are made printable", "printf 'a\\033[2J\\nb'", "", DELIVERY_ACCEPTED, "a?[2J", false},
};

static enum status open_sinks(const char *yaml, struct arena *arena, struct outcomes *outcomes,
                              struct sinks **out, struct error *err)
{
    struct yaml_file file = {0};
    enum status status = yaml_parse(text_of(yaml), arena, &file, err);
    if (status)
        return status;
    return sinks_open(&(struct sinks_options){.sinks = file.documents[0],
                                              .settle = outcomes_settle,
                                              .context = outcomes},
                      out, err);
}

static void test_command(void **state)
{
    const struct row *row = *state;
    struct arena arena;
    struct outcomes outcomes;
    struct sinks *sinks = NULL;
    struct error err = {0};
    char yaml[1024];
    arena_init(&arena, 1 << 20);
    assert_true(outcomes_init(&outcomes));
    (void)snprintf(yaml, sizeof yaml,
                   "- command:\n    {run: [/bin/sh, -c, *script], retry: 1h%s}\n", row->options);
    char *at = strstr(yaml, "*script");
    char quoted[512] = "'";
    size_t len = 1;
    for (const char *c = row->script; *c; c++) {
        quoted[len++] = *c;
        if (*c == '\'')
            quoted[len++] = '\'';
    }
    quoted[len++] = '\'';
    memmove(at + len, at + 7, strlen(at + 7) + 1);
    memcpy(at, quoted, len);
    if (open_sinks(yaml, &arena, &outcomes, &sinks, &err))
        fail_msg("%s: %s", err.text, yaml);
    assert_int_equal(sinks_start(sinks, NULL), STATUS_OK);
    struct delivery *d = outcomes_delivery(&(struct delivery){.id = TEXT("dlv_1"),
                                                              .destination = TEXT("command"),
                                                              .incident = TEXT("inc_1"),
                                                              .document = TEXT("{}"),
                                                              .priority = 2,
                                                              .queued_us = wall_clock_us()});
    assert_int_equal(sinks_send(sinks, d), STATUS_OK);
    AUTO(outcome) o = outcomes_take(&outcomes);
    assert_non_null(o);
    if (o->state != row->want || !strstr(o->detail.at, row->says))
        fail_msg("%s: %.*s", delivery_state_name(o->state), TEXT_ARG(o->detail));
    assert_int_equal(o->next_us != 0, row->is_again);
    sinks_close(sinks);
    outcomes_fini(&outcomes);
    arena_fini(&arena);
}

static const struct bad {
    const char *name, *yaml, *want;
} bads[] = {
    {"refused: no path", "- command: {run: [sh]}", "whole path"},
    {"refused: not there", "- command: {run: /no/such/program}", "/no/such/program"},
    {"refused: nothing to run", "- command: {run: []}", "want a program"},
};

static void test_refused(void **state)
{
    const struct bad *row = *state;
    struct arena arena;
    struct outcomes outcomes;
    struct sinks *sinks = NULL;
    struct error err = {0};
    arena_init(&arena, 1 << 20);
    assert_true(outcomes_init(&outcomes));
    assert_true(open_sinks(row->yaml, &arena, &outcomes, &sinks, &err) != STATUS_OK);
    assert_non_null(strstr(err.text, row->want));
    outcomes_fini(&outcomes);
    arena_fini(&arena);
}

/* A stop does not wait for a program that hangs. */
static void test_stop_ends_it(void **state)
{
    (void)state;
    struct arena arena;
    struct outcomes outcomes;
    struct sinks *sinks = NULL;
    arena_init(&arena, 1 << 20);
    assert_true(outcomes_init(&outcomes));
    assert_int_equal(open_sinks("- command: {run: [/bin/sleep, '1000'], timeout: 1h}", &arena,
                                &outcomes, &sinks, NULL),
                     STATUS_OK);
    assert_int_equal(sinks_start(sinks, NULL), STATUS_OK);
    struct delivery *d = outcomes_delivery(&(struct delivery){.id = TEXT("dlv_1"),
                                                              .destination = TEXT("command"),
                                                              .document = TEXT("{}"),
                                                              .queued_us = wall_clock_us()});
    assert_int_equal(sinks_send(sinks, d), STATUS_OK);
    sinks_stop(sinks, 50);
    sinks_close(sinks);
    outcomes_fini(&outcomes);
    arena_fini(&arena);
}

int main(void)
{
    enum { ROWS = sizeof rows / sizeof *rows, BADS = sizeof bads / sizeof *bads };
    struct CMUnitTest tests[ROWS + BADS + 1];
    for (size_t i = 0; i < ROWS; i++)
        tests[i] = ROW(test_command, &rows[i]);
    for (size_t i = 0; i < BADS; i++)
        tests[ROWS + i] = ROW(test_refused, &bads[i]);
    tests[ROWS + BADS] = (struct CMUnitTest)cmocka_unit_test(test_stop_ends_it);
    return cmocka_run_group_tests_name("test_sink_command", tests, NULL, NULL);
}
