/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/rules/harness.h"
#include "tests/support/table.h"
#include <jansson.h>

/* Rule and event pairs: ours, which always run, and those of the corpora where they are. */

static char *line_of(FILE *f)
{
    char *line = NULL;
    size_t size = 0;
    if (getline(&line, &size, f) < 0) {
        free(line);
        return NULL;
    }
    return line;
}

/* True where the rule answers as the vector says; prints what differs. */
static bool is_as_expected(const json_t *vector)
{
    struct harness h;
    const char *name = json_string_value(json_object_get(vector, "name"));
    const json_t *refused = json_object_get(vector, "refused");
    bool want = json_is_true(json_object_get(vector, "match"));
    enum status status = harness_open(&h, json_string_value(json_object_get(vector, "rule")));
    bool is_right = false;
    if (refused) {
        const char *code = json_string_value(refused);
        is_right = status == STATUS_OK && strstr(h.messages, code);
        if (!is_right)
            print_error("%s: want %s, was told '%s'\n", name, code, h.messages);
    } else if (status || h.messages[0]) {
        print_error("%s: %s %s\n", name, h.messages, h.first);
    } else {
        char *event = json_dumps(json_object_get(vector, "event"), JSON_COMPACT);
        is_right = harness_match_json(&h, text_of(event)) == want;
        if (!is_right)
            print_error("%s: want %s for %s\n", name, want ? "a match" : "none", event);
        harness_close(&h);
        free(event);
        return is_right;
    }
    harness_close(&h);
    return is_right;
}

static void run_file(const char *path, const char *needs)
{
    FILE *f = fopen(path, "r");
    unsigned wrong = 0;
    unsigned count = 0;
    assert_non_null(f);
    for (char *line = line_of(f); line; line = line_of(f)) {
        json_t *vector = json_loads(line, 0, NULL);
        free(line);
        assert_non_null(vector);
        if (!needs || !json_object_get(vector, needs)) {
            wrong += !is_as_expected(vector);
            count++;
        }
        json_decref(vector);
    }
    (void)fclose(f);
    print_message("%s: %u vectors, %u wrong\n", path, count, wrong);
    assert_int_equal(wrong, 0);
}

static void run_corpus(const char *name, const char *needs)
{
    char path[4096];
    const char *folder = getenv("TOCSIN_CORPORA");
    if (!folder)
        SKIP_BECAUSE("TOCSIN_CORPORA is not set");
    (void)snprintf(path, sizeof path, "%s/sigma/%s", folder, name);
    run_file(path, needs);
}

static void test_own_vectors(void **state)
{
    (void)state;
    run_file(SOURCE_DIR "/tests/rules/sigma_vectors.jsonl", NULL);
}

static void test_spec_edge(void **state)
{
    (void)state;
    run_corpus("vectors_spec_edge.jsonl", NULL);
}

/* Those with `needs` go past the specification: array quantifiers of a later draft. */
static void test_detection_mit(void **state)
{
    (void)state;
    run_corpus("vectors_detection_mit.jsonl", "needs");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_own_vectors),
        cmocka_unit_test(test_spec_edge),
        cmocka_unit_test(test_detection_mit),
    };
    return cmocka_run_group_tests_name("test_sigma_vectors", tests, NULL, NULL);
}
