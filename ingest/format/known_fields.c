/* SPDX-License-Identifier: Apache-2.0 */
#include "ingest/format/known_fields.h"
#include "base/json_scan.h"
#include <string.h>

enum role { ROLE_TIME, ROLE_HOST };

struct row {
    const char *name;
    enum role role;
    bool is_utc; /* a time without zone is UTC by definition */
};

/* The most telling first. */
static const struct row table[] = {
    {"@timestamp", ROLE_TIME, true},
    {"Event.System.TimeCreated.#attributes.SystemTime", ROLE_TIME, true},
    {"Event.System.TimeCreated.SystemTime", ROLE_TIME, true},
    {"System.TimeCreated.SystemTime", ROLE_TIME, true},
    {"eventTime", ROLE_TIME, false},
    {"EventTime", ROLE_TIME, false},
    {"TimeCreated", ROLE_TIME, false},
    {"timestamp", ROLE_TIME, false},
    {"Timestamp", ROLE_TIME, false},
    {"timeStamp", ROLE_TIME, false},
    {"time", ROLE_TIME, false},
    {"Time", ROLE_TIME, false},
    {"UtcTime", ROLE_TIME, true},
    {"SystemTime", ROLE_TIME, true},
    {"winlog.event_data.UtcTime", ROLE_TIME, true},
    {"Event.EventData.UtcTime", ROLE_TIME, true},
    {"ts", ROLE_TIME, true},
    {"_time", ROLE_TIME, false},
    {"event_time", ROLE_TIME, false},
    {"event.created", ROLE_TIME, true},
    {"published", ROLE_TIME, true},
    {"activityDateTime", ROLE_TIME, true},
    {"createdDateTime", ROLE_TIME, true},
    {"requestReceivedTimestamp", ROLE_TIME, true},
    {"stageTimestamp", ROLE_TIME, true},
    {"TimeGenerated", ROLE_TIME, true},
    {"CreationTime", ROLE_TIME, true},
    {"LogTimestamp", ROLE_TIME, false},
    {"rt", ROLE_TIME, false},
    {"devTime", ROLE_TIME, false},
    {"start", ROLE_TIME, false},
    {"end", ROLE_TIME, false},
    {"eventtime", ROLE_TIME, false},
    {"datetime", ROLE_TIME, false},
    {"dateTime", ROLE_TIME, false},
    {"date", ROLE_TIME, false},
    {"asctime", ROLE_TIME, false},
    {"__REALTIME_TIMESTAMP", ROLE_TIME, true},
    /* the machine an event is about before the one that passed it on */
    {"Event.System.Computer", ROLE_HOST, false},
    {"System.Computer", ROLE_HOST, false},
    {"winlog.computer_name", ROLE_HOST, false},
    {"computer_name", ROLE_HOST, false},
    {"Computer", ROLE_HOST, false},
    {"ComputerName", ROLE_HOST, false},
    {"Hostname", ROLE_HOST, false},
    {"HostName", ROLE_HOST, false},
    {"MachineName", ROLE_HOST, false},
    {"_HOSTNAME", ROLE_HOST, false},
    {"host.hostname", ROLE_HOST, false},
    {"host.name", ROLE_HOST, false},
    {"hostname", ROLE_HOST, false},
    {"host", ROLE_HOST, false},
    {"agent.hostname", ROLE_HOST, false},
    {"beat.hostname", ROLE_HOST, false},
    {"devname", ROLE_HOST, false},
    {"device_name", ROLE_HOST, false},
    {"dvchost", ROLE_HOST, false},
    {"deviceHostName", ROLE_HOST, false},
    {"identHostName", ROLE_HOST, false},
    {"dvc", ROLE_HOST, false},
};

enum { ROWS = sizeof table / sizeof *table };

void known_fields_init(struct known_fields *u)
{
    *u = (struct known_fields){0};
    for (unsigned row = 0; row < ROWS; row++) {
        uint64_t hash = event_name_hash(text_of(table[row].name));
        size_t slot = hash % KNOWN_FIELDS_SLOTS;
        while (u->hashes[slot])
            slot = (slot + 1) % KNOWN_FIELDS_SLOTS;
        u->hashes[slot] = hash;
        u->rows[slot] = (uint8_t)row;
    }
}

/* The row of that name, or ROWS. */
static unsigned find(const struct known_fields *u, struct text name, uint64_t hash)
{
    for (size_t slot = hash % KNOWN_FIELDS_SLOTS; u->hashes[slot];
         slot = (slot + 1) % KNOWN_FIELDS_SLOTS)
        if (u->hashes[slot] == hash && text_equal(name, text_of(table[u->rows[slot]].name)))
            return u->rows[slot];
    return ROWS;
}

/* Under which names senders tell the zone of their date and time. */
static bool is_zone_name(struct text name)
{
    static const char *const names[] = {"tz", "timezone", "time_zone", "tzone", "utc_offset"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (text_equal_nocase(name, text_of(names[i])))
            return true;
    return false;
}

bool known_fields_reads(const struct known_fields *u, struct text name, uint64_t hash)
{
    return find(u, name, hash) < ROWS || text_equal(name, TEXT("date")) ||
           text_equal(name, TEXT("time")) || is_zone_name(name);
}

static bool read_time(const struct field *f, const struct row *row, struct stamp_reader *stamps,
                      struct arena *arena, struct stamp *out)
{
    if (f->type != VALUE_STRING && f->type != VALUE_NUMBER)
        return false;
    int32_t zone_s = stamps->zone_s;
    if (row->is_utc)
        stamps->zone_s = 0;
    bool is_time = stamp_read_whole(stamps, json_value(f, arena), out);
    stamps->zone_s = zone_s;
    if (row->is_utc)
        out->has_zone = true;
    return is_time;
}

static void take_host(const struct field *f, struct arena *arena, struct event *e)
{
    if (f->type == VALUE_STRING && f->value.len)
        e->host = json_value(f, arena);
}

/* Firewalls: date=2014-02-05 time=13:37:45 tz="+0100". */
static void join_date_and_time(struct stamp_reader *stamps, struct event *e)
{
    const struct field *date = event_field(e, TEXT("date"));
    const struct field *time = event_field(e, TEXT("time"));
    const struct field *zone = NULL;
    char joined[64];
    struct stamp stamp;
    bool is_pair = date && time && date->type == VALUE_STRING && time->type == VALUE_STRING &&
                   date->value.len == 10 && time->value.len >= 8 && time->value.len < 20;
    if (!is_pair)
        return;
    for (uint32_t i = 0; i < e->field_count && !zone; i++)
        if (is_zone_name(e->fields[i].name) && e->fields[i].type == VALUE_STRING)
            zone = &e->fields[i];
    memcpy(joined, date->value.at, 10);
    joined[10] = 'T';
    memcpy(joined + 11, time->value.at, time->value.len);
    size_t len = 11 + time->value.len;
    struct text plain = {joined, len};
    if (zone && zone->value.len && zone->value.len < 10) {
        /* "+0100" stands behind a time, "CET" and "UTC+01:00" behind a blank */
        bool is_sign = zone->value.at[0] == '+' || zone->value.at[0] == '-';
        joined[len] = ' ';
        len += is_sign ? 0 : 1;
        memcpy(joined + len, zone->value.at, zone->value.len);
        len += zone->value.len;
    }
    if (stamp_read_whole(stamps, (struct text){joined, len}, &stamp) ||
        stamp_read_whole(stamps, plain, &stamp))
        stamp_apply(&stamp, e);
}

void known_fields_apply(const struct known_fields *u, struct stamp_reader *stamps,
                        struct arena *arena, bool has_time, struct event *e)
{
    unsigned best_time = has_time ? 0 : ROWS;
    unsigned best_host = e->host.len ? 0 : ROWS;
    for (uint32_t i = 0; i < e->field_count; i++) {
        unsigned row = find(u, e->fields[i].name, e->fields[i].hash);
        struct stamp stamp;
        if (row == ROWS)
            continue;
        if (table[row].role == ROLE_HOST && row < best_host) {
            take_host(&e->fields[i], arena, e);
            best_host = e->host.len ? row : best_host;
        } else if (table[row].role == ROLE_TIME && row < best_time &&
                   read_time(&e->fields[i], &table[row], stamps, arena, &stamp)) {
            stamp_apply(&stamp, e);
            best_time = row;
        }
    }
    if (best_time == ROWS && (e->flags & EVENT_TIME_ASSUMED))
        join_date_and_time(stamps, e);
}
