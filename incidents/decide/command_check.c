/* SPDX-License-Identifier: Apache-2.0 */
#include "incidents/decide/command_check.h"
#include "base/timestamp.h"
#include <string.h>

enum { AHEAD_US = 300 * 1000000 /* of another's clock */ };

enum member_kind {
    MEMBER_TEXT,
    MEMBER_NAME,
    MEMBER_NOTE,
    MEMBER_WHOLE,
    MEMBER_PAST,
    MEMBER_FUTURE
};

static const struct member_type {
    const char *name;
    enum member_kind kind;
} types[] = {
    {"do", MEMBER_NAME},
    {"incident", MEMBER_NAME},
    {"by", MEMBER_NAME},
    {"version", MEMBER_WHOLE},
    {"idempotency_key", MEMBER_TEXT},
    {"note", MEMBER_NOTE},
    {"disposition", MEMBER_TEXT},
    {"to", MEMBER_TEXT},
    {"next_action", MEMBER_TEXT},
    {"reason", MEMBER_TEXT},
    {"severity", MEMBER_TEXT},
    {"until", MEMBER_FUTURE},
    {"into", MEMBER_NAME},
    {"title", MEMBER_TEXT},
    {"profile", MEMBER_TEXT},
    {"category", MEMBER_TEXT},
    {"occurred", MEMBER_PAST},
};

/* Beside those that every command may have. */
static const struct allowed {
    const char *verb, *members;
} allowed[] = {
    {"ack", "note,disposition"},
    {"acknowledge", "note,disposition"},
    {"contain", "note,disposition"},
    {"eradicate", "note,disposition"},
    {"recover", "note,disposition"},
    {"resolve", "note,disposition"},
    {"review", "note,disposition"},
    {"close", "note,disposition"},
    {"triage", "note,disposition"},
    {"reopen", "note"},
    {"note", "note"},
    {"assign", "to,next_action,note"},
    {"pause", "reason,note"},
    {"resume", "note"},
    {"severity", "severity,reason,until,note"},
    {"merge", "into,reason,note"},
    {"split", "reason,note"},
    {"report", "title,severity,profile,category,occurred,note"},
    {"withdraw", "reason"},
};
static const char common[] = "do,incident,by,version,idempotency_key";

static bool is_among(const char *names, struct text name)
{
    struct text rest = text_of(names), one;
    while (text_split(&rest, ',', &one))
        if (text_equal(one, name))
            return true;
    return false;
}

static const char *members_of(struct text verb)
{
    for (size_t a = 0; a < sizeof allowed / sizeof allowed[0]; a++)
        if (text_equal(text_of(allowed[a].verb), verb))
            return allowed[a].members;
    return NULL;
}

static enum status wrong(const struct doc_tree *member, const char *want, struct error *err)
{
    return error_set(err, STATUS_INVALID, 0, "%.*s: want %s", TEXT_ARG(member->name), want);
}

static enum status check_time(const struct doc_tree *member, enum member_kind kind, int64_t now_us,
                              struct error *err)
{
    int64_t us;
    if (member->kind != TREE_TEXT || !timestamp_parse(member->text, 0, &us, NULL))
        return wrong(member, "a time as 2026-03-01T12:30:00Z", err);
    if (kind == MEMBER_PAST && us > now_us + AHEAD_US)
        return wrong(member, "a time that is not in the future", err);
    if (kind == MEMBER_FUTURE && us <= now_us)
        return wrong(member, "a time in the future", err);
    return STATUS_OK;
}

static enum status check_text(const struct doc_tree *member, size_t most, struct error *err)
{
    if (member->kind != TREE_TEXT)
        return wrong(member, "a text", err);
    if (member->text.len > most)
        return error_set(err, STATUS_INVALID, 0, "%.*s: want at most %zu bytes, not %zu",
                         TEXT_ARG(member->name), most, member->text.len);
    return STATUS_OK;
}

static enum status check_value(const struct doc_tree *member, enum member_kind kind, int64_t now_us,
                               struct error *err)
{
    switch (kind) {
    case MEMBER_TEXT:
        return check_text(member, COMMAND_TEXT_BYTES, err);
    case MEMBER_NAME:
        return check_text(member, COMMAND_NAME_BYTES, err);
    case MEMBER_NOTE:
        return check_text(member, COMMAND_NOTE_BYTES, err);
    case MEMBER_WHOLE:
        return member->kind == TREE_WHOLE ? STATUS_OK : wrong(member, "a whole number", err);
    case MEMBER_PAST:
    case MEMBER_FUTURE:
        return check_time(member, kind, now_us, err);
    }
    return STATUS_OK;
}

static enum status check_member(const struct doc_tree *member, const char *names, struct text verb,
                                int64_t now_us, struct error *err)
{
    if (!is_among(common, member->name) && !is_among(names, member->name))
        return error_set(
            err, STATUS_INVALID, 0, "'%.*s' is nothing that %.*s takes: want by, version, %s",
            TEXT_ARG(text_head(member->name, 60)), TEXT_ARG(text_head(verb, 20)), names);
    for (size_t t = 0; t < sizeof types / sizeof types[0]; t++)
        if (text_equal(text_of(types[t].name), member->name))
            return check_value(member, types[t].kind, now_us, err);
    return STATUS_OK;
}

enum status command_check(struct text verb, const struct doc_tree *tree, int64_t now_us,
                          struct error *err)
{
    const char *names = members_of(verb);
    enum status status = STATUS_OK;
    for (uint32_t m = 0; names && !status && m < tree->count; m++)
        status = check_member(&tree->items[m], names, verb, now_us, err);
    return status;
}
