/* SPDX-License-Identifier: Apache-2.0 */
#include "incidents/incident_command.h"
#include "base/json_write.h"
#include "base/timestamp.h"
#include "incidents/incident_detect.h"
#include "incidents/incident_document.h"
#include "incidents/incident_edge.h"
#include "incidents/incidents_key.h"
#include "incidents/outbox.h"
#include "incidents/persist.h"
#include "incidents/restraint.h"
#include "incidents/rule_verdict.h"
#include <stdio.h>

enum {
    HTTP_OK = 200,
    HTTP_BAD = 400,
    HTTP_NOTFOUND = 404,
    HTTP_CONFLICT = 409,
    HTTP_AWAY = 503,
    COMMAND_BYTES = 1 << 20,
    REASON_BYTES = 4000,
    EXCEPTION_DAYS = 7,
};

/* What a command works with. */
struct word {
    struct incidents *record;
    struct incident *incident;
    const struct doc_tree *tree;
    struct text by;
    int64_t now_us;
    struct buffer *reply;
};

static int refuse(struct buffer *reply, int http, const char *format, struct text detail)
{
    char text[300];
    (void)snprintf(text, sizeof text, "%s%s%.*s", format, detail.len ? ": " : "",
                   TEXT_ARG(text_head(detail, 200)));
    buffer_clear(reply);
    json_write_open(reply, NULL, '{');
    json_write_string(reply, "error", text_of(text));
    json_write_close(reply, '}');
    return http;
}

static int answer(const struct word *w)
{
    incident_document_write(w->incident, w->reply);
    return HTTP_OK;
}

/* ---- moving on ---- */

static const enum incident_time state_times[] = {
    [STATE_OPEN] = TIME_OPENED,         [STATE_ACKNOWLEDGED] = TIME_ACKNOWLEDGED,
    [STATE_CONTAINED] = TIME_CONTAINED, [STATE_ERADICATED] = TIME_ERADICATED,
    [STATE_RECOVERED] = TIME_RECOVERED, [STATE_RESOLVED] = TIME_RESOLVED,
    [STATE_REVIEWED] = TIME_REVIEWED,   [STATE_CLOSED] = TIME_CLOSED,
};

static void release_all(struct incidents *i, struct incident *n, int64_t now_us)
{
    bool was_wrong =
        n->disposition == DISPOSITION_FALSE_POSITIVE || n->disposition == DISPOSITION_BENIGN;
    for (uint32_t e = 0; e < n->entity_count; e++) {
        const struct incident_entity *at = &n->entities[e];
        struct candidate *c =
            incidents_key_candidate(i, at->kind, (struct text){at->value, at->len});
        if (!c || c->incident != n)
            continue;
        for (uint32_t m = 0; was_wrong && m < c->member_count; m++)
            restraint_add_exception(i, c->kind, c->value, c->members[m].family,
                                    now_us + EXCEPTION_DAYS * DAY_US, TEXT("disposition"), n->id);
        incident_detect_release(i, c, now_us, !was_wrong);
    }
}

static void tell_move(struct incidents *i, struct incident *n, enum incident_state to,
                      int64_t now_us)
{
    switch (to) {
    case STATE_ACKNOWLEDGED:
        outbox_notice(i, n, NOTICE_ACKNOWLEDGED, now_us);
        return;
    case STATE_RECOVERED:
    case STATE_RESOLVED:
        outbox_notice(i, n, NOTICE_RESOLVED, now_us);
        return;
    case STATE_CLOSED:
        outbox_notice(i, n, NOTICE_CLOSED, now_us);
        return;
    case STATE_OPEN:
    case STATE_CONTAINED:
    case STATE_ERADICATED:
    case STATE_REVIEWED:
        return;
    }
}

static void end_pause(struct incident *n, int64_t now_us)
{
    if (n->paused_us == TIMESTAMP_NONE)
        return;
    json_write_open(&n->pauses, NULL, '{');
    json_write_time(&n->pauses, "from", n->paused_us);
    json_write_time(&n->pauses, "to", now_us);
    if (n->pause_reason)
        json_write_string(&n->pauses, "reason", text_of(n->pause_reason));
    json_write_close(&n->pauses, '}');
    n->paused_us = TIMESTAMP_NONE;
    (void)incident_set_text(&n->pause_reason, TEXT_NONE);
}

void incident_command_move(struct incidents *i, struct incident *n, enum incident_state to,
                           struct text by, struct text more, int64_t now_us)
{
    char kind[32];
    n->state = to;
    if (n->times[state_times[to]] == TIMESTAMP_NONE || to >= STATE_RECOVERED)
        n->times[state_times[to]] = now_us;
    if (to == STATE_RECOVERED)
        n->times[TIME_RESOLVED] = now_us; /* the same moment in the words of operations */
    if (to >= STATE_RECOVERED)
        end_pause(n, now_us);
    (void)snprintf(kind, sizeof kind, "incident.%s", incident_state_name(to));
    incident_detect_record(i, n, kind, by, more, now_us);
    if (to == STATE_CLOSED) {
        rule_verdict_count(i, n, 1);
        release_all(i, n, now_us);
    }
    tell_move(i, n, to, now_us);
}

static void note_text(const struct doc_tree *t, const char *name, struct buffer *more)
{
    struct text value = text_head(doc_tree_text(t, name), REASON_BYTES);
    if (value.len)
        json_write_string(more, name, value);
}

static void add_note(struct word *w, struct text text)
{
    struct buffer *notes = &w->incident->notes;
    size_t before = notes->len;
    if (!text.len)
        return;
    json_write_open(notes, NULL, '{');
    json_write_time(notes, "time", w->now_us);
    json_write_string(notes, "by", w->by);
    json_write_string(notes, "text", text_head(text, REASON_BYTES * 4));
    json_write_close(notes, '}');
    if (!notes->has_failed)
        return;
    notes->len = before;
    notes->has_failed = false;
}

/* In a profile a state comes before another; what is passed over was not needed. */
static int move(struct word *w, enum incident_state to)
{
    struct incident *n = w->incident;
    if (n->state == to)
        return answer(w);
    if (n->state > to)
        return refuse(w->reply, HTTP_CONFLICT, "the incident has gone past that",
                      text_of(incident_state_name(n->state)));
    struct buffer more;
    buffer_init(&more, 1 << 16);
    json_write_string(&more, "from", text_of(incident_state_name(n->state)));
    note_text(w->tree, "note", &more);
    if (n->disposition)
        json_write_string(&more, "disposition", text_of(incident_disposition_name(n->disposition)));
    add_note(w, doc_tree_text(w->tree, "note"));
    incident_command_move(w->record, n, to, w->by, buffer_text(&more), w->now_us);
    buffer_fini(&more);
    return answer(w);
}

/* ---- the commands ---- */

static int do_ack(struct word *w)
{
    return w->incident->state > STATE_ACKNOWLEDGED && !incident_is_settled(w->incident)
               ? answer(w)
               : move(w, STATE_ACKNOWLEDGED);
}

static int security_only(struct word *w, enum incident_state to)
{
    return w->incident->profile == PROFILE_SECURITY
               ? move(w, to)
               : refuse(w->reply, HTTP_CONFLICT, "only security incidents have that step",
                        text_of(incident_state_name(to)));
}

static int do_contain(struct word *w)
{
    return security_only(w, STATE_CONTAINED);
}

static int do_eradicate(struct word *w)
{
    return security_only(w, STATE_ERADICATED);
}

static int do_review(struct word *w)
{
    return security_only(w, STATE_REVIEWED);
}

static int do_resolve(struct word *w)
{
    return move(w, w->incident->profile == PROFILE_SECURITY ? STATE_RECOVERED : STATE_RESOLVED);
}

static int read_disposition(struct word *w)
{
    struct text name = doc_tree_text(w->tree, "disposition");
    if (name.len && !incident_parse_disposition(name, &w->incident->disposition))
        return refuse(w->reply, HTTP_BAD,
                      "a disposition is true_positive, benign, false_positive, duplicate or test",
                      name);
    if (name.len && w->incident->times[TIME_TRIAGED] == TIMESTAMP_NONE)
        w->incident->times[TIME_TRIAGED] = w->now_us;
    return HTTP_OK;
}

static int do_triage(struct word *w)
{
    bool is_counted = w->incident->state == STATE_CLOSED; /* as what it was closed as */
    struct incident before = *w->incident;
    int http = read_disposition(w);
    if (http != HTTP_OK)
        return http;
    if (is_counted && before.disposition != w->incident->disposition) {
        rule_verdict_count(w->record, &before, -1);
        rule_verdict_count(w->record, w->incident, 1);
    }
    struct buffer more;
    buffer_init(&more, 1 << 16);
    note_text(w->tree, "disposition", &more);
    note_text(w->tree, "note", &more);
    add_note(w, doc_tree_text(w->tree, "note"));
    incident_detect_record(w->record, w->incident, "incident.triaged", w->by, buffer_text(&more),
                           w->now_us);
    buffer_fini(&more);
    return answer(w);
}

/* What is closed already may have been judged wrongly, or not at all: that can be said later. */
static int do_close(struct word *w)
{
    if (w->incident->state == STATE_CLOSED)
        return doc_tree_text(w->tree, "disposition").len ? do_triage(w) : answer(w);
    int http = read_disposition(w);
    return http == HTTP_OK ? move(w, STATE_CLOSED) : http;
}

/* The entities of a reopened incident belong to it again, unless they are in another by now. */
static void take_back(struct incidents *i, struct incident *n)
{
    for (uint32_t e = 0; e < n->entity_count; e++) {
        const struct incident_entity *at = &n->entities[e];
        struct candidate *c =
            incidents_key_candidate(i, at->kind, (struct text){at->value, at->len});
        if (!c || c->incident || n->origin == ORIGIN_ALERT)
            continue; /* an alert's host is context, not what is charged */
        c->incident = n;
        incidents_touch_candidate(i, c);
    }
}

static int do_reopen(struct word *w)
{
    if (!incident_is_settled(w->incident))
        return answer(w);
    add_note(w, doc_tree_text(w->tree, "note"));
    take_back(w->record, w->incident);
    incident_detect_reopen(w->record, w->incident, w->by, "a person said so", w->now_us);
    return answer(w);
}

static int change(struct word *w, const char *kind, const char *const *names, size_t count)
{
    struct buffer more;
    buffer_init(&more, 1 << 16);
    for (size_t n = 0; n < count; n++)
        note_text(w->tree, names[n], &more);
    incident_detect_record(w->record, w->incident, kind, w->by, buffer_text(&more), w->now_us);
    buffer_fini(&more);
    return answer(w);
}

static int do_note(struct word *w)
{
    static const char *const names[] = {"note"};
    struct text note = doc_tree_text(w->tree, "note");
    if (!note.len)
        return refuse(w->reply, HTTP_BAD, "a note has a text", TEXT_NONE);
    add_note(w, note);
    return change(w, "incident.note", names, 1);
}

static int do_assign(struct word *w)
{
    static const char *const names[] = {"to", "next_action"};
    struct text to = doc_tree_text(w->tree, "to");
    struct text next = doc_tree_text(w->tree, "next_action");
    if (!to.len && !next.len)
        return refuse(w->reply, HTTP_BAD, "say to whom (to), or the next_action", TEXT_NONE);
    if ((to.len && !incident_set_text(&w->incident->assignee, text_head(to, REASON_BYTES))) ||
        (next.len && !incident_set_text(&w->incident->next_action, text_head(next, REASON_BYTES))))
        return refuse(w->reply, HTTP_AWAY, "no memory", TEXT_NONE);
    if (to.len && w->incident->times[TIME_ASSIGNED] == TIMESTAMP_NONE)
        w->incident->times[TIME_ASSIGNED] = w->now_us;
    return change(w, "incident.assigned", names, 2);
}

static int do_pause(struct word *w)
{
    static const char *const names[] = {"reason"};
    struct text reason = doc_tree_text(w->tree, "reason");
    if (!reason.len)
        return refuse(w->reply, HTTP_BAD, "a pause has a reason", TEXT_NONE);
    if (w->incident->paused_us != TIMESTAMP_NONE || incident_is_settled(w->incident))
        return refuse(w->reply, HTTP_CONFLICT, "no clock of it runs", TEXT_NONE);
    if (!incident_set_text(&w->incident->pause_reason, text_head(reason, REASON_BYTES)))
        return refuse(w->reply, HTTP_AWAY, "no memory", TEXT_NONE);
    w->incident->paused_us = w->now_us;
    return change(w, "incident.paused", names, 1);
}

static int do_resume(struct word *w)
{
    if (w->incident->paused_us == TIMESTAMP_NONE)
        return refuse(w->reply, HTTP_CONFLICT, "it is not paused", TEXT_NONE);
    end_pause(w->incident, w->now_us);
    return change(w, "incident.resumed", NULL, 0);
}

static int do_severity(struct word *w)
{
    static const char *const names[] = {"severity", "reason", "until"};
    struct incident *n = w->incident;
    struct text reason = doc_tree_text(w->tree, "reason");
    enum incident_severity severity;
    if (!incident_parse_severity(doc_tree_text(w->tree, "severity"), &severity))
        return refuse(w->reply, HTTP_BAD, "severity is info, low, medium, high or critical",
                      TEXT_NONE);
    if (!reason.len)
        return refuse(w->reply, HTTP_BAD, "another severity has a reason", TEXT_NONE);
    if (!incident_set_text(&n->override_by, w->by) ||
        !incident_set_text(&n->override_reason, text_head(reason, REASON_BYTES)))
        return refuse(w->reply, HTTP_AWAY, "no memory", TEXT_NONE);
    n->has_override = true;
    n->override_severity = severity;
    n->override_until_us = doc_tree_time(w->tree, "until");
    bool has_risen = incident_weigh(n, w->now_us);
    int http = change(w, "incident.severity", names, 3);
    if (has_risen)
        outbox_notice(w->record, n, NOTICE_RAISED, w->now_us);
    return http;
}

/* ---- edges ---- */

static struct incident_edge edge_of(const struct word *w)
{
    return (struct incident_edge){w->by, text_head(doc_tree_text(w->tree, "reason"), REASON_BYTES),
                                  w->now_us};
}

static int do_merge(struct word *w)
{
    struct incident *from = w->incident;
    struct incident *into = incidents_key_find(w->record, doc_tree_text(w->tree, "into"));
    const struct incident_edge edge = edge_of(w);
    if (!into || into == from)
        return refuse(w->reply, HTTP_BAD, "merge into which incident?",
                      doc_tree_text(w->tree, "into"));
    if (from->merged_into[0] || into->merged_into[0] || incident_is_settled(into))
        return refuse(w->reply, HTTP_CONFLICT, "one of them is merged or settled", TEXT_NONE);
    incident_edge_merge(w->record, from, into, &edge);
    return answer(w);
}

static int do_split(struct word *w)
{
    struct incident *from = w->incident;
    struct incident *into = incidents_key_find(w->record, text_of(from->merged_into));
    const struct incident_edge edge = edge_of(w);
    if (!from->merged_into[0] || !into)
        return refuse(w->reply, HTTP_CONFLICT, "it is not merged into another", TEXT_NONE);
    incident_edge_split(w->record, from, into, &edge);
    return answer(w);
}

/* ---- a person's report ---- */

static int do_report(struct word *w)
{
    struct incidents *i = w->record;
    struct text title = doc_tree_text(w->tree, "title");
    enum incident_severity severity = SEVERITY_MEDIUM;
    struct text name = doc_tree_text(w->tree, "severity");
    if (!title.len)
        return refuse(w->reply, HTTP_BAD, "a report has a title", TEXT_NONE);
    if (name.len && !incident_parse_severity(name, &severity))
        return refuse(w->reply, HTTP_BAD, "severity is info, low, medium, high or critical", name);
    struct hasher h;
    char id[IDENT_LEN + 1];
    hash_start(&h);
    hash_part_text(&h, title);
    hash_part_u64(&h, i->ledger.sequence);
    ident_make("inc_", w->now_us, hash_end(&h), id);
    struct incident *n = incident_new(id);
    if (!n || !incident_set_text(&n->title, text_head(title, REASON_BYTES))) {
        incident_free(n);
        return refuse(w->reply, HTTP_AWAY, "no memory", TEXT_NONE);
    }
    bool is_operations = text_equal(doc_tree_text(w->tree, "profile"), TEXT("operations"));
    n->origin = ORIGIN_PERSON;
    n->profile = is_operations ? PROFILE_OPERATIONS : PROFILE_SECURITY;
    struct text category = doc_tree_text(w->tree, "category");
    n->category = string_pool_keep(&i->words, category.len    ? category
                                              : is_operations ? TEXT("availability")
                                                              : TEXT("security"));
    n->severity = n->floor = severity;
    n->times[TIME_REPORTED] = w->now_us;
    n->times[TIME_OCCURRED] = doc_tree_time(w->tree, "occurred");
    (void)incident_weigh(n, w->now_us);
    if (incidents_key_adopt(i, n) != STATUS_OK)
        return refuse(w->reply, HTTP_AWAY, "no memory", TEXT_NONE);
    w->incident = n;
    add_note(w, doc_tree_text(w->tree, "note"));
    incident_detect_open(i, n, w->now_us);
    return answer(w);
}

/* ---- which one
 * ------------------------------------------------------------------------------------------------
 */

static const struct verb {
    const char *name;
    int (*run)(struct word *w);
} verbs[] = {
    {"ack", do_ack},           {"acknowledge", do_ack},
    {"contain", do_contain},   {"eradicate", do_eradicate},
    {"recover", do_resolve},   {"resolve", do_resolve},
    {"review", do_review},     {"close", do_close},
    {"triage", do_triage},     {"reopen", do_reopen},
    {"note", do_note},         {"assign", do_assign},
    {"pause", do_pause},       {"resume", do_resume},
    {"severity", do_severity}, {"merge", do_merge},
    {"split", do_split},
};

static int find_incident(struct word *w)
{
    bool is_away = false;
    struct text id = doc_tree_text(w->tree, "incident");
    w->incident = incidents_key_find(w->record, id);
    if (!w->incident)
        w->incident = persist_fetch(w->record, id, &is_away);
    if (w->incident)
        return HTTP_OK;
    return is_away ? refuse(w->reply, HTTP_AWAY, "Redis does not answer", TEXT_NONE)
                   : refuse(w->reply, HTTP_NOTFOUND, "no such incident", id);
}

static int run_verb(struct word *w, struct text name)
{
    for (size_t v = 0; v < sizeof verbs / sizeof verbs[0]; v++) {
        if (!text_equal(text_of(verbs[v].name), name))
            continue;
        int http = find_incident(w);
        if (http != HTTP_OK)
            return http;
        int64_t version = doc_tree_whole(w->tree, "version", w->incident->version);
        if (version != w->incident->version)
            return refuse(w->reply, HTTP_CONFLICT, "someone else changed it first", TEXT_NONE);
        return verbs[v].run(w);
    }
    return refuse(w->reply, HTTP_BAD, "no such command", name);
}

int incident_command_run(struct incidents *i, struct text command, int64_t now_us,
                         struct buffer *reply)
{
    struct arena arena;
    struct doc_tree tree = {0};
    struct error err = {0};
    if (i->store->is_fenced || i->store->pending >= i->max_pending)
        return refuse(reply, HTTP_AWAY, "the record takes no more: Redis is away", TEXT_NONE);
    arena_init(&arena, COMMAND_BYTES * 8);
    int http;
    if (command.len > COMMAND_BYTES || doc_tree_parse(command, &arena, &tree, &err) != STATUS_OK ||
        tree.kind != TREE_MAP) {
        http = refuse(reply, HTTP_BAD, "a command is a JSON object", text_of(err.text));
    } else {
        struct word w = {.record = i, .tree = &tree, .now_us = now_us, .reply = reply};
        struct text by = text_head(doc_tree_text(&tree, "by"), 200), name;
        w.by = by.len ? by : TEXT("api");
        name = doc_tree_text(&tree, "do");
        http = text_equal(name, TEXT("report")) ? do_report(&w) : run_verb(&w, name);
    }
    arena_fini(&arena);
    return http;
}
