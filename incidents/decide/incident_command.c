/* SPDX-License-Identifier: Apache-2.0 */
#include "incidents/decide/incident_command.h"
#include "base/json_write.h"
#include "base/timestamp.h"
#include "incidents/decide/command_check.h"
#include "incidents/decide/merge.h"
#include "incidents/model/incident_document.h"
#include "incidents/state/tables_load.h"
#include <stdio.h>

enum {
    HTTP_OK = 200,
    HTTP_CREATED = 201,
    HTTP_BAD = 400,
    HTTP_NOTFOUND = 404,
    HTTP_CONFLICT = 409,
    HTTP_TOO_MUCH = 413,
    HTTP_OTHER = 422,
    HTTP_AWAY = 503,
    COMMAND_BYTES = 1 << 20,
    REASON_BYTES = COMMAND_TEXT_BYTES,
};

/* What a command works with. */
struct command {
    const struct lifecycle *lifecycle;
    struct incident *incident;
    const struct doc_tree *tree;
    struct text by;
    int64_t now_us;
    struct buffer *reply;
};

int incident_command_refuse(struct buffer *reply, int http, const char *why, struct text detail)
{
    char text[300];
    (void)snprintf(text, sizeof text, "%s%s%.*s", why, detail.len ? ": " : "",
                   TEXT_ARG(text_head(detail, 200)));
    buffer_clear(reply);
    json_write_open(reply, NULL, '{');
    json_write_string(reply, "error", text_of(text));
    json_write_close(reply, '}');
    return http;
}

static int answer(const struct command *command)
{
    incident_document_write(command->incident, command->reply);
    return HTTP_OK;
}

/* ---- moving on ---- */

static void note_text(const struct doc_tree *t, const char *name, struct buffer *more)
{
    struct text value = text_head(doc_tree_text(t, name), REASON_BYTES);
    if (value.len)
        json_write_string(more, name, value);
}

static void add_note(struct command *command, struct text text)
{
    struct buffer *notes = &command->incident->notes;
    size_t before = notes->len;
    if (!text.len)
        return;
    json_write_open(notes, NULL, '{');
    json_write_time(notes, "time", command->now_us);
    json_write_string(notes, "by", command->by);
    json_write_string(notes, "text", text_head(text, COMMAND_NOTE_BYTES));
    json_write_close(notes, '}');
    if (!notes->has_failed)
        return;
    notes->len = before;
    notes->has_failed = false;
}

/* In a profile a state comes before another; what is passed over was not needed. */
static int move(struct command *command, enum incident_state to)
{
    struct incident *incident = command->incident;
    if (incident->state > to)
        return incident_command_refuse(command->reply, HTTP_CONFLICT,
                                       "the incident has gone past that",
                                       text_of(incident_state_name(incident->state)));
    struct buffer more;
    buffer_init(&more, 1 << 16);
    json_write_string(&more, "from", text_of(incident_state_name(incident->state)));
    note_text(command->tree, "note", &more);
    if (incident->disposition)
        json_write_string(&more, "disposition",
                          text_of(incident_disposition_name(incident->disposition)));
    add_note(command, doc_tree_text(command->tree, "note"));
    telling_calm(&incident->telling); /* what a person does is told */
    lifecycle_move(command->lifecycle, incident, to, command->by, buffer_text(&more),
                   command->now_us);
    buffer_fini(&more);
    return answer(command);
}

/* ---- the commands ---- */

static int read_disposition(struct command *command)
{
    struct text name = doc_tree_text(command->tree, "disposition");
    if (name.len && !incident_parse_disposition(name, &command->incident->disposition))
        return incident_command_refuse(
            command->reply, HTTP_BAD,
            "a disposition is true_positive, benign, false_positive, duplicate or test", name);
    if (name.len && command->incident->times[TIME_TRIAGED] == TIMESTAMP_NONE)
        command->incident->times[TIME_TRIAGED] = command->now_us;
    return HTTP_OK;
}

static int do_triage(struct command *command)
{
    bool is_counted = command->incident->state == STATE_CLOSED; /* as what it was closed as */
    struct incident before = *command->incident;
    int http = read_disposition(command);
    if (http != HTTP_OK)
        return http;
    if (is_counted && before.disposition != command->incident->disposition) {
        verdicts_count(command->lifecycle->verdicts, command->lifecycle->changes, &before, -1);
        verdicts_count(command->lifecycle->verdicts, command->lifecycle->changes, command->incident,
                       1);
        const struct restraints_withdrawal withdrawal = {command->by, TEXT("another disposition"),
                                                         command->now_us};
        (void)restraints_withdraw_of(command->lifecycle->restraints, command->lifecycle->changes,
                                     command->incident->id, &withdrawal);
    }
    struct buffer more;
    buffer_init(&more, 1 << 16);
    note_text(command->tree, "disposition", &more);
    note_text(command->tree, "note", &more);
    add_note(command, doc_tree_text(command->tree, "note"));
    lifecycle_record(command->lifecycle, command->incident, "incident.triaged", command->by,
                     buffer_text(&more), command->now_us);
    buffer_fini(&more);
    return answer(command);
}

/* Said of an incident that is there already: kept all the same. */
static int stay(struct command *command)
{
    return doc_tree_text(command->tree, "disposition").len ||
                   doc_tree_text(command->tree, "note").len
               ? do_triage(command)
               : answer(command);
}

/* What is refused judges nothing. */
static int judge_and_move(struct command *command, enum incident_state to)
{
    struct incident *incident = command->incident;
    enum incident_disposition disposition = incident->disposition;
    int64_t triaged_us = incident->times[TIME_TRIAGED];
    if (incident->state == to)
        return stay(command);
    int http = read_disposition(command);
    if (http == HTTP_OK)
        http = move(command, to);
    if (http != HTTP_OK) {
        incident->disposition = disposition;
        incident->times[TIME_TRIAGED] = triaged_us;
    }
    return http;
}

static int security_only(struct command *command, enum incident_state to)
{
    return command->incident->profile == PROFILE_SECURITY
               ? judge_and_move(command, to)
               : incident_command_refuse(command->reply, HTTP_CONFLICT,
                                         "only security incidents have that step",
                                         text_of(incident_state_name(to)));
}

static int do_contain(struct command *command)
{
    return security_only(command, STATE_CONTAINED);
}

static int do_eradicate(struct command *command)
{
    return security_only(command, STATE_ERADICATED);
}

static int do_review(struct command *command)
{
    return security_only(command, STATE_REVIEWED);
}

static int do_resolve(struct command *command)
{
    return judge_and_move(command, command->incident->profile == PROFILE_SECURITY ? STATE_RECOVERED
                                                                                  : STATE_RESOLVED);
}

static int do_ack(struct command *command)
{
    if (command->incident->state <= STATE_ACKNOWLEDGED || incident_is_settled(command->incident))
        return judge_and_move(command, STATE_ACKNOWLEDGED);
    return stay(command);
}

/* What is closed already may have been judged wrongly, or not at all: that can be said later. */
static int do_close(struct command *command)
{
    return judge_and_move(command, STATE_CLOSED);
}

/* The entities of a reopened incident belong to it again, unless they are in another by now. */
static void take_back(struct tables *tables, struct incident *incident)
{
    for (uint32_t e = 0; e < incident->entity_count; e++) {
        const struct incident_entity *at = &incident->entities[e];
        struct candidate *candidate =
            tables_candidate(tables, at->kind, (struct text){at->value, at->len});
        if (!candidate || candidate->incident || incident->origin == ORIGIN_ALERT)
            continue; /* an alert's host is context, not what is charged */
        candidate->incident = incident;
        tables_touch_candidate(tables, candidate);
    }
}

static int do_reopen(struct command *command)
{
    if (!incident_is_settled(command->incident))
        return answer(command);
    add_note(command, doc_tree_text(command->tree, "note"));
    take_back(command->lifecycle->tables, command->incident);
    telling_calm(&command->incident->telling);
    lifecycle_reopen(command->lifecycle, command->incident, command->by, "a person said so",
                     command->now_us);
    return answer(command);
}

static int change(struct command *command, const char *kind, const char *const *names, size_t count)
{
    struct buffer more;
    buffer_init(&more, 1 << 16);
    for (size_t n = 0; n < count; n++)
        note_text(command->tree, names[n], &more);
    add_note(command, doc_tree_text(command->tree, "note"));
    lifecycle_record(command->lifecycle, command->incident, kind, command->by, buffer_text(&more),
                     command->now_us);
    buffer_fini(&more);
    return answer(command);
}

static int do_note(struct command *command)
{
    static const char *const names[] = {"note"};
    struct text note = doc_tree_text(command->tree, "note");
    if (!note.len)
        return incident_command_refuse(command->reply, HTTP_BAD, "a note has a text", TEXT_NONE);
    return change(command, "incident.note", names, 1);
}

static int do_assign(struct command *command)
{
    static const char *const names[] = {"to", "next_action", "note"};
    struct text to = doc_tree_text(command->tree, "to");
    struct text next = doc_tree_text(command->tree, "next_action");
    if (!to.len && !next.len)
        return incident_command_refuse(command->reply, HTTP_BAD,
                                       "say to whom (to), or the next_action", TEXT_NONE);
    if ((to.len && !incident_set_text(&command->incident->assignee, text_head(to, REASON_BYTES))) ||
        (next.len &&
         !incident_set_text(&command->incident->next_action, text_head(next, REASON_BYTES))))
        return incident_command_refuse(command->reply, HTTP_AWAY, "no memory", TEXT_NONE);
    if (to.len && command->incident->times[TIME_ASSIGNED] == TIMESTAMP_NONE)
        command->incident->times[TIME_ASSIGNED] = command->now_us;
    return change(command, "incident.assigned", names, 3);
}

static int do_pause(struct command *command)
{
    static const char *const names[] = {"reason", "note"};
    struct text reason = doc_tree_text(command->tree, "reason");
    if (!reason.len)
        reason = doc_tree_text(command->tree, "note");
    if (!reason.len)
        return incident_command_refuse(command->reply, HTTP_BAD, "a pause has a reason", TEXT_NONE);
    if (command->incident->paused_us != TIMESTAMP_NONE || incident_is_settled(command->incident))
        return incident_command_refuse(command->reply, HTTP_CONFLICT, "no clock of it runs",
                                       TEXT_NONE);
    if (!incident_set_text(&command->incident->pause_reason, text_head(reason, REASON_BYTES)))
        return incident_command_refuse(command->reply, HTTP_AWAY, "no memory", TEXT_NONE);
    command->incident->paused_us = command->now_us;
    return change(command, "incident.paused", names, 2);
}

static int do_resume(struct command *command)
{
    static const char *const names[] = {"note"};
    if (command->incident->paused_us == TIMESTAMP_NONE)
        return incident_command_refuse(command->reply, HTTP_CONFLICT, "it is not paused",
                                       TEXT_NONE);
    lifecycle_end_pause(command->incident, command->now_us);
    return change(command, "incident.resumed", names, 1);
}

static int do_severity(struct command *command)
{
    static const char *const names[] = {"severity", "reason", "until", "note"};
    struct incident *incident = command->incident;
    struct text reason = doc_tree_text(command->tree, "reason");
    enum incident_severity severity;
    if (!incident_parse_severity(doc_tree_text(command->tree, "severity"), &severity))
        return incident_command_refuse(
            command->reply, HTTP_BAD, "severity is info, low, medium, high or critical", TEXT_NONE);
    if (!reason.len)
        return incident_command_refuse(command->reply, HTTP_BAD, "another severity has a reason",
                                       TEXT_NONE);
    int64_t until_us = doc_tree_time(command->tree, "until");
    bool has_until = doc_tree_get(command->tree, "until")->kind != TREE_NOTHING;
    if (has_until && (until_us == TIMESTAMP_NONE || until_us <= command->now_us))
        return incident_command_refuse(command->reply, HTTP_BAD,
                                       "until is a time to come, as 2026-11-22T06:00:31Z",
                                       TEXT_NONE);
    if (has_until &&
        due_put_incident(command->lifecycle->outbox->due, DUE_OVERRIDE, incident->id, until_us))
        return incident_command_refuse(command->reply, HTTP_AWAY, "no memory", TEXT_NONE);
    if (!incident_set_text(&incident->override_by, command->by) ||
        !incident_set_text(&incident->override_reason, text_head(reason, REASON_BYTES)))
        return incident_command_refuse(command->reply, HTTP_AWAY, "no memory", TEXT_NONE);
    incident->has_override = true;
    incident->override_severity = severity;
    incident->override_until_us = until_us;
    bool has_risen = incident_weigh(incident, command->now_us);
    int http = change(command, "incident.severity", names, 4);
    if (has_risen)
        lifecycle_notice(command->lifecycle, incident, NOTICE_RAISED, command->now_us);
    return http;
}

/* ---- edges ---- */

static struct merge merge_of(const struct command *command)
{
    return (struct merge){command->by,
                          text_head(doc_tree_text(command->tree, "reason"), REASON_BYTES),
                          command->now_us};
}

static int do_merge(struct command *command)
{
    struct incident *from = command->incident;
    struct incident *into =
        tables_incident(command->lifecycle->tables, doc_tree_text(command->tree, "into"));
    const struct merge merge = merge_of(command);
    if (!into || into == from)
        return incident_command_refuse(command->reply, HTTP_BAD, "merge into which incident?",
                                       doc_tree_text(command->tree, "into"));
    if (from->merged_into[0] || into->merged_into[0] || incident_is_settled(into))
        return incident_command_refuse(command->reply, HTTP_CONFLICT,
                                       "one of them is merged or settled", TEXT_NONE);
    if (!merge_apply(command->lifecycle, from, into, &merge))
        return incident_command_refuse(command->reply, HTTP_CONFLICT,
                                       "together they have more alerts than an incident holds",
                                       TEXT_NONE);
    add_note(command, doc_tree_text(command->tree, "note"));
    return answer(command);
}

static int do_split(struct command *command)
{
    struct incident *from = command->incident;
    struct incident *into = tables_incident(command->lifecycle->tables, text_of(from->merged_into));
    const struct merge merge = merge_of(command);
    if (!from->merged_into[0] || !into)
        return incident_command_refuse(command->reply, HTTP_CONFLICT,
                                       "it is not merged into another", TEXT_NONE);
    add_note(command, doc_tree_text(command->tree, "note"));
    merge_undo(command->lifecycle, from, into, &merge);
    return answer(command);
}

/* ---- a person's report ---- */

/* What is sent again with its Idempotency-Key is the same report. */
static bool request_of(const struct command *command, char out[INCIDENT_REQUEST + 1])
{
    struct text key = doc_tree_text(command->tree, "idempotency_key");
    struct hasher h;
    hash_start(&h);
    hash_part_text(&h, command->by);
    hash_part_text(&h, key);
    hash_to_hex(hash_end(&h), out);
    return key.len > 0;
}

static int answer_again(struct command *command, struct incident *before)
{
    command->incident = before;
    if (!before->title ||
        !text_equal(text_of(before->title), doc_tree_text(command->tree, "title")))
        return incident_command_refuse(command->reply, HTTP_OTHER,
                                       "that Idempotency-Key was used for another report",
                                       text_of(before->id));
    (void)answer(command);
    return HTTP_CREATED;
}

static int do_report(struct command *command)
{
    struct tables *tables = command->lifecycle->tables;
    struct text title = doc_tree_text(command->tree, "title");
    enum incident_severity severity = SEVERITY_MEDIUM;
    char request[INCIDENT_REQUEST + 1];
    if (doc_tree_text(command->tree, "incident").len)
        return incident_command_refuse(command->reply, HTTP_BAD, "a report is of no incident yet",
                                       TEXT_NONE);
    bool has_request = request_of(command, request);
    struct incident *before = has_request ? tables_requested(tables, request) : NULL;
    if (before)
        return answer_again(command, before);
    struct text name = doc_tree_text(command->tree, "severity");
    if (!title.len)
        return incident_command_refuse(command->reply, HTTP_BAD, "a report has a title", TEXT_NONE);
    if (name.len && !incident_parse_severity(name, &severity))
        return incident_command_refuse(command->reply, HTTP_BAD,
                                       "severity is info, low, medium, high or critical", name);
    struct text profile = doc_tree_text(command->tree, "profile");
    bool is_operations = text_equal(profile, TEXT("operations"));
    if (profile.len && !is_operations && !text_equal(profile, TEXT("security")))
        return incident_command_refuse(command->reply, HTTP_BAD,
                                       "profile is security or operations", profile);
    struct hasher h;
    char id[IDENT_LEN + 1];
    hash_start(&h);
    hash_part_text(&h, title);
    hash_part_u64(&h, command->lifecycle->changes->ledger.sequence);
    ident_make("inc_", command->now_us, hash_end(&h), id);
    struct incident *incident = incident_new(id);
    if (!incident || !incident_set_text(&incident->title, text_head(title, REASON_BYTES))) {
        incident_free(incident);
        return incident_command_refuse(command->reply, HTTP_AWAY, "no memory", TEXT_NONE);
    }
    if (has_request)
        memcpy(incident->request, request, sizeof incident->request);
    incident->origin = ORIGIN_PERSON;
    incident->profile = is_operations ? PROFILE_OPERATIONS : PROFILE_SECURITY;
    struct text category = doc_tree_text(command->tree, "category");
    incident->category = string_pool_keep(&tables->strings, category.len    ? category
                                                            : is_operations ? TEXT("availability")
                                                                            : TEXT("security"));
    incident->severity = incident->floor = severity;
    incident->times[TIME_REPORTED] = command->now_us;
    incident->times[TIME_OCCURRED] = doc_tree_time(command->tree, "occurred");
    (void)incident_weigh(incident, command->now_us);
    if (tables_adopt(tables, incident) != STATUS_OK)
        return incident_command_refuse(command->reply, HTTP_AWAY, "no memory", TEXT_NONE);
    command->incident = incident;
    add_note(command, doc_tree_text(command->tree, "note"));
    lifecycle_open(command->lifecycle, incident, command->by, command->now_us);
    (void)answer(command);
    return HTTP_CREATED;
}

static int do_withdraw(struct command *command)
{
    struct text id = doc_tree_text(command->tree, "incident");
    const struct restraints_withdrawal withdrawal = {
        command->by, doc_tree_text(command->tree, "reason"), command->now_us};
    if (!restraints_withdraw(command->lifecycle->restraints, command->lifecycle->changes, id,
                             &withdrawal))
        return incident_command_refuse(command->reply, HTTP_NOTFOUND, "no such exception", id);
    json_write_open(command->reply, NULL, '{');
    json_write_string(command->reply, "withdrawn", id);
    json_write_close(command->reply, '}');
    return HTTP_OK;
}

/* ---- which one ---- */

static const struct verb {
    const char *name;
    int (*run)(struct command *command);
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

static int find_incident(struct command *command)
{
    bool is_away = false;
    struct text id = doc_tree_text(command->tree, "incident");
    command->incident = tables_load_incident(command->lifecycle->tables, id, &is_away);
    if (command->incident)
        return HTTP_OK;
    return is_away ? incident_command_refuse(command->reply, HTTP_AWAY, "Redis does not answer",
                                             TEXT_NONE)
                   : incident_command_refuse(command->reply, HTTP_NOTFOUND, "no such incident", id);
}

/* For the note that it brings: it is written as JSON, where a byte may take six. */
static bool has_room(const struct command *command)
{
    struct text note = doc_tree_text(command->tree, "note");
    struct buffer sample;
    buffer_init(&sample, INCIDENT_NOTES_BYTES);
    json_write_string(&sample, "text", note);
    json_write_string(&sample, "by", command->by);
    bool has = !note.len || (!sample.has_failed && command->incident->notes.len + sample.len + 64 <=
                                                       INCIDENT_NOTES_BYTES);
    buffer_fini(&sample);
    return has;
}

static int run_verb(struct command *command, struct text name)
{
    for (size_t v = 0; v < sizeof verbs / sizeof verbs[0]; v++) {
        if (!text_equal(text_of(verbs[v].name), name))
            continue;
        int http = find_incident(command);
        if (http != HTTP_OK)
            return http;
        int64_t version = doc_tree_whole(command->tree, "version", command->incident->version);
        if (version != command->incident->version)
            return incident_command_refuse(command->reply, HTTP_CONFLICT,
                                           "someone else changed it first", TEXT_NONE);
        if (!has_room(command))
            return incident_command_refuse(command->reply, HTTP_TOO_MUCH,
                                           "the incident holds as many notes as it can (256 KiB): "
                                           "go on in another, or without a note",
                                           TEXT_NONE);
        return verbs[v].run(command);
    }
    return incident_command_refuse(command->reply, HTTP_BAD, "no such command", name);
}

int incident_command_run(const struct lifecycle *lifecycle, struct text text, int64_t now_us,
                         struct buffer *reply)
{
    struct arena arena;
    struct doc_tree tree = {0};
    struct error err = {0};
    arena_init(&arena, COMMAND_BYTES * 8);
    int http;
    if (text.len > COMMAND_BYTES || doc_tree_parse(text, &arena, &tree, &err) != STATUS_OK ||
        tree.kind != TREE_MAP) {
        http = incident_command_refuse(reply, HTTP_BAD, "a command is a JSON object",
                                       text_of(err.text));
    } else {
        struct command command = {
            .lifecycle = lifecycle, .tree = &tree, .now_us = now_us, .reply = reply};
        struct text by = doc_tree_text(&tree, "by");
        command.by = by.len ? by : TEXT("api");
        struct text name = doc_tree_text(&tree, "do");
        if (command_check(name, &tree, now_us, &err) != STATUS_OK)
            http = incident_command_refuse(reply, HTTP_BAD, err.text, TEXT_NONE);
        else
            http = text_equal(name, TEXT("report"))     ? do_report(&command)
                   : text_equal(name, TEXT("withdraw")) ? do_withdraw(&command)
                                                        : run_verb(&command, name);
    }
    arena_fini(&arena);
    return http;
}
