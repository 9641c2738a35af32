/* SPDX-License-Identifier: Apache-2.0 */
#include "base/timestamp.h"
#include "ingest/ingest.h"
#include "tests/support/table.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct place {
    char dir[64], path[128];
};

static int setup(void **state)
{
    struct place *p = calloc(1, sizeof *p);
    assert_non_null(p);
    (void)snprintf(p->dir, sizeof p->dir, "/tmp/tocsin-keyring-XXXXXX");
    assert_non_null(mkdtemp(p->dir));
    (void)snprintf(p->path, sizeof p->path, "%s/keys", p->dir);
    *state = p;
    return 0;
}

static int teardown(void **state)
{
    struct place *p = *state;
    char lock[160];
    (void)snprintf(lock, sizeof lock, "%s.lock", p->path);
    (void)unlink(lock);
    (void)unlink(p->path);
    assert_int_equal(rmdir(p->dir), 0);
    free(p);
    return 0;
}

static struct keyring_entry wanted(const char *name, const char *scope)
{
    struct keyring_entry e = {.expires_us = TIMESTAMP_NONE};
    (void)snprintf(e.name, sizeof e.name, "%s", name);
    (void)snprintf(e.scope, sizeof e.scope, "%s", scope);
    return e;
}

static const int64_t now_us = INT64_C(1800000000000000);

static enum status check(struct keyring *k, const char *key, const char *scope)
{
    return keyring_check(k, text_of(key), text_of(scope), now_us, NULL);
}

static void test_a_key_opens_its_scope(void **state)
{
    const struct place *p = *state;
    AUTO(keyring) k = NULL;
    char key[KEYRING_KEY_LEN + 1];
    struct keyring_entry want = wanted("prometheus", "alertmanager");
    assert_int_equal(keyring_open(p->path, &k, NULL), STATUS_OK);
    assert_int_equal(keyring_add(k, &want, key, NULL), STATUS_OK);
    assert_int_equal(strlen(key), KEYRING_KEY_LEN);
    assert_int_equal(check(k, key, "alertmanager"), STATUS_OK);
    assert_int_equal(check(k, key, "pagerduty"), STATUS_DENIED);
    assert_int_equal(check(k, "", "alertmanager"), STATUS_DENIED);
    key[KEYRING_KEY_LEN - 1] = key[KEYRING_KEY_LEN - 1] == 'a' ? 'b' : 'a';
    assert_int_equal(check(k, key, "alertmanager"), STATUS_DENIED);
    assert_int_equal(keyring_add(k, &want, key, NULL), STATUS_EXISTS);
}

static void test_only_the_digest_is_stored(void **state)
{
    const struct place *p = *state;
    AUTO(keyring) k = NULL;
    char key[KEYRING_KEY_LEN + 1];
    char content[1024] = "";
    struct stat st;
    struct keyring_entry want = wanted("zabbix", "*");
    assert_int_equal(keyring_open(p->path, &k, NULL), STATUS_OK);
    assert_int_equal(keyring_add(k, &want, key, NULL), STATUS_OK);
    FILE *f = fopen(p->path, "r");
    assert_non_null(f);
    assert_true(fread(content, 1, sizeof content - 1, f) > 0);
    (void)fclose(f);
    assert_null(strstr(content, key + KEYRING_ID_LEN));
    assert_non_null(strstr(content, "\"sha256\":\""));
    assert_int_equal(stat(p->path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
}

static void test_another_process_revokes(void **state)
{
    const struct place *p = *state;
    AUTO(keyring) running = NULL;
    AUTO(keyring) command = NULL;
    char key[KEYRING_KEY_LEN + 1];
    struct keyring_entry want = wanted("grafana", "*");
    assert_int_equal(keyring_open(p->path, &running, NULL), STATUS_OK);
    assert_int_equal(keyring_open(p->path, &command, NULL), STATUS_OK);
    assert_int_equal(keyring_add(command, &want, key, NULL), STATUS_OK);
    assert_int_equal(check(running, key, "grafana"), STATUS_OK);
    assert_int_equal(keyring_revoke(command, TEXT("grafana"), NULL), STATUS_OK);
    assert_int_equal(keyring_check(running, text_of(key), TEXT("x"), now_us + 1000000, NULL),
                     STATUS_DENIED);
    assert_int_equal(keyring_revoke(command, TEXT("grafana"), NULL), STATUS_NOTFOUND);
    char fresh[KEYRING_KEY_LEN + 1];
    assert_int_equal(keyring_add(command, &want, fresh, NULL), STATUS_OK); /* the name is free */
}

static void test_two_keys_for_a_rotation(void **state)
{
    const struct place *p = *state;
    AUTO(keyring) k = NULL;
    char old[KEYRING_KEY_LEN + 1], fresh[KEYRING_KEY_LEN + 1];
    struct keyring_entry first = wanted("am", "alertmanager");
    struct keyring_entry second = wanted("am", "*");
    assert_int_equal(keyring_open(p->path, &k, NULL), STATUS_OK);
    assert_int_equal(keyring_add(k, &first, old, NULL), STATUS_OK);
    assert_int_equal(keyring_add(k, &second, fresh, NULL), STATUS_OK);
    assert_int_equal(keyring_revoke(k, TEXT("am"), NULL), STATUS_CONFLICT);
    assert_int_equal(keyring_revoke(k, (struct text){old, KEYRING_ID_LEN}, NULL), STATUS_OK);
    assert_int_equal(check(k, old, "alertmanager"), STATUS_DENIED);
    assert_int_equal(check(k, fresh, "alertmanager"), STATUS_OK);
}

static void test_rate_and_expiry(void **state)
{
    const struct place *p = *state;
    AUTO(keyring) k = NULL;
    char key[KEYRING_KEY_LEN + 1];
    struct keyring_entry want = wanted("noisy", "*");
    want.rate_per_s = 2;
    want.expires_us = now_us + 10000000;
    assert_int_equal(keyring_open(p->path, &k, NULL), STATUS_OK);
    assert_int_equal(keyring_add(k, &want, key, NULL), STATUS_OK);
    for (int i = 0; i < 4; i++)
        assert_int_equal(check(k, key, "x"), STATUS_OK);
    assert_int_equal(check(k, key, "x"), STATUS_LIMIT);
    assert_int_equal(keyring_check(k, text_of(key), TEXT("x"), now_us + 500000, NULL), STATUS_OK);
    assert_int_equal(keyring_check(k, text_of(key), TEXT("x"), now_us + 10000000, NULL),
                     STATUS_DENIED);
}

static void test_a_damaged_file_is_refused(void **state)
{
    const struct place *p = *state;
    struct keyring *k = NULL;
    struct error err;
    FILE *f = fopen(p->path, "w");
    assert_non_null(f);
    assert_true(fputs("{\"id\":\"abc\"}\n", f) >= 0);
    (void)fclose(f);
    assert_int_equal(keyring_open(p->path, &k, &err), STATUS_SYNTAX);
    assert_int_equal(err.line, 1);
}

/* ---- keys at the webhooks ---- */

static int post(struct webhooks *w, const char *path, const char *authorization, const char *body)
{
    struct webhook_reply reply = {0};
    AUTO(batch) b = batch_new();
    const struct webhook_request q = {.method = TEXT("POST"),
                                      .path = text_of(path),
                                      .content_type = TEXT("application/json"),
                                      .authorization = text_of(authorization),
                                      .body = text_of(body)};
    bool is_stored = webhooks_take(w, &q, b, &reply);
    assert_true(is_stored == (reply.status < 300));
    buffer_fini(&reply.body);
    return reply.status;
}

static void test_webhooks_ask_for_a_key(void **state)
{
    const struct place *p = *state;
    AUTO(keyring) k = NULL;
    AUTO(webhooks) w = NULL;
    char key[KEYRING_KEY_LEN + 1], header[128], body[256], basic[128];
    struct keyring_entry want = wanted("all", "*");
    want.rate_per_s = 3;
    assert_int_equal(keyring_open(p->path, &k, NULL), STATUS_OK);
    assert_int_equal(keyring_add(k, &want, key, NULL), STATUS_OK);
    assert_int_equal(webhooks_open(NULL, 0, &w, NULL), STATUS_OK);
    assert_int_equal(post(w, "/api/v1/events", "", "{}"), 200);
    webhooks_use_keys(w, k, true);
    assert_int_equal(post(w, "/api/v1/events", "", "{}"), 401);
    assert_int_equal(post(w, "/api/v1/events", "Bearer wrong", "{}"), 401);
    (void)snprintf(header, sizeof header, "Bearer %s", key);
    assert_int_equal(post(w, "/api/v1/events", header, "{}"), 200);
    (void)snprintf(body, sizeof body, "user:%s", key);
    size_t len = text_to_base64(text_of(body), basic);
    (void)snprintf(header, sizeof header, "Basic %.*s", (int)len, basic);
    assert_int_equal(post(w, "/api/v1/events", header, "{}"), 200);
    (void)snprintf(body, sizeof body,
                   "{\"routing_key\":\"%s\",\"dedup_key\":\"d\",\"event_action\":\"resolve\"}",
                   key);
    assert_int_equal(post(w, "/v2/enqueue", "", body), 202);
    int last = 0;
    for (int i = 0; i < 4; i++)
        last = post(w, "/v2/enqueue", "", body);
    assert_int_equal(last, 429); /* faster than its rate, in the words of that path */
    assert_int_equal(post(w, "/v2/enqueue", "", "{\"routing_key\":\"other\"}"), 401);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_key_opens_its_scope, setup, teardown),
        cmocka_unit_test_setup_teardown(test_only_the_digest_is_stored, setup, teardown),
        cmocka_unit_test_setup_teardown(test_another_process_revokes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_two_keys_for_a_rotation, setup, teardown),
        cmocka_unit_test_setup_teardown(test_rate_and_expiry, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_damaged_file_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(test_webhooks_ask_for_a_key, setup, teardown),
    };
    return cmocka_run_group_tests_name("test_keyring", tests, NULL, NULL);
}
