/* SPDX-License-Identifier: Apache-2.0 */
#include "app/present.h"
#include "base/printable.h"
#include "base/timestamp.h"
#include "base/wall_clock.h"
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *member(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text ? text : "-";
}

static double number(const json_t *object, const char *name)
{
    return json_number_value(json_object_get(object, name));
}

static long long whole(const json_t *object, const char *name)
{
    return (long long)number(object, name);
}

/* "34 ms", "4 s", "12 min", "3 h 05", "6 d 04 h": as long as it is told at a glance. */
static const char *duration(double seconds, char *out, size_t size)
{
    long long s = (long long)(seconds + 0.5);
    if (seconds < 0)
        (void)snprintf(out, size, "%.0f s", seconds);
    else if (seconds < 1)
        (void)snprintf(out, size, "%.0f ms", seconds * 1000);
    else if (seconds < 10)
        (void)snprintf(out, size, "%.1f s", seconds);
    else if (s < 120)
        (void)snprintf(out, size, "%lld s", s);
    else if (s < 7200)
        (void)snprintf(out, size, "%lld min", s / 60);
    else if (s < 2 * 86400)
        (void)snprintf(out, size, "%lld h %02lld", s / 3600, s % 3600 / 60);
    else
        (void)snprintf(out, size, "%lld d %02lld h", s / 86400, s % 86400 / 3600);
    return out;
}

/* "2026-11-28 15:22:42", to the second; the text itself where it is no time. */
static const char *when(const char *time, char *out, size_t size)
{
    (void)snprintf(out, size, "%.19s", time);
    if (strlen(out) == 19 && out[10] == 'T')
        out[10] = ' ';
    return out;
}

static const char *age(const char *time, char *out, size_t size)
{
    int64_t us = 0;
    if (!timestamp_parse(text_of(time), 0, &us, NULL))
        return "-";
    return duration((double)(wall_clock_us() - us) / 1e6, out, size);
}

/* ---- the list ---- */

void present_incident_heading(void)
{
    printable_print(stdout, "%-30s %-3s %-8s %-13s %5s  %-19s  %-28s %s\n", "ID", "PRI", "SEVERITY",
                    "STATE", "SCORE", "OPENED", "ENTITY", "TITLE");
}

static void print_incident_row(const json_t *incident)
{
    char opened[24];
    char entity[300];
    const json_t *first = json_array_get(json_object_get(incident, "entities"), 0);
    (void)snprintf(entity, sizeof entity, "%s %s", member(first, "kind"), member(first, "value"));
    printable_print(
        stdout, "%-30s %-3s %-8s %-13s %5.1f  %-19s  %-28s %s\n", member(incident, "id"),
        member(incident, "priority"), member(incident, "severity"), member(incident, "state"),
        number(incident, "score"),
        when(member(json_object_get(incident, "times"), "opened"), opened, sizeof opened), entity,
        member(incident, "title"));
}

/* ---- one incident ---- */

static void print_entities(const json_t *incident)
{
    size_t i = 0;
    const json_t *one = NULL;
    json_array_foreach(json_object_get(incident, "entities"), i, one)
    {
        const char *owner = json_string_value(json_object_get(one, "owner"));
        char score[32] = "";
        if (number(one, "score") > 0)
            (void)snprintf(score, sizeof score, " (score %.1f)", number(one, "score"));
        printable_print(stdout, "%-12s%s %s%s%s%s\n", i ? "" : "Entities", member(one, "kind"),
                        member(one, "value"), score, owner ? ", owner " : "", owner ? owner : "");
    }
}

static void print_time(const json_t *times, const char *name, const char *shown)
{
    char at[24];
    char since[32];
    const char *time = json_string_value(json_object_get(times, name));
    if (time)
        printable_print(stdout, "%-12s%s (%s ago)\n", shown, when(time, at, sizeof at),
                        age(time, since, sizeof since));
}

static void print_times(const json_t *incident)
{
    static const char *const rows[][2] = {
        {"occurred", "Occurred"},   {"opened", "Opened"},       {"notified", "Told"},
        {"acknowledged", "Taken"},  {"contained", "Contained"}, {"eradicated", "Eradicated"},
        {"recovered", "Recovered"}, {"resolved", "Resolved"},   {"reviewed", "Reviewed"},
        {"closed", "Closed"},       {"last", "Last event"},
    };
    const json_t *times = json_object_get(incident, "times");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        print_time(times, rows[i][0], rows[i][1]);
}

static void print_contributions(const json_t *incident)
{
    size_t i = 0;
    const json_t *one = NULL;
    const json_t *list = json_object_get(incident, "contributions");
    char last[24];
    if (!json_array_size(list))
        return;
    printable_print(stdout, "\n%-7s %-9s %-20s %6s  %-19s  %s\n", "SHARE", "LEVEL", "TACTIC",
                    "TIMES", "LAST", "RULE (its id is what overrides.yml wants)");
    json_array_foreach(list, i, one)
    {
        printable_print(stdout, "%5.0f %% %-9s %-20s %6lld  %-19s  %s  %s\n",
                        100 * number(one, "share"), member(one, "level"), member(one, "tactic"),
                        whole(one, "count"), when(member(one, "last"), last, sizeof last),
                        member(one, "title"), member(one, "rule"));
    }
}

static void print_members(const json_t *incident)
{
    size_t i = 0;
    const json_t *one = NULL;
    const json_t *list = json_object_get(incident, "members");
    if (!json_array_size(list))
        return;
    printable_print(stdout, "\nAlerts\n");
    json_array_foreach(list, i, one)
        printable_print(stdout, "  %-9s %s\n", member(one, "state"),
                        json_object_get(one, "title") ? member(one, "title") : member(one, "key"));
}

static void print_evidence(const json_t *incident)
{
    size_t i = 0;
    const json_t *one = NULL;
    const json_t *list = json_object_get(incident, "evidence");
    if (!json_array_size(list))
        return;
    printable_print(stdout, "\nEvidence\n");
    json_array_foreach(list, i, one)
        printable_print(stdout, "  %8lld  %s\n", whole(one, "position"), member(one, "line"));
}

static void print_deliveries(const json_t *incident)
{
    size_t i = 0;
    const json_t *one = NULL;
    const json_t *list = json_object_get(incident, "deliveries");
    char started[24];
    printable_print(stdout, "\nTold\n");
    if (!json_array_size(list))
        printable_print(stdout, "  nobody\n");
    json_array_foreach(list, i, one) printable_print(
        stdout, "  %-19s  %-14s %-12s %-11s %s\n",
        when(member(one, "started"), started, sizeof started), member(one, "destination"),
        member(one, "notice"), member(one, "state"), member(one, "detail"));
}

/* What of a ledger record's data is worth a glance. */
static void print_record(const json_t *record)
{
    static const char *const shown[] = {"by",       "from", "state",       "disposition",
                                        "severity", "to",   "next_action", "reason",
                                        "into",     "note", "title"};
    char at[24];
    const json_t *data = json_object_get(record, "data");
    printable_print(stdout, "  %-19s  %-22s", when(member(record, "time"), at, sizeof at),
                    member(record, "kind"));
    for (size_t i = 0; i < sizeof shown / sizeof *shown; i++) {
        const char *own = json_string_value(json_object_get(record, shown[i]));
        const char *text = own ? own : json_string_value(json_object_get(data, shown[i]));
        if (text)
            printable_print(stdout, " %s=%s", shown[i], text);
    }
    printable_print(stdout, "\n");
}

static void print_timeline(const json_t *incident)
{
    size_t i = 0;
    const json_t *one = NULL;
    printable_print(stdout, "\nTimeline\n");
    json_array_foreach(json_object_get(incident, "timeline"), i, one)
    {
        if (strncmp(member(one, "kind"), "delivery.", 9) != 0) /* those stand above */
            print_record(one);
    }
}

static void print_next(const json_t *incident)
{
    static const struct {
        const char *state, *security, *operations;
    } steps[] = {
        {"open", "ack", "ack"},
        {"acknowledged", "contain, or close --disposition false_positive", "resolve"},
        {"contained", "eradicate", "resolve"},
        {"eradicated", "recover", "resolve"},
        {"recovered", "review", "close"},
        {"resolved", "close", "close"},
        {"reviewed", "close --disposition true_positive", "close"},
    };
    const char *state = member(incident, "state");
    const char *said = json_string_value(json_object_get(incident, "next_action"));
    bool is_security = strcmp(member(incident, "profile"), "security") == 0;
    printable_print(stdout, "\n");
    if (said && strcmp(state, "closed") != 0)
        printable_print(stdout, "%-12s%s\n", "Next", said);
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
        if (strcmp(state, steps[i].state) == 0)
            printable_print(stdout, "%-12stocsin incident %s %s\n", said ? "" : "Next",
                            member(incident, "id"),
                            is_security ? steps[i].security : steps[i].operations);
}

static void print_incident(const json_t *incident)
{
    const char *owner = json_string_value(json_object_get(incident, "assignee"));
    bool is_candidate = strcmp(member(incident, "kind"), "candidate") == 0;
    if (is_candidate)
        printable_print(stdout,
                        "A candidate, no incident: its score is below the threshold, 65 unless "
                        "score.threshold says otherwise\n%s, score %.1f, %s\n\n",
                        member(incident, "severity"), number(incident, "score"),
                        member(incident, "id"));
    else
        printable_print(stdout, "%s\n%s %s, %s, score %.1f, %s\n\n", member(incident, "title"),
                        member(incident, "priority"), member(incident, "severity"),
                        member(incident, "state"), number(incident, "score"),
                        member(incident, "id"));
    print_entities(incident);
    printable_print(stdout, "%-12s%s\n", "Owner", owner ? owner : "nobody yet");
    if (json_object_get(incident, "disposition"))
        printable_print(stdout, "%-12s%s\n", "Verdict", member(incident, "disposition"));
    print_times(incident);
    if (whole(incident, "recurrences"))
        printable_print(stdout, "%-12s%lld more since it opened\n", "Again",
                        whole(incident, "recurrences"));
    print_contributions(incident);
    print_members(incident);
    print_evidence(incident);
    if (is_candidate)
        return;
    print_deliveries(incident);
    print_timeline(incident);
    print_next(incident);
}

/* ---- figures ---- */

static void print_metric(const char *name, const json_t *metric)
{
    char median[32] = "-";
    char high[32] = "-";
    char open[32] = "-";
    const json_t *with_open = json_object_get(metric, "median_with_open_s");
    if (json_object_get(metric, "median_s"))
        (void)duration(number(metric, "median_s"), median, sizeof median);
    if (json_object_get(metric, "p90_s"))
        (void)duration(number(metric, "p90_s"), high, sizeof high);
    if (json_is_number(with_open))
        (void)duration(json_number_value(with_open), open, sizeof open);
    printable_print(stdout, "  %-22s %6lld %6lld %12s %12s %12s   %s\n", name, whole(metric, "n"),
                    whole(metric, "open"), median, high, open, member(metric, "formula"));
}

static void print_group(const json_t *group)
{
    const char *name = NULL;
    json_t *metric = NULL;
    const char *title = json_string_value(json_object_get(group, "title"));
    const json_t *dispositions = json_object_get(group, "dispositions");
    printable_print(
        stdout,
        "%s%s%s: %lld opened, %lld open, %lld acknowledged, %lld resolved, %lld closed, "
        "%lld reopened\n",
        title ? title : member(group, "key"), title ? " " : "", title ? member(group, "key") : "",
        whole(group, "opened"), whole(group, "open"), whole(group, "acknowledged"),
        whole(group, "resolved"), whole(group, "closed"), whole(group, "reopened"));
    printable_print(stdout,
                    "  verdicts: %lld true positive, %lld benign, %lld false positive, %lld none\n",
                    whole(dispositions, "true_positive"), whole(dispositions, "benign"),
                    whole(dispositions, "false_positive"), whole(dispositions, "none"));
    printable_print(stdout, "  %-22s %6s %6s %12s %12s %12s   %s\n", "", "n", "open", "median",
                    "p90", "with open", "formula");
    json_object_foreach(json_object_get(group, "metrics"), name, metric) print_metric(name, metric);
    printable_print(stdout, "\n");
}

static void print_report(const json_t *report)
{
    char now[24];
    size_t i = 0;
    const json_t *one = NULL;
    printable_print(stdout, "Response times by %s, at %s UTC\n%lld deliveries, %lld suppressed\n\n",
                    member(report, "by"), when(member(report, "now"), now, sizeof now),
                    whole(report, "deliveries"), whole(report, "notices_suppressed"));
    json_array_foreach(json_object_get(report, "groups"), i, one) print_group(one);
    if (!json_array_size(json_object_get(report, "groups")))
        printable_print(stdout, "No incidents in that time.\n");
}

/* ---- handover ---- */

/* What one of the handover's lists holds: ids, or objects that are told by what they have. */
static void print_item(const json_t *item)
{
    static const char *const names[] = {"id",     "incident", "rule",     "kind",        "value",
                                        "title",  "priority", "delivery", "destination", "state",
                                        "reason", "owner",    "until"};
    if (json_is_string(item)) {
        printable_print(stdout, "  %s\n", json_string_value(item));
        return;
    }
    printable_print(stdout, " ");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *text = json_string_value(json_object_get(item, names[i]));
        if (text)
            printable_print(stdout, " %s", text);
    }
    printable_print(stdout, "\n");
}

static void print_list(const json_t *handover, const char *name, const char *shown)
{
    size_t i = 0;
    const json_t *one = NULL;
    const json_t *list = json_object_get(handover, name);
    if (!json_array_size(list))
        return;
    printable_print(stdout, "\n%s (%zu)\n", shown, json_array_size(list));
    json_array_foreach(list, i, one) print_item(one);
}

static void print_open(const json_t *handover)
{
    size_t i = 0;
    const json_t *one = NULL;
    char since[32];
    json_array_foreach(json_object_get(handover, "incidents"), i, one)
    {
        const char *owner = json_string_value(json_object_get(one, "assignee"));
        const char *next = json_string_value(json_object_get(one, "next_action"));
        printable_print(stdout, "  %s %-3s %-13s %5.1f  open for %-8s  %s\n", member(one, "id"),
                        member(one, "priority"), member(one, "state"), number(one, "score"),
                        age(member(one, "opened"), since, sizeof since), member(one, "title"));
        printable_print(stdout, "    owner: %s; next: %s\n", owner ? owner : "nobody",
                        next ? next : "nothing said");
    }
}

static void print_handover(const json_t *handover)
{
    char at[24];
    printable_print(stdout, "Handover at %s UTC: %lld open\n",
                    when(member(handover, "time"), at, sizeof at), whole(handover, "open"));
    print_open(handover);
    print_list(handover, "unacknowledged", "Nobody has taken");
    print_list(handover, "lacks_owner_or_action", "Without an owner or a next action");
    print_list(handover, "undelivered", "Not told yet");
    print_list(handover, "dead_letters", "Could not be told");
    print_list(handover, "exceptions", "Exceptions in force");
    printable_print(stdout, "\n%s\n",
                    json_is_true(json_object_get(handover, "can_be_signed"))
                        ? "It can be signed: every open item has an owner and a next action."
                        : "It cannot be signed yet: tocsin incident ID assign --to NAME "
                          "--next-action TEXT.");
}

/* ---- the ledger ---- */

static void print_verify(json_t *verification)
{
    const char *name = NULL;
    json_t *value = NULL;
    bool is_good = json_is_true(json_object_get(verification, "ok"));
    printable_print(stdout, "%s: %lld records in the ledger\n",
                    is_good ? "The chain is whole" : "The chain is BROKEN",
                    whole(verification, "records"));
    json_object_foreach(verification, name, value)
    {
        if (strcmp(name, "ok") == 0 || strcmp(name, "records") == 0)
            continue;
        char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
        const char *shown = json_is_string(value) ? json_string_value(value) : text;
        printable_print(stdout, "  %-16s %s\n", name, shown ? shown : "-");
        free(text);
    }
}

/* ---- from what the API sent ---- */

static void present(struct text json, void (*print)(const json_t *root))
{
    json_t *root = json_loadb(json.at ? json.at : "", json.len, 0, NULL);
    if (root)
        print(root);
    json_decref(root);
}

void present_incident_row(struct text json)
{
    present(json, print_incident_row);
}

void present_incident(struct text json)
{
    present(json, print_incident);
}

void present_report(struct text json)
{
    present(json, print_report);
}

void present_handover(struct text json)
{
    present(json, print_handover);
}

void present_verify(struct text json)
{
    json_t *root = json_loadb(json.at ? json.at : "", json.len, 0, NULL);
    if (root)
        print_verify(root);
    json_decref(root);
}
