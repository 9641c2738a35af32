/* SPDX-License-Identifier: Apache-2.0 */
#include "app/command.h"
#include "app/http.h"
#include "app/present.h"
#include "app/subcommands.h"
#include "base/printable.h"
#include "base/timestamp.h"
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The subcommands that speak to the running program's API. */

struct client {
    struct http_target target;
    const char *state, *kind, *by, *note, *disposition;
    /* what actions take, by the name of the API's member */
    const char *to, *next_action, *reason, *severity, *until, *into, *title, *category, *profile;
    const char *occurred;
    int64_t since_us, until_us;
    bool is_json;
    const char *rest[64];
    uint32_t rest_count;
};

static const struct command_flag *flags_of(struct client *c, struct command_flag *room,
                                           size_t *count, const char *const *names)
{
    const struct command_flag all[] = {
        {"url", FLAG_TEXT, &c->target.url, "URL", "where the program's API is"},
        {"key-file", FLAG_TEXT, &c->target.key_file, "FILE", "holds the API key ($TOCSIN_KEY)"},
        {"json", FLAG_SWITCH, &c->is_json, NULL, "one JSON object a line"},
        {"state", FLAG_TEXT, &c->state, "STATE", "open (not closed yet), or one state's name"},
        {"kind", FLAG_TEXT, &c->kind, "KIND", "incident, candidate or any"},
        {"since", FLAG_TIME, &c->since_us, "TIME", "from here on; 24h is a day ago"},
        {"until", FLAG_TIME, &c->until_us, "TIME", "up to here"},
        {"by", FLAG_TEXT, &c->by, "NAME", "priority, rule or team; with an action: who does it"},
        {"note", FLAG_TEXT, &c->note, "TEXT", "words that go with the action"},
        {"disposition", FLAG_TEXT, &c->disposition, "WORD",
         "close: true_positive, benign, false_positive, duplicate, test"},
        {"to", FLAG_TEXT, &c->to, "NAME", "assign: who has it from now on"},
        {"next-action", FLAG_TEXT, &c->next_action, "TEXT", "assign: what is to be done next"},
        {"reason", FLAG_TEXT, &c->reason, "TEXT", "pause, severity, merge, split: why"},
        {"severity", FLAG_TEXT, &c->severity, "WORD", "severity, open: info, low, ... critical"},
        {"for", FLAG_TEXT, &c->until, "TIME", "severity: until when it holds (RFC 3339)"},
        {"into", FLAG_TEXT, &c->into, "ID", "merge: the incident that stays"},
        {"title", FLAG_TEXT, &c->title, "TEXT", "open: what happened"},
        {"category", FLAG_TEXT, &c->category, "WORD", "open: security, availability, ..."},
        {"profile", FLAG_TEXT, &c->profile, "WORD", "open: security or operations"},
        {"occurred", FLAG_TEXT, &c->occurred, "TIME", "open: since when (RFC 3339)"},
    };
    *count = 0;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        for (size_t j = 0; names[j]; j++)
            if (strcmp(all[i].name, names[j]) == 0)
                room[(*count)++] = all[i];
    return room;
}

static enum status read_flags(struct client *c, int argc, char **argv, const char *usage,
                              const char *const *names)
{
    struct command_flag room[32];
    size_t count = 0;
    *c = (struct client){.since_us = TIMESTAMP_NONE, .until_us = TIMESTAMP_NONE};
    if (argc > 60) {
        command_say("%s: too many arguments", argv[0]);
        return STATUS_INVALID;
    }
    const struct command_flag *flags = flags_of(c, room, &count, names);
    return command_flags(argc, argv, usage, flags, count, c->rest, &c->rest_count);
}

/* For what takes flags alone. */
static enum status read_only_flags(struct client *c, int argc, char **argv, const char *usage,
                                   const char *const *names)
{
    enum status status = read_flags(c, argc, argv, usage, names);
    if (status || !c->rest_count)
        return status;
    command_say("%s: '%s' is not an option; see tocsin %s --help", argv[0], c->rest[0], argv[0]);
    return STATUS_INVALID;
}

/* ---- asking ---- */

static void add_query(struct buffer *path, const char *name, struct text value)
{
    if (!value.len)
        return;
    buffer_byte(path, memchr(path->at, '?', path->len) ? '&' : '?');
    buffer_append(path, text_of(name));
    buffer_byte(path, '=');
    http_escape(value, path);
}

static void add_time(struct buffer *path, const char *name, int64_t us)
{
    char when[TIMESTAMP_LEN + 1];
    if (us == TIMESTAMP_NONE)
        return;
    timestamp_format(us, when);
    add_query(path, name, text_of(when));
}

/* Gives the parsed answer, or NULL with the exit status in *out_code. */
static json_t *ask(const struct client *c, struct buffer *path, const char *body, int *out_code)
{
    struct error err = {0};
    struct buffer answer;
    int status = 0;
    buffer_init(&answer, 64 << 20);
    buffer_byte(path, 0);
    json_t *root = NULL;
    *out_code = COMMAND_UNFINISHED;
    if (path->has_failed || http_call(&c->target, path->at, body, &answer, &status, &err)) {
        command_say("%s", err.text);
    } else {
        root = json_loadb(answer.at ? answer.at : "", answer.len, 0, NULL);
        const char *why = json_string_value(json_object_get(root, "error"));
        if (status < 200 || status > 299 || !root) {
            command_say("the program answered %d: %s", status, why ? why : "not JSON");
            *out_code = status == 400                    ? COMMAND_USAGE
                        : status == 404 || status == 409 ? COMMAND_NO
                                                         : COMMAND_UNFINISHED;
            json_decref(root);
            root = NULL;
        }
    }
    buffer_fini(&answer);
    return root;
}

/* Takes the text. */
static void print_json(char *text)
{
    struct buffer shown;
    buffer_init(&shown, 64 << 20);
    if (text)
        printable_json(&shown, text_of(text));
    if (text)
        (void)printf("%.*s\n", (int)shown.len, shown.at ? shown.at : "");
    buffer_fini(&shown);
    free(text);
}

static void print_line(const json_t *object)
{
    char *line = json_dumps(object, JSON_COMPACT | JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(15));
    print_json(line);
}

static const char *member(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text ? text : "-";
}

static void present_json(const json_t *root, void (*present)(struct text json))
{
    char *text = json_dumps(root, JSON_COMPACT);
    if (text)
        present(text_of(text));
    free(text);
}

/* ---- incidents ---- */

/* One page of the list, behind the entry `after` ("": the first). */
static json_t *ask_page(const struct client *c, const char *after, int *out_code)
{
    struct buffer path;
    buffer_init(&path, 32768);
    buffer_append(&path, TEXT("/api/v1/incidents?limit=1000"));
    add_query(&path, "state", text_of(c->state));
    add_query(&path, "kind", text_of(c->kind));
    add_query(&path, "after", text_of(after));
    add_time(&path, "since", c->since_us);
    add_time(&path, "until", c->until_us);
    json_t *page = ask(c, &path, NULL, out_code);
    buffer_fini(&path);
    return page;
}

static void print_page(const struct client *c, const json_t *page)
{
    size_t i = 0;
    json_t *one = NULL;
    json_array_foreach(json_object_get(page, "incidents"), i, one)
    {
        if (c->is_json)
            print_line(one);
        else
            present_json(one, present_incident_row);
    }
}

int client_incidents(int argc, char **argv)
{
    static const char *const names[] = {"url",  "key-file", "json",  "state",
                                        "kind", "since",    "until", NULL};
    struct client c;
    enum status status = read_only_flags(&c, argc, argv,
                                         "Usage: tocsin incidents [--state STATE] [--json] "
                                         "[options]\n\nLists incidents, newest first.",
                                         names);
    if (status)
        return status == STATUS_AGAIN ? COMMAND_DONE : COMMAND_USAGE;
    int code = COMMAND_DONE;
    char after[8192] = "";
    do {
        json_t *page = ask_page(&c, after, &code);
        if (!page)
            return code;
        if (!c.is_json && !*after)
            present_incident_heading();
        print_page(&c, page);
        const char *next = json_string_value(json_object_get(page, "next"));
        (void)snprintf(after, sizeof after, "%s", next ? next : "");
        json_decref(page);
    } while (*after);
    return COMMAND_DONE;
}

static char *action_body(const struct client *c)
{
    const char *user = getenv("USER");
    const struct {
        const char *name, *value;
    } members[] = {
        {"by", c->by  ? c->by
               : user ? user
                      : "somebody"},
        {"note", c->note},
        {"disposition", c->disposition},
        {"to", c->to},
        {"next_action", c->next_action},
        {"reason", c->reason},
        {"severity", c->severity},
        {"until", c->until},
        {"into", c->into},
        {"title", c->title},
        {"category", c->category},
        {"profile", c->profile},
        {"occurred", c->occurred},
    };
    json_t *body = json_object();
    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        if (members[i].value)
            (void)json_object_set_new(body, members[i].name, json_string(members[i].value));
    char *text = json_dumps(body, JSON_COMPACT);
    json_decref(body);
    return text;
}

/* The whole of it, or after an action what it is now. */
static void show_incident(const struct client *c, const json_t *root, bool is_whole)
{
    const char *owner = json_string_value(json_object_get(root, "assignee"));
    if (c->is_json)
        print_line(root);
    else if (is_whole && json_object_get(root, "times"))
        present_json(root, present_incident);
    else
        printable_print(stdout, "%s: %s, %s, %s, %s\n", member(root, "id"), member(root, "state"),
                        member(root, "priority"), member(root, "severity"),
                        owner ? owner : "nobody has it");
}

int client_incident(int argc, char **argv)
{
    static const char *const names[] = {
        "url",   "key-file",    "json",    "by",       "note", "disposition",
        "to",    "next-action", "reason",  "severity", "for",  "into",
        "title", "category",    "profile", "occurred", NULL};
    struct client c;
    enum status status = read_flags(
        &c, argc, argv,
        "Usage: tocsin incident ID [ACTION] [--note TEXT] [--by NAME] [options of the action]\n"
        "       tocsin incident open --title TEXT [--severity WORD] [--occurred TIME]\n\n"
        "Shows one incident, or acts on it: ack, contain, eradicate, recover, review, resolve,\n"
        "close --disposition WORD, triage --disposition WORD, reopen, note --note TEXT,\n"
        "assign --to NAME --next-action TEXT, pause --reason TEXT, resume,\n"
        "severity --severity WORD --reason TEXT [--for TIME], merge --into ID, split.\n"
        "`open` reports one that a person saw.",
        names);
    if (status)
        return status == STATUS_AGAIN ? COMMAND_DONE : COMMAND_USAGE;
    if (!c.rest_count || c.rest_count > 2) {
        command_say("incident: want an ID, then perhaps one action; see tocsin incident --help");
        return COMMAND_USAGE;
    }
    struct buffer path;
    buffer_init(&path, 4096);
    buffer_append(&path, TEXT("/api/v1/incidents"));
    bool is_report = c.rest_count == 1 && strcmp(c.rest[0], "open") == 0;
    for (uint32_t i = 0; i < c.rest_count && !is_report; i++) {
        buffer_byte(&path, '/');
        http_escape(text_of(c.rest[i]), &path);
    }
    char *body = is_report || c.rest_count == 2 ? action_body(&c) : NULL;
    int code = 0;
    json_t *root = ask(&c, &path, body, &code);
    free(body);
    buffer_fini(&path);
    if (!root)
        return code;
    show_incident(&c, root, !is_report && c.rest_count == 1);
    json_decref(root);
    return COMMAND_DONE;
}

/* ---- what is one object: report, handover, verify, sources ---- */

static int one_object(int argc, char **argv, const char *usage, const char *resource,
                      const char *const *names, json_t **out, struct client *c)
{
    enum status status = read_only_flags(c, argc, argv, usage, names);
    *out = NULL;
    if (status)
        return status == STATUS_AGAIN ? COMMAND_DONE : COMMAND_USAGE;
    struct buffer path;
    buffer_init(&path, 4096);
    buffer_append(&path, text_of(resource));
    add_query(&path, "by", text_of(c->by));
    add_time(&path, "since", c->since_us);
    add_time(&path, "until", c->until_us);
    int code = 0;
    *out = ask(c, &path, NULL, &code);
    buffer_fini(&path);
    return *out ? COMMAND_DONE : code;
}

static int print_object(int argc, char **argv, const char *usage, const char *resource,
                        const char *const *names, void (*present)(struct text json))
{
    struct client c;
    json_t *root = NULL;
    int code = one_object(argc, argv, usage, resource, names, &root, &c);
    if (root && c.is_json)
        print_line(root);
    else if (root)
        present_json(root, present);
    json_decref(root);
    return code;
}

static const char *const plain_names[] = {"url", "key-file", "json", NULL};

int client_handover(int argc, char **argv)
{
    return print_object(argc, argv,
                        "Usage: tocsin handover [--json]\n\nWhat the next shift must know.",
                        "/api/v1/handover", plain_names, present_handover);
}

static int withdraw_exception(struct client *c)
{
    struct buffer path;
    buffer_init(&path, 4096);
    buffer_append(&path, TEXT("/api/v1/exceptions/"));
    http_escape(text_of(c->rest[1]), &path);
    buffer_append(&path, TEXT("/withdraw"));
    char *body = action_body(c);
    int code = 0;
    json_t *root = ask(c, &path, body, &code);
    free(body);
    buffer_fini(&path);
    if (root && c->is_json)
        print_line(root);
    else if (root)
        printable_print(stdout, "%s is withdrawn\n", member(root, "withdrawn"));
    bool is_done = root != NULL;
    json_decref(root);
    return is_done ? COMMAND_DONE : code;
}

static void print_exception(const json_t *one)
{
    printable_print(stdout, "%-36s  %-19.19s  %-8s %s  %s  %s\n", member(one, "id"),
                    member(one, "until"), member(one, "kind"), member(one, "value"),
                    member(one, "family"), member(one, "incident"));
}

static int list_exceptions(struct client *c)
{
    struct buffer path;
    size_t i = 0;
    const json_t *one = NULL;
    buffer_init(&path, 4096);
    buffer_append(&path, TEXT("/api/v1/exceptions"));
    int code = 0;
    json_t *root = ask(c, &path, NULL, &code);
    buffer_fini(&path);
    if (!root)
        return code;
    if (!c->is_json)
        printable_print(stdout, "%-36s  %-19s  %-8s %s\n", "ID", "UNTIL", "KIND",
                        "VALUE  FAMILY  INCIDENT");
    json_array_foreach(json_object_get(root, "exceptions"), i, one)
    {
        if (c->is_json)
            print_line(one);
        else
            print_exception(one);
    }
    json_decref(root);
    return COMMAND_DONE;
}

int client_exceptions(int argc, char **argv)
{
    static const char *const names[] = {"url", "key-file", "json", "by", "reason", NULL};
    struct client c;
    enum status status = read_flags(
        &c, argc, argv,
        "Usage: tocsin exceptions [--json]\n"
        "       tocsin exceptions withdraw ID [--by NAME] [--reason TEXT]\n\n"
        "Who is not charged for what after a false positive, and until when. Reopening the\n"
        "incident or judging it otherwise ends its exceptions; `withdraw` ends one.",
        names);
    if (status)
        return status == STATUS_AGAIN ? COMMAND_DONE : COMMAND_USAGE;
    if (!c.rest_count)
        return list_exceptions(&c);
    if (c.rest_count == 2 && strcmp(c.rest[0], "withdraw") == 0)
        return withdraw_exception(&c);
    command_say("exceptions: want nothing, or withdraw ID; see tocsin exceptions --help");
    return COMMAND_USAGE;
}

static long long whole(const json_t *object, const char *name)
{
    return (long long)json_number_value(json_object_get(object, name));
}

static void print_door(const json_t *source)
{
    printable_print(stdout, "%-12s %-40s %12lld %10lld %10lld\n", member(source, "source"),
                    member(source, "address"), whole(source, "received"), whole(source, "dropped"),
                    whole(source, "dropped_by_kernel"));
}

/* What of a host's times had to be assumed: "year,zone". */
static void list_assumed(const json_t *host, char *out, size_t room)
{
    const char *name = NULL;
    json_t *count = NULL;
    size_t len = 0;
    (void)snprintf(out, room, "-");
    json_object_foreach(json_object_get(host, "assumed"), name, count)
    {
        const int more = snprintf(out + len, room - len, "%s%s", len ? "," : "", name);
        len += more > 0 && (size_t)more < room - len ? (size_t)more : 0;
    }
}

static void print_host(const json_t *host)
{
    char offset[32] = "-";
    char assumed[48];
    list_assumed(host, assumed, sizeof assumed);
    const json_t *seconds = json_object_get(host, "clock_offset_s");
    if (seconds)
        (void)snprintf(offset, sizeof offset, "%+.0f s", json_number_value(seconds));
    printable_print(stdout,
                    "%-28.28s %-16.16s %-19.19s %8.1f %12lld %8lld %9lld %10s %8lld %8lld %s\n",
                    member(host, "host"), member(host, "peer"), member(host, "last_seen"),
                    json_number_value(json_object_get(host, "rate")), whole(host, "records"),
                    whole(host, "damaged"), whole(host, "undecoded"), offset,
                    whole(host, "dropped"), whole(host, "refused"), assumed);
}

static void print_sources(const json_t *root)
{
    const json_t *one = NULL;
    size_t i = 0;
    printable_print(stdout, "%-12s %-40s %12s %10s %10s\n", "source", "address", "received",
                    "dropped", "by kernel");
    json_array_foreach(json_object_get(root, "sources"), i, one) print_door(one);
    printable_print(stdout, "\n%-28s %-16s %-19s %8s %12s %8s %9s %10s %8s %8s %s\n", "host",
                    "peer", "last seen", "a second", "records", "damaged", "undecoded", "clock",
                    "dropped", "refused", "assumed of time");
    json_array_foreach(json_object_get(root, "hosts"), i, one) print_host(one);
}

int client_sources(int argc, char **argv)
{
    struct client c;
    json_t *root = NULL;
    int code = one_object(argc, argv,
                          "Usage: tocsin sources [--json]\n\n"
                          "What each source and host sent, and what was lost: messages dropped,\n"
                          "connections and requests refused, for the sender where it is known.\n"
                          "What the kernel drops has no sender: it stands with the source.",
                          "/api/v1/sources", plain_names, &root, &c);
    if (root && c.is_json)
        print_line(root);
    else if (root)
        print_sources(root);
    json_decref(root);
    return code;
}

int client_verify(int argc, char **argv)
{
    struct client c;
    json_t *root = NULL;
    int code = one_object(argc, argv,
                          "Usage: tocsin verify [--json]\n\nWalks the ledger's hash chain. Exit "
                          "status 1: a record is bad, and named.",
                          "/api/v1/verify", plain_names, &root, &c);
    if (!root)
        return code;
    bool is_ok = json_is_true(json_object_get(root, "ok"));
    if (c.is_json)
        print_line(root);
    else
        present_json(root, present_verify);
    json_decref(root);
    return is_ok ? COMMAND_DONE : COMMAND_NO;
}

int client_report(int argc, char **argv)
{
    static const char *const names[] = {"url", "key-file", "json", "since", "until", "by", NULL};
    return print_object(argc, argv,
                        "Usage: tocsin report [--since T] [--until T] [--by priority|rule|team]\n\n"
                        "Response times: n, still open, median, p90. Never a bare mean.",
                        "/api/v1/report", names, present_report);
}
