/* SPDX-License-Identifier: Apache-2.0 */
#include "incidents/incidents.h"
#include "incidents/store/redis.h"
#include "tests/support/table.h"
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char *temp_dir(void)
{
    char *dir = strdup("/tmp/tocsin-test-XXXXXX");
    assert_non_null(dir);
    assert_non_null(mkdtemp(dir));
    return dir;
}

static void remove_dir(char *dir)
{
    char command[600];
    (void)snprintf(command, sizeof command, "rm -rf '%s'", dir);
    assert_int_equal(system(command), 0);
    free(dir);
}

/* Starts, or skips where no redis-server is installed. */
static struct redis_server *start(const char *dir)
{
    struct redis_server *s = NULL;
    struct error err = {0};
    enum status status = redis_server_start(dir, &s, &err);
    if (status == STATUS_NOTFOUND)
        SKIP_BECAUSE("no redis-server here");
    if (status)
        fail_msg("%s", err.text);
    return s;
}

static struct reply ask(struct redis_server *s, struct arena *arena, const char *a, const char *b,
                        const char *c)
{
    struct reply reply = {.kind = REPLY_ERROR};
    struct redis *r = NULL;
    const struct text args[] = {text_of(a), text_of(b), text_of(c)};
    if (redis_open(redis_server_socket(s), NULL, 2000, &r, NULL) == STATUS_OK)
        (void)!redis_call(r, args, c ? 3 : 2, arena, &reply, NULL);
    redis_close(r);
    return reply;
}

static pid_t server_pid(const char *dir)
{
    char path[600], digits[32] = {0};
    (void)snprintf(path, sizeof path, "%s/redis.lock", dir);
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    assert_non_null(fgets(digits, sizeof digits, f));
    fclose(f);
    return (pid_t)strtol(digits, NULL, 10);
}

static void test_answers_and_keeps(void **state)
{
    (void)state;
    char *dir = temp_dir();
    struct arena arena;
    arena_init(&arena, 1 << 20);
    struct redis_server *s = start(dir);
    assert_int_equal(ask(s, &arena, "SET", "k", "v").kind, REPLY_TEXT);
    struct reply policy = ask(s, &arena, "CONFIG", "GET", "appendfsync");
    assert_int_equal(policy.count, 2);
    assert_true(text_equal(policy.items[1].text, TEXT("always")));
    redis_server_stop(s);
    s = start(dir);
    assert_true(text_equal(ask(s, &arena, "GET", "k", NULL).text, TEXT("v")));
    redis_server_stop(s);
    arena_fini(&arena);
    remove_dir(dir);
}

static void test_killed_comes_again(void **state)
{
    (void)state;
    char *dir = temp_dir();
    struct arena arena;
    arena_init(&arena, 1 << 20);
    struct redis_server *s = start(dir);
    assert_int_equal(ask(s, &arena, "SET", "k", "v").kind, REPLY_TEXT);
    assert_int_equal(kill(server_pid(dir), SIGKILL), 0);
    struct reply got = {0};
    for (int i = 0; i < 500 && got.kind != REPLY_TEXT; i++) {
        got = ask(s, &arena, "GET", "k", NULL);
        (void)poll(NULL, 0, 10);
    }
    assert_true(text_equal(got.text, TEXT("v")));
    redis_server_stop(s);
    arena_fini(&arena);
    remove_dir(dir);
}

/* What a server left that was killed while it rewrote its file is gone at the next start. */
static void test_left_over_files_are_removed(void **state)
{
    (void)state;
    static const char *const names[] = {"temp-rewriteaof-17.aof", "temp-rewriteaof-bg-4242.aof",
                                        "temp-99.rdb", "temp-notes.txt"};
    char *dir = temp_dir();
    char path[600];
    for (size_t i = 0; i < 4; i++) {
        (void)snprintf(path, sizeof path, "%s/%s", dir, names[i]);
        FILE *f = fopen(path, "w");
        assert_non_null(f);
        assert_int_equal(fclose(f), 0);
    }
    struct redis_server *s = start(dir);
    redis_server_stop(s);
    for (size_t i = 0; i < 4; i++) {
        (void)snprintf(path, sizeof path, "%s/%s", dir, names[i]);
        assert_int_equal(access(path, F_OK), i < 3 ? -1 : 0);
    }
    remove_dir(dir);
}

static void test_second_owner_is_refused(void **state)
{
    (void)state;
    char *dir = temp_dir();
    struct redis_server *s = start(dir), *other = NULL;
    struct error err = {0};
    assert_int_equal(redis_server_start(dir, &other, &err), STATUS_CONFLICT);
    assert_null(other);
    redis_server_stop(s);
    remove_dir(dir);
}

static void test_torn_tail_is_repaired(void **state)
{
    (void)state;
    char *dir = temp_dir(), path[600];
    struct arena arena;
    arena_init(&arena, 1 << 20);
    struct redis_server *s = start(dir);
    assert_int_equal(ask(s, &arena, "SET", "a", "1").kind, REPLY_TEXT);
    assert_int_equal(ask(s, &arena, "SET", "b", "2").kind, REPLY_TEXT);
    redis_server_stop(s);
    (void)snprintf(path, sizeof path, "%s/appendonlydir/appendonly.aof.1.incr.aof", dir);
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(truncate(path, st.st_size - 3), 0);
    s = start(dir);
    assert_true(text_equal(ask(s, &arena, "GET", "a", NULL).text, TEXT("1")));
    assert_int_equal(ask(s, &arena, "GET", "b", NULL).kind, REPLY_NIL);
    redis_server_stop(s);
    arena_fini(&arena);
    remove_dir(dir);
}

/* What others may do with anything in the folder. */
static unsigned others_may(const char *dir)
{
    char command[600], found[256] = {0};
    (void)snprintf(command, sizeof command, "find '%s' -mindepth 1 -perm /077 ! -type l", dir);
    FILE *f = popen(command, "r");
    assert_non_null(f);
    unsigned count = 0;
    while (fgets(found, sizeof found, f)) {
        print_message("%s", found);
        count++;
    }
    assert_int_equal(pclose(f), 0);
    return count;
}

/* A folder that is there already is as it was made; what is written into it is for this user. */
static void test_nothing_is_for_others(void **state)
{
    (void)state;
    char *dir = temp_dir(), command[600];
    struct arena arena;
    mode_t before = umask(022);
    arena_init(&arena, 1 << 20);
    assert_int_equal(chmod(dir, 0755), 0);
    for (int run = 0; run < 2; run++) {
        struct redis_server *s = start(dir);
        assert_int_equal(ask(s, &arena, "SET", "k", "v").kind, REPLY_TEXT);
        assert_int_equal(others_may(dir), 0);
        redis_server_stop(s);
        assert_int_equal(others_may(dir), 0);
        /* as a program before this one left it */
        (void)snprintf(command, sizeof command, "chmod -R u+rwX,go+rX '%s'", dir);
        assert_int_equal(system(command), 0);
    }
    (void)umask(before);
    arena_fini(&arena);
    remove_dir(dir);
}

static void test_a_folder_that_others_write_in_is_refused(void **state)
{
    (void)state;
    static const mode_t modes[] = {0777, 01777, 0775, 0702};
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        char *dir = temp_dir();
        struct redis_server *s = NULL;
        struct error err = {0};
        assert_int_equal(chmod(dir, modes[i]), 0);
        assert_int_equal(redis_server_start(dir, &s, &err), STATUS_DENIED);
        assert_non_null(strstr(err.text, "chmod go-w"));
        assert_null(s);
        remove_dir(dir);
    }
}

static void test_long_path_has_a_short_socket(void **state)
{
    (void)state;
    char *dir = temp_dir(), path[400];
    char deep[151];
    memset(deep, 'd', sizeof deep - 1);
    deep[sizeof deep - 1] = 0;
    (void)snprintf(path, sizeof path, "%s/%s", dir, deep);
    struct redis_server *s = start(path);
    struct arena arena;
    arena_init(&arena, 1 << 20);
    assert_true(strlen(redis_server_socket(s)) < 108);
    assert_int_equal(ask(s, &arena, "SET", "k", "v").kind, REPLY_TEXT);
    redis_server_stop(s);
    arena_fini(&arena);
    remove_dir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers_and_keeps),
        cmocka_unit_test(test_killed_comes_again),
        cmocka_unit_test(test_left_over_files_are_removed),
        cmocka_unit_test(test_second_owner_is_refused),
        cmocka_unit_test(test_torn_tail_is_repaired),
        cmocka_unit_test(test_nothing_is_for_others),
        cmocka_unit_test(test_a_folder_that_others_write_in_is_refused),
        cmocka_unit_test(test_long_path_has_a_short_socket),
    };
    return cmocka_run_group_tests_name("test_redis_server", tests, NULL, NULL);
}
