/* SPDX-License-Identifier: Apache-2.0 */
#include "sinks/sink_smtp.h"
#include "sinks/sinks.h"
#include "tests/support/outcomes.h"
#include "tests/support/table.h"
#include <fcntl.h>
#include <ftw.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* An aiosmtpd of our own (python3-aiosmtpd), and sinks that send to it. */
struct rig {
    char dir[64];
    pid_t server;
    int server_stdin;
    int port;
    struct arena arena;
    struct outcomes outcomes;
    struct sinks *sinks;
};

enum { ARGUMENTS = 8 };

static pid_t spawn(const char *const *argv, int in, int out)
{
    posix_spawn_file_actions_t actions;
    assert_int_equal(posix_spawn_file_actions_init(&actions), 0);
    if (in >= 0)
        assert_int_equal(posix_spawn_file_actions_adddup2(&actions, in, 0), 0);
    assert_int_equal(out >= 0
                         ? posix_spawn_file_actions_adddup2(&actions, out, 1)
                         : posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0),
                     0);
    pid_t pid = 0;
    char *copies[ARGUMENTS + 12] = {0};
    for (size_t i = 0; argv[i]; i++)
        copies[i] = strdup(argv[i]);
    int failed = posix_spawn(&pid, argv[0], &actions, NULL, copies, environ);
    for (size_t i = 0; copies[i]; i++)
        free(copies[i]);
    (void)posix_spawn_file_actions_destroy(&actions);
    return failed ? -1 : pid;
}

static void server_start(struct rig *r, const char *const *options)
{
    const char *argv[ARGUMENTS + 4] = {"/usr/bin/python3",
                                       SOURCE_DIR "/tests/support/mail_server.py", r->dir};
    for (size_t i = 0; i < ARGUMENTS && options[i]; i++)
        argv[3 + i] = options[i];
    int in[2], out[2];
    assert_int_equal(pipe2(in, O_CLOEXEC), 0);
    assert_int_equal(pipe2(out, O_CLOEXEC), 0);
    r->server = spawn(argv, in[0], out[1]);
    (void)close(in[0]);
    (void)close(out[1]);
    r->server_stdin = in[1];
    char text[16] = "";
    size_t len = 0;
    while (r->server > 0 && len + 1 < sizeof text && !strchr(text, '\n') &&
           read(out[0], text + len, 1) == 1)
        len++;
    (void)close(out[0]);
    if (!len) {
        print_message("no /usr/bin/python3 with aiosmtpd (python3-aiosmtpd)\n");
        skip();
    }
    r->port = (int)strtol(text, NULL, 10);
}

static void certificate_make(const struct rig *r)
{
    char key[128], cert[128];
    (void)snprintf(key, sizeof key, "%s/key.pem", r->dir);
    (void)snprintf(cert, sizeof cert, "%s/cert.pem", r->dir);
    const char *const argv[] = {"/usr/bin/openssl",
                                "req",
                                "-x509",
                                "-newkey",
                                "ec",
                                "-pkeyopt",
                                "ec_paramgen_curve:P-256",
                                "-nodes",
                                "-subj",
                                "/CN=127.0.0.1",
                                "-addext",
                                "subjectAltName=IP:127.0.0.1",
                                "-keyout",
                                key,
                                "-out",
                                cert,
                                NULL};
    pid_t pid = spawn(argv, -1, -1);
    int status = -1;
    if (pid <= 0 || waitpid(pid, &status, 0) != pid || status != 0) {
        print_message("no /usr/bin/openssl (openssl)\n");
        skip();
    }
}

static void rig_open(struct rig *r, const char *const *server_options, const char *sink_options)
{
    server_start(r, server_options);
    char yaml[1024];
    (void)snprintf(yaml, sizeof yaml,
                   "sinks: [smtp: {server: '127.0.0.1:%d', from: 'SOC <soc@example.org>', "
                   "to: [duty@example.org, two@example.org], allow_private: true, retry: 1us, "
                   "retry_ceiling: 1us, breaker_after: 0, %s}]",
                   r->port, sink_options);
    struct yaml_file file = {0};
    struct error err = {0};
    enum status status = yaml_parse(text_of(yaml), &r->arena, &file, &err);
    if (!status)
        status =
            sinks_open(&(struct sinks_options){.sinks = yaml_get(file.documents[0], TEXT("sinks")),
                                               .data_dir = r->dir,
                                               .settle = outcomes_settle,
                                               .context = &r->outcomes},
                       &r->sinks, &err);
    if (status)
        fail_msg("%s", err.text);
    assert_int_equal(sinks_start(r->sinks, NULL), STATUS_OK);
}

static int set_up(void **state)
{
    struct rig *r = calloc(1, sizeof *r);
    if (!r)
        return -1;
    (void)snprintf(r->dir, sizeof r->dir, "/tmp/tocsin-smtp-XXXXXX");
    arena_init(&r->arena, 1 << 20);
    *state = r;
    return mkdtemp(r->dir) && outcomes_init(&r->outcomes) ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *s, int flag, struct FTW *f)
{
    (void)s;
    (void)flag;
    (void)f;
    return remove(path);
}

static int tear_down(void **state)
{
    struct rig *r = *state;
    sinks_close(r->sinks);
    if (r->server > 0) {
        (void)close(r->server_stdin); /* it ends when its standard input does */
        (void)waitpid(r->server, NULL, 0);
    }
    outcomes_fini(&r->outcomes);
    arena_fini(&r->arena);
    (void)nftw(r->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    free(r);
    return 0;
}

static const char document[] =
    "{\"id\":\"inc_1\",\"title\":\"Guessing\\r\\nBcc: evil@example.com\",\"score\":70,"
    "\"entities\":[{\"kind\":\"address\",\"value\":\"192.0.2.7\"}],"
    "\"contributions\":[{\"rule\":\"ssh-guessing\",\"tactic\":\"credential-access\",\"p\":0.27}],"
    "\"evidence\":[\"Failed password for http://evil.example/ from 192.0.2.7\\n.\\nQUIT\"]}";

static struct outcome *sent(struct rig *r, const char *id, enum notice_kind kind)
{
    struct delivery *d = outcomes_delivery(&(struct delivery){.id = text_of(id),
                                                              .destination = TEXT("smtp"),
                                                              .incident = TEXT("inc_1"),
                                                              .document = text_of(document),
                                                              .kind = kind,
                                                              .priority = 1,
                                                              .queued_us = INT64_MAX / 4});
    assert_non_null(d);
    assert_int_equal(sinks_send(r->sinks, d), STATUS_OK);
    struct outcome *o = outcomes_take(&r->outcomes);
    assert_non_null(o);
    return o;
}

static void expect(struct outcome *o, enum delivery_state state, int code)
{
    if (o->state != state || o->http_status != code)
        fail_msg("%s %d: %.*s", delivery_state_name(o->state), o->http_status, TEXT_ARG(o->detail));
    outcome_free(o);
}

static const char *read_file(struct rig *r, const char *name)
{
    char path[256];
    (void)snprintf(path, sizeof path, "%s/%s", r->dir, name);
    char *at = arena_bytes(&r->arena, 65536);
    int fd = open(path, O_RDONLY);
    assert_true(fd >= 0 && at);
    ssize_t len = read(fd, at, 65535);
    (void)close(fd);
    assert_true(len >= 0);
    at[len] = '\0';
    return at;
}

/* Undoes quoted-printable. */
static char *plain(const char *from, struct arena *arena)
{
    char *out = arena_bytes(arena, strlen(from) + 1);
    assert_non_null(out);
    char *to = out;
    while (*from) {
        char hex[3] = "";
        if (*from != '=') {
            *to++ = *from++;
        } else if (from[1] == '\r') {
            from += 3;
        } else {
            memcpy(hex, from + 1, 2);
            *to++ = (char)strtol(hex, NULL, 16);
            from += 3;
        }
    }
    *to = '\0';
    return out;
}

static void test_mail_arrives_whole(void **state)
{
    struct rig *r = *state;
    rig_open(r, (const char *const[]){NULL}, "tls: none");
    expect(sent(r, "dlv_1", NOTICE_OPENED), DELIVERY_ACCEPTED, 250);
    assert_string_equal(read_file(r, "1.to"), "soc@example.org duty@example.org two@example.org");
    const char *mail = read_file(r, "1.eml");
    assert_non_null(strstr(mail, "From: \"SOC\" <soc@example.org>\r\n"));
    assert_non_null(strstr(mail, "Subject: [P1] opened: Guessing"));
    assert_null(strstr(mail, "\nBcc:"));
    assert_non_null(strstr(mail, "Message-ID: <inc_1@example.org>\r\n"));
    mail = plain(strstr(mail, "\r\n\r\n"), &r->arena);
    assert_non_null(strstr(mail, "UNTRUSTED"));
    assert_non_null(strstr(mail, "hxxp[://]evil[.]example/ from 192.0.2.7\\x0A.\\x0AQUIT"));
    assert_null(strstr(mail, "http://evil"));
}

static void test_later_mails_refer_to_the_first(void **state)
{
    struct rig *r = *state;
    rig_open(r, (const char *const[]){NULL}, "tls: none");
    expect(sent(r, "dlv_1", NOTICE_OPENED), DELIVERY_ACCEPTED, 250);
    expect(outcomes_take(&r->outcomes), DELIVERY_ACCEPTED, 250);
    expect(sent(r, "dlv_2", NOTICE_RESOLVED), DELIVERY_ACCEPTED, 250);
    const char *mail = read_file(r, "2.eml");
    assert_non_null(strstr(mail, "Message-ID: <dlv_2@example.org>\r\n"));
    assert_non_null(strstr(mail, "References: <inc_1@example.org>\r\n"));
}

static void test_starttls_and_login(void **state)
{
    struct rig *r = *state;
    certificate_make(r);
    char path[128], options[512];
    (void)snprintf(path, sizeof path, "%s/password", r->dir);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_true(fputs("s3cret\n", f) >= 0);
    assert_int_equal(fclose(f), 0);
    (void)snprintf(options, sizeof options, "ca_file: %s/cert.pem, user: duty, password_file: %s",
                   r->dir, path);
    rig_open(r, (const char *const[]){"starttls", "auth", NULL}, options);
    expect(sent(r, "dlv_1", NOTICE_OPENED), DELIVERY_ACCEPTED, 250);
    assert_non_null(strstr(read_file(r, "1.eml"), "[P1]"));
}

static void test_unknown_certificate_is_not_trusted(void **state)
{
    struct rig *r = *state;
    certificate_make(r);
    rig_open(r, (const char *const[]){"starttls", NULL}, "tls: starttls");
    AUTO(outcome) o = sent(r, "dlv_1", NOTICE_OPENED);
    assert_int_equal(o->state, DELIVERY_FAILED_TEMP);
    assert_non_null(strstr(o->detail.at, "certificate"));
}

/* A server that offers no STARTTLS gets no mail: whoever is between could have cut the offer. */
static void test_no_mail_without_tls(void **state)
{
    struct rig *r = *state;
    rig_open(r, (const char *const[]){NULL}, "tls: starttls");
    AUTO(outcome) o = sent(r, "dlv_1", NOTICE_OPENED);
    assert_int_equal(o->state, DELIVERY_FAILED_TEMP);
}

static void test_wrong_password_waits_for_a_right_one(void **state)
{
    struct rig *r = *state;
    char options[256], path[128];
    (void)snprintf(path, sizeof path, "%s/password", r->dir);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_true(fputs("hunter2\n", f) >= 0);
    assert_int_equal(fclose(f), 0);
    (void)snprintf(options, sizeof options, "tls: none, user: duty, password_file: %s", path);
    rig_open(r, (const char *const[]){"auth", NULL}, options);
    AUTO(outcome) o = sent(r, "dlv_1", NOTICE_OPENED);
    assert_int_equal(o->state, DELIVERY_FAILED_TEMP);
    assert_int_equal(o->http_status, 535);
    assert_null(strstr(o->detail.at, "hunter2"));
}

static void test_transient_refusal_comes_again(void **state)
{
    struct rig *r = *state;
    rig_open(r, (const char *const[]){"refuse=451", NULL}, "tls: none");
    expect(sent(r, "dlv_1", NOTICE_OPENED), DELIVERY_FAILED_TEMP, 451);
    expect(outcomes_take(&r->outcomes), DELIVERY_FAILED_TEMP, 451);
    AUTO(outcome) again = outcomes_take(&r->outcomes);
    assert_int_equal(again->attempt, 2);
}

static void test_lasting_refusal_ends_it(void **state)
{
    struct rig *r = *state;
    rig_open(r, (const char *const[]){"refuse=554", NULL}, "tls: none");
    expect(sent(r, "dlv_1", NOTICE_OPENED), DELIVERY_FAILED_PERM, 554);
}

/* 250 for one, 550 for another: an outcome each, and the delivery ends with the second. */
static void test_one_bad_recipient_does_not_silence_the_rest(void **state)
{
    struct rig *r = *state;
    rig_open(r, (const char *const[]){"refuse_to=duty@example.org", NULL}, "tls: none");
    AUTO(outcome) first = sent(r, "dlv_1", NOTICE_OPENED);
    AUTO(outcome) second = outcomes_take(&r->outcomes);
    assert_non_null(second);
    assert_true(text_equal(first->recipient, TEXT("duty@example.org")));
    assert_int_equal(first->state, DELIVERY_FAILED_PERM);
    assert_int_equal(first->http_status, 550);
    assert_non_null(strstr(first->detail.at, "nobody of that name"));
    assert_true(first->is_part);
    assert_true(text_equal(second->recipient, TEXT("two@example.org")));
    assert_int_equal(second->state, DELIVERY_ACCEPTED);
    assert_null(strstr(second->detail.at, "550"));
    assert_false(second->is_part);
    assert_string_equal(read_file(r, "1.to"), "soc@example.org two@example.org");
}

/* 450 for one: he alone is tried again, and nobody gets two. */
static void test_greylisted_recipient_is_tried_again_alone(void **state)
{
    struct rig *r = *state;
    rig_open(r, (const char *const[]){"greylist=duty@example.org", NULL}, "tls: none");
    AUTO(outcome) two = sent(r, "dlv_1", NOTICE_OPENED);
    AUTO(outcome) duty = outcomes_take(&r->outcomes);
    AUTO(outcome) again = outcomes_take(&r->outcomes);
    assert_true(duty && again);
    assert_true(text_equal(two->recipient, TEXT("two@example.org")));
    assert_int_equal(two->state, DELIVERY_ACCEPTED);
    assert_true(two->is_part);
    assert_true(text_equal(duty->recipient, TEXT("duty@example.org")));
    assert_int_equal(duty->state, DELIVERY_FAILED_TEMP);
    assert_int_equal(duty->http_status, 450);
    assert_true(duty->next_us > 0);
    assert_true(text_equal(again->recipient, TEXT("duty@example.org")));
    assert_int_equal(again->state, DELIVERY_ACCEPTED);
    assert_int_equal(again->attempt, 2);
    assert_false(again->is_part);
    assert_string_equal(read_file(r, "1.to"), "soc@example.org two@example.org");
    assert_string_equal(read_file(r, "2.to"), "soc@example.org duty@example.org");
}

/* 450 for one and 550 for the other: no mail yet, one is given up, one comes again. */
static void test_all_refused_each_in_its_way(void **state)
{
    struct rig *r = *state;
    rig_open(r,
             (const char *const[]){"greylist=duty@example.org", "refuse_to=two@example.org", NULL},
             "tls: none");
    AUTO(outcome) two = sent(r, "dlv_1", NOTICE_OPENED);
    AUTO(outcome) duty = outcomes_take(&r->outcomes);
    AUTO(outcome) again = outcomes_take(&r->outcomes);
    assert_true(duty && again);
    assert_true(text_equal(two->recipient, TEXT("two@example.org")));
    assert_int_equal(two->state, DELIVERY_FAILED_PERM);
    assert_int_equal(duty->state, DELIVERY_FAILED_TEMP);
    assert_int_equal(duty->http_status, 450);
    assert_true(text_equal(again->recipient, TEXT("duty@example.org")));
    assert_int_equal(again->state, DELIVERY_ACCEPTED);
    assert_string_equal(read_file(r, "1.to"), "soc@example.org duty@example.org");
}

/* Who had it before a restart does not get it again. */
static void test_who_had_it_is_left_out(void **state)
{
    struct rig *r = *state;
    rig_open(r, (const char *const[]){NULL}, "tls: none");
    struct delivery *d = outcomes_delivery(&(struct delivery){.id = TEXT("dlv_1"),
                                                              .destination = TEXT("smtp"),
                                                              .incident = TEXT("inc_1"),
                                                              .document = text_of(document),
                                                              .settled = TEXT("two@example.org\n"),
                                                              .queued_us = INT64_MAX / 4});
    assert_non_null(d);
    assert_int_equal(sinks_send(r->sinks, d), STATUS_OK);
    AUTO(outcome) o = outcomes_take(&r->outcomes);
    assert_non_null(o);
    assert_true(text_equal(o->recipient, TEXT("duty@example.org")));
    assert_false(o->is_part);
    assert_string_equal(read_file(r, "1.to"), "soc@example.org duty@example.org");
}

static void test_silence_after_the_last_byte_is_unknown(void **state)
{
    struct rig *r = *state;
    rig_open(r, (const char *const[]){"hang", NULL}, "tls: none, timeout: 300ms");
    AUTO(outcome) o = sent(r, "dlv_1", NOTICE_OPENED);
    assert_int_equal(o->state, DELIVERY_UNKNOWN);
    assert_true(o->next_us != 0);
    AUTO(outcome) two = outcomes_take(&r->outcomes);
    assert_non_null(two);
    assert_int_equal(two->state, DELIVERY_UNKNOWN);
    AUTO(outcome) again = outcomes_take(&r->outcomes);
    assert_non_null(again);
    assert_int_equal(again->state, DELIVERY_UNKNOWN);
    assert_true(again->next_us == 0); /* once more, not for ever */
}

static void test_nobody_listens(void **state)
{
    struct rig *r = *state;
    rig_open(r, (const char *const[]){NULL}, "tls: none");
    (void)close(r->server_stdin);
    (void)waitpid(r->server, NULL, 0);
    r->server = 0;
    AUTO(outcome) o = sent(r, "dlv_1", NOTICE_OPENED);
    assert_int_equal(o->state, DELIVERY_FAILED_TEMP);
    assert_int_equal(o->http_status, 0);
}

#define EACH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH(test_mail_arrives_whole),
        EACH(test_later_mails_refer_to_the_first),
        EACH(test_starttls_and_login),
        EACH(test_unknown_certificate_is_not_trusted),
        EACH(test_no_mail_without_tls),
        EACH(test_wrong_password_waits_for_a_right_one),
        EACH(test_transient_refusal_comes_again),
        EACH(test_lasting_refusal_ends_it),
        EACH(test_one_bad_recipient_does_not_silence_the_rest),
        EACH(test_greylisted_recipient_is_tried_again_alone),
        EACH(test_all_refused_each_in_its_way),
        EACH(test_who_had_it_is_left_out),
        EACH(test_silence_after_the_last_byte_is_unknown),
        EACH(test_nobody_listens),
    };
    return cmocka_run_group_tests_name("test_sink_smtp", tests, NULL, NULL);
}
