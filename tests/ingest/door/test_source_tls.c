/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/authority.h"
#include "tests/support/door.h"
#include "tests/support/table.h"
#include <signal.h>

static const char *const files[] = {"ca",      "server",   "client", "stranger",
                                    "expired", "impostor", NULL};

struct stage {
    struct authority authority;
    struct door door;
};

static int setup(void **state)
{
    struct stage *s = calloc(1, sizeof *s);
    assert_non_null(s);
    authority_init(&s->authority);
    authority_add(&s->authority, "server", "server one", "DNS:localhost");
    authority_add(&s->authority, "client", "client", "DNS:web1.example.org");
    authority_add(&s->authority, "stranger", "stranger", "DNS:web1.example.net");
    s->authority.is_expiring = true;
    authority_add(&s->authority, "expired", "client", "DNS:web1.example.org");
    s->authority.is_expiring = false;
    authority_impostor(&s->authority, "impostor", "client", "DNS:web1.example.org");
    *state = s;
    return 0;
}

static int teardown(void **state)
{
    struct stage *s = *state;
    authority_fini(&s->authority, files);
    free(s);
    return 0;
}

static void open_door(struct stage *s, const char *kind, const char *more)
{
    char yaml[1024];
    const char *dir = s->authority.dir;
    (void)snprintf(yaml, sizeof yaml,
                   "%s: {listen: '127.0.0.1:0', certificate: %s/server.pem, key: %s/server.key%s",
                   kind, dir, dir, more);
    size_t used = strlen(yaml);
    if (strcmp(more, "") == 0)
        (void)snprintf(yaml + used, sizeof yaml - used, "}");
    else
        (void)snprintf(yaml + used, sizeof yaml - used, ", client_ca: %s/ca.pem}", dir);
    assert_int_equal(door_open(&s->door, yaml), STATUS_OK);
}

struct client {
    SSL_CTX *context;
    SSL *ssl;
    int fd;
};

/* Connects and shakes hands, with the certificate `name` or without one. */
static int enter(struct stage *s, struct client *c, const char *name, int version)
{
    char path[128], file[32];
    c->context = SSL_CTX_new(TLS_client_method());
    (void)SSL_CTX_set_max_proto_version(c->context, version);
    (void)SSL_CTX_set_min_proto_version(c->context, version);
    SSL_CTX_set_security_level(c->context, 0);
    if (name) {
        (void)snprintf(file, sizeof file, "%s.pem", name);
        assert_int_equal(
            SSL_CTX_use_certificate_file(c->context, authority_path(&s->authority, file, path), 1),
            1);
        (void)snprintf(file, sizeof file, "%s.key", name);
        assert_int_equal(
            SSL_CTX_use_PrivateKey_file(c->context, authority_path(&s->authority, file, path), 1),
            1);
    }
    c->fd = door_connect(&s->door, SOCK_STREAM);
    c->ssl = SSL_new(c->context);
    (void)SSL_set_fd(c->ssl, c->fd);
    return SSL_connect(c->ssl);
}

static void leave(struct client *c)
{
    (void)SSL_shutdown(c->ssl);
    SSL_free(c->ssl);
    SSL_CTX_free(c->context);
    (void)close(c->fd);
}

static void say(struct client *c, const char *bytes)
{
    assert_true(SSL_write(c->ssl, bytes, (int)strlen(bytes)) > 0);
}

/* True when the other side let us in: after TLS 1.3 the refusal comes with the first read. */
static bool is_refused(struct client *c, int connected)
{
    char byte;
    return connected != 1 || SSL_read(c->ssl, &byte, 1) <= 0;
}

static void test_messages(void **state)
{
    struct stage *s = *state;
    static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
    open_door(s, "syslog_tls", "");
    for (size_t i = 0; i < 2; i++) {
        struct client c;
        assert_int_equal(enter(s, &c, NULL, versions[i]), 1);
        say(&c, "7 <13>one7 <13>two");
        assert_int_equal(collector_wait(&s->door.collector, 2 * i + 2), 2 * i + 2);
        leave(&c);
    }
    assert_string_equal(s->door.collector.records[3].raw.at, "<13>two");
    door_close(&s->door);
}

static void test_large_stream(void **state)
{
    struct stage *s = *state;
    enum { COUNT = 20000 };
    open_door(s, "syslog_tls", "");
    s->door.collector.counts_only = true;
    struct client c;
    assert_int_equal(enter(s, &c, NULL, TLS1_3_VERSION), 1);
    for (int i = 0; i < COUNT; i++)
        say(&c, "<13>a message that goes over the wire with many others of its kind\n");
    assert_int_equal(collector_wait(&s->door.collector, COUNT), COUNT);
    leave(&c);
    door_close(&s->door);
}

static void test_old_versions_are_refused(void **state)
{
    struct stage *s = *state;
    open_door(s, "syslog_tls", "");
    struct client c;
    assert_int_not_equal(enter(s, &c, NULL, TLS1_1_VERSION), 1);
    leave(&c);
    source_stop(s->door.source);
    assert_true(door_metric(&s->door, "source_broken_total", NULL) == 1);
    door_close(&s->door);
}

static void test_client_certificates(void **state)
{
    struct stage *s = *state;
    open_door(s, "syslog_tls", ", client_names: ['*.example.org']");
    struct client c;
    int connected = enter(s, &c, NULL, TLS1_3_VERSION);
    assert_true(is_refused(&c, connected));
    leave(&c);
    static const char *const refused[] = {"stranger", "expired", "impostor"};
    for (size_t i = 0; i < 6; i++) {
        connected = enter(s, &c, refused[i % 3], i < 3 ? TLS1_3_VERSION : TLS1_2_VERSION);
        assert_true(is_refused(&c, connected));
        leave(&c);
    }
    assert_int_equal(enter(s, &c, "client", TLS1_3_VERSION), 1);
    say(&c, "<13>let in\n");
    assert_int_equal(collector_wait(&s->door.collector, 1), 1);
    leave(&c);
    source_stop(s->door.source);
    assert_true(door_metric(&s->door, "source_broken_total", NULL) == 7);
    door_close(&s->door);
}

static void test_garbage(void **state)
{
    struct stage *s = *state;
    open_door(s, "syslog_tls", "");
    int fd = door_connect(&s->door, SOCK_STREAM);
    door_send(fd, TEXT("<13>this is plain text and no TLS at all, not even a little of it\n"));
    assert_true(door_is_closed(fd));
    struct client c;
    assert_int_equal(enter(s, &c, NULL, TLS1_3_VERSION), 1);
    say(&c, "<13>others are unharmed\n");
    assert_int_equal(collector_wait(&s->door.collector, 1), 1);
    leave(&c);
    (void)close(fd);
    door_close(&s->door);
}

/* A message over a connection that was there before, and one over a new one. */
static void assert_unharmed(struct stage *s, struct client *before, size_t count)
{
    struct client c;
    say(before, "<13>there before\n");
    assert_int_equal(collector_wait(&s->door.collector, count + 1), count + 1);
    assert_int_equal(enter(s, &c, NULL, TLS1_3_VERSION), 1);
    say(&c, "<13>others are unharmed\n");
    assert_int_equal(collector_wait(&s->door.collector, count + 2), count + 2);
    leave(&c);
}

static void test_renegotiation_is_refused(void **state)
{
    struct stage *s = *state;
    open_door(s, "syslog_tls", "");
    struct client good, bad;
    assert_int_equal(enter(s, &good, NULL, TLS1_3_VERSION), 1);
    assert_int_equal(enter(s, &bad, NULL, TLS1_2_VERSION), 1);
    say(&bad, "<13>before\n");
    assert_int_equal(collector_wait(&s->door.collector, 1), 1);
    assert_int_equal(SSL_renegotiate(bad.ssl), 1);
    int result = SSL_do_handshake(bad.ssl);
    char byte;
    assert_true(result != 1 || SSL_read(bad.ssl, &byte, 1) <= 0);
    assert_unharmed(s, &good, 1);
    leave(&bad);
    leave(&good);
    door_close(&s->door);
}

/* TLS 1.3's new keys cost us more than the sender: a flood of them ends the connection. */
static void test_a_flood_of_new_keys(void **state)
{
    struct stage *s = *state;
    open_door(s, "syslog_tls", "");
    struct client good, bad;
    assert_int_equal(enter(s, &good, NULL, TLS1_3_VERSION), 1);
    assert_int_equal(enter(s, &bad, NULL, TLS1_3_VERSION), 1);
    for (int i = 0; i < 3; i++) { /* as many as an honest sender has in gigabytes */
        assert_int_equal(SSL_key_update(bad.ssl, SSL_KEY_UPDATE_NOT_REQUESTED), 1);
        say(&bad, "<13>under new keys\n");
    }
    assert_int_equal(collector_wait(&s->door.collector, 3), 3);
    bool is_open = true;
    for (int i = 0; i < 1000000 && is_open; i++)
        is_open = SSL_key_update(bad.ssl, SSL_KEY_UPDATE_NOT_REQUESTED) == 1 &&
                  SSL_do_handshake(bad.ssl) == 1;
    assert_false(is_open);
    assert_unharmed(s, &good, 3);
    leave(&bad);
    leave(&good);
    door_close(&s->door);
}

static void test_half_handshakes(void **state)
{
    struct stage *s = *state;
    enum { MANY = 200 };
    /* the head of a record that is a ClientHello, its rest never comes; one that is longer than a
     * record may be; an empty one; an alert */
    static const char *const heads[] = {
        "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "\x16\x03\x01\xff\xff\x01\x00\x01",
        "\x16\x03\x01\x00\x00\x16\x03\x01\x00\x00", "\x15\x03\x01\x00\x02\x02\x28"};
    static const size_t lengths[] = {11, 8, 10, 7};
    int fds[MANY];
    open_door(s, "syslog_tls", "");
    struct client good;
    assert_int_equal(enter(s, &good, NULL, TLS1_3_VERSION), 1);
    for (size_t i = 0; i < MANY; i++) {
        fds[i] = door_connect(&s->door, SOCK_STREAM);
        door_send(fds[i], (struct text){heads[i % 4], lengths[i % 4]});
    }
    assert_unharmed(s, &good, 0);
    for (size_t i = 0; i < MANY; i++)
        (void)close(fds[i]);
    leave(&good);
    door_close(&s->door);
}

/* Bytes that are no record, behind a good handshake and a good message. */
static void test_garbage_behind_a_handshake(void **state)
{
    struct stage *s = *state;
    static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
    open_door(s, "syslog_tls", "");
    struct client good, bad;
    assert_int_equal(enter(s, &good, NULL, TLS1_3_VERSION), 1);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(enter(s, &bad, NULL, versions[i]), 1);
        say(&bad, "<13>good\n");
        assert_int_equal(collector_wait(&s->door.collector, 3 * i + 1), 3 * i + 1);
        door_send(bad.fd, TEXT("\x17\x03\x03\x00\x20these are 32 bytes of no cipher.."));
        assert_true(door_is_closed(bad.fd));
        assert_unharmed(s, &good, 3 * i + 1);
        leave(&bad);
    }
    leave(&good);
    door_close(&s->door);
}

static void read_name(struct client *c, char out[64])
{
    X509 *x = SSL_get1_peer_certificate(c->ssl);
    (void)X509_NAME_get_text_by_NID(X509_get_subject_name(x), NID_commonName, out, 64);
    X509_free(x);
}

static void test_a_changed_certificate_is_taken_up(void **state)
{
    struct stage *s = *state;
    char name[64];
    open_door(s, "syslog_tls", "");
    struct client before, after;
    assert_int_equal(enter(s, &before, NULL, TLS1_3_VERSION), 1);
    read_name(&before, name);
    assert_string_equal(name, "server one");
    authority_add(&s->authority, "server", "server two", "DNS:localhost");
    assert_int_equal(enter(s, &after, NULL, TLS1_3_VERSION), 1);
    read_name(&after, name);
    assert_string_equal(name, "server two");
    say(&before, "<13>still connected\n");
    assert_int_equal(collector_wait(&s->door.collector, 1), 1);
    /* a broken file changes nothing */
    char path[128];
    FILE *f = fopen(authority_path(&s->authority, "server.pem", path), "w");
    assert_non_null(f);
    (void)fclose(f);
    leave(&after);
    assert_int_equal(enter(s, &after, NULL, TLS1_3_VERSION), 1);
    read_name(&after, name);
    assert_string_equal(name, "server two");
    leave(&before);
    leave(&after);
    door_close(&s->door);
}

static void test_relp_over_tls(void **state)
{
    struct stage *s = *state;
    open_door(s, "relp", "");
    struct client c;
    char got[256] = "";
    assert_int_equal(enter(s, &c, NULL, TLS1_3_VERSION), 1);
    say(&c, "1 open 14 relp_version=0\n");
    assert_true(SSL_read(c.ssl, got, sizeof got - 1) > 0);
    assert_non_null(strstr(got, "1 rsp 58 200 OK"));
    say(&c, "2 syslog 5 <13>a\n");
    memset(got, 0, sizeof got);
    assert_true(SSL_read(c.ssl, got, sizeof got - 1) > 0);
    assert_string_equal(got, "2 rsp 6 200 OK\n");
    leave(&c);
    door_close(&s->door);
}

static void test_refused_settings(void **state)
{
    struct stage *s = *state;
    char yaml[512];
    assert_int_equal(door_open(&s->door, "syslog_tls: {listen: '127.0.0.1:0'}"), STATUS_INVALID);
    assert_non_null(strstr(s->door.error.text, "`certificate` and `key` are required"));
    door_close(&s->door);
    (void)snprintf(yaml, sizeof yaml,
                   "syslog_tls: {certificate: %s/server.pem, key: %s/client.key}", s->authority.dir,
                   s->authority.dir);
    assert_int_equal(door_open(&s->door, yaml) == STATUS_OK, 0);
    door_close(&s->door);
    (void)snprintf(yaml, sizeof yaml, "syslog_tls: {certificate: %s/none.pem, key: %s/client.key}",
                   s->authority.dir, s->authority.dir);
    assert_int_equal(door_open(&s->door, yaml), STATUS_IO);
    assert_non_null(strstr(s->door.error.text, "none.pem"));
    door_close(&s->door);
}

int main(void)
{
    const struct sigaction ignore = {.sa_handler = SIG_IGN};
    (void)sigaction(SIGPIPE, &ignore, NULL); /* the test's own client writes to closed sockets */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_messages, setup, teardown),
        cmocka_unit_test_setup_teardown(test_large_stream, setup, teardown),
        cmocka_unit_test_setup_teardown(test_old_versions_are_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(test_client_certificates, setup, teardown),
        cmocka_unit_test_setup_teardown(test_garbage, setup, teardown),
        cmocka_unit_test_setup_teardown(test_renegotiation_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_flood_of_new_keys, setup, teardown),
        cmocka_unit_test_setup_teardown(test_half_handshakes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_garbage_behind_a_handshake, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_changed_certificate_is_taken_up, setup, teardown),
        cmocka_unit_test_setup_teardown(test_relp_over_tls, setup, teardown),
        cmocka_unit_test_setup_teardown(test_refused_settings, setup, teardown),
    };
    return cmocka_run_group_tests_name("test_source_tls", tests, NULL, NULL);
}
