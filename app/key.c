/* SPDX-License-Identifier: Apache-2.0 */
#include "app/command.h"
#include "app/config.h"
#include "app/subcommands.h"
#include "base/json_write.h"
#include "base/path.h"
#include "base/printable.h"
#include "base/timestamp.h"
#include "base/wall_clock.h"
#include "ingest/ingest.h"
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static const char usage[] =
    "Usage: tocsin key add NAME [--scope SCOPE] [--expires D] [--rate N]\n"
    "       tocsin key list [--json]\n"
    "       tocsin key revoke ID|NAME\n\n"
    "Keys for doors that are not on loopback. A key is shown once, when it is made; only its hash\n"
    "is kept. SCOPE is an integration: events, pagerduty, opsgenie, cloudevents, alertmanager;\n"
    "without it, all.";

struct key_options {
    const char *config_path, *data, *scope;
    int64_t expires_us;
    uint32_t rate;
    bool is_json;
};

static void write_time(struct buffer *out, const char *name, int64_t us)
{
    if (us != TIMESTAMP_NONE)
        json_write_time(out, name, us);
}

static void print_json(const struct keyring_entry *e)
{
    struct buffer line;
    buffer_init(&line, 1 << 16);
    json_write_open(&line, NULL, '{');
    json_write_string(&line, "id", text_of(e->id));
    json_write_string(&line, "name", text_of(e->name));
    json_write_string(&line, "scope", text_of(e->scope));
    write_time(&line, "created", e->created_us);
    write_time(&line, "expires", e->expires_us);
    write_time(&line, "revoked", e->revoked_us);
    json_write_int(&line, "rate_per_s", e->rate_per_s);
    json_write_close(&line, '}');
    (void)printf("%.*s\n", TEXT_ARG(buffer_text(&line)));
    buffer_fini(&line);
}

static void print_row(const struct keyring_entry *e)
{
    char when[TIMESTAMP_LEN + 1];
    timestamp_format(e->created_us, when);
    printable_print(stdout, "%-8s  %-24s %-16s made %.10s%s%s\n", e->id, e->name, e->scope, when,
                    e->revoked_us != TIMESTAMP_NONE ? ", revoked" : "",
                    e->expires_us != TIMESTAMP_NONE ? ", expires" : "");
}

static void print_entry(void *context, const struct keyring_entry *e)
{
    const struct key_options *o = context;
    if (o->is_json)
        print_json(e);
    else
        print_row(e);
}

/* A key that nobody could read is of no use, and its name would be taken. */
static int take_back(struct keyring *keys, const char *key)
{
    struct error err = {0};
    struct text id = {key, KEYRING_ID_LEN};
    if (keyring_revoke(keys, id, &err))
        command_say("key: %.*s could not be shown, and not be revoked either: %s", TEXT_ARG(id),
                    err.text);
    else
        command_say("key: %.*s could not be shown and is revoked: add it again", TEXT_ARG(id));
    return COMMAND_UNFINISHED;
}

/* An integration's name, or all of them. */
static bool is_scope(const char *scope)
{
    if (strcmp(scope, "*") == 0)
        return true;
    char known[400] = "";
    size_t len = 0;
    const char *name = NULL;
    for (uint32_t i = 0; (name = webhooks_integration(i)) && len < sizeof known; i++) {
        if (strcmp(scope, name) == 0)
            return true;
        len += (size_t)snprintf(known + len, sizeof known - len, "%s%s", len ? ", " : "", name);
    }
    command_say("key: there is no integration '%s' for --scope; there are %s", scope, known);
    return false;
}

static int add(struct keyring *keys, const struct key_options *o, const char *name)
{
    struct error err = {0};
    char key[KEYRING_KEY_LEN + 1];
    if (o->scope && !is_scope(o->scope))
        return COMMAND_USAGE;
    struct keyring_entry want = {
        .expires_us = o->expires_us ? wall_clock_us() + o->expires_us : TIMESTAMP_NONE,
        .revoked_us = TIMESTAMP_NONE,
        .rate_per_s = o->rate,
    };
    (void)snprintf(want.name, sizeof want.name, "%s", name);
    (void)snprintf(want.scope, sizeof want.scope, "%s", o->scope ? o->scope : "*");
    if (keyring_add(keys, &want, key, &err)) {
        command_say("key: %s", err.text);
        return COMMAND_NO;
    }
    printable_print(stdout, "%s\n", key);
    if (!command_flush_stdout())
        return take_back(keys, key);
    command_say("this key is shown once: keep it where its sender reads it");
    return COMMAND_DONE;
}

static int revoke(struct keyring *keys, const char *which)
{
    struct error err = {0};
    if (!keyring_revoke(keys, text_of(which), &err))
        return COMMAND_DONE;
    command_say("key: %s", err.text);
    return COMMAND_NO;
}

static int act(struct key_options *o, const char **rest, uint32_t count)
{
    struct error err = {0};
    AUTO(config) config = NULL;
    AUTO(keyring) keys = NULL;
    char path[PATH_ROOM];
    if (config_load(o->config_path, o->data, &config, &err)) {
        command_say("key: %s", err.text);
        return COMMAND_USAGE;
    }
    (void)mkdir(config->data.at, 0700);
    (void)command_path(path, sizeof path, config->data.at, "keys");
    if (keyring_open(path, &keys, &err)) {
        command_say("key: %s", err.text);
        return COMMAND_UNFINISHED;
    }
    if (count == 2 && strcmp(rest[0], "add") == 0)
        return add(keys, o, rest[1]);
    if (count == 2 && strcmp(rest[0], "revoke") == 0)
        return revoke(keys, rest[1]);
    if (count == 1 && strcmp(rest[0], "list") == 0) {
        keyring_list(keys, print_entry, o);
        return COMMAND_DONE;
    }
    command_say("key: want add NAME, list, or revoke ID; see tocsin key --help");
    return COMMAND_USAGE;
}

int key_main(int argc, char **argv)
{
    struct key_options o = {0};
    const char *rest[64];
    uint32_t count = 0;
    const struct command_flag flags[] = {
        {"scope", FLAG_TEXT, &o.scope, "SCOPE", "one integration; without it, all"},
        {"expires", FLAG_DURATION, &o.expires_us, "D", "after so long, such as 90d"},
        {"rate", FLAG_COUNT, &o.rate, "N", "requests a second, 1 to 64; without it, no limit"},
        {"config", FLAG_TEXT, &o.config_path, "FILE", "the configuration that names the folder"},
        {"data", FLAG_TEXT, &o.data, "DIR", "the data folder"},
        {"json", FLAG_SWITCH, &o.is_json, NULL, "one JSON object a line"},
    };
    if (argc > 60)
        return COMMAND_USAGE;
    enum status status =
        command_flags(argc, argv, usage, flags, sizeof flags / sizeof *flags, rest, &count);
    if (status)
        return status == STATUS_AGAIN ? COMMAND_DONE : COMMAND_USAGE;
    return act(&o, rest, count);
}
