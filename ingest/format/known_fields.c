/* SPDX-License-Identifier: Apache-2.0 */
#include "ingest/format/known_fields.h"
#include "base/json_scan.h"
#include <string.h>

enum role { ROLE_TIME, ROLE_HOST, ROLE_ENVELOPE };

struct row {
    const char *name;
    enum role role;
    bool is_utc; /* a time without zone is UTC by definition */
    enum known_mark mark;
};

/* The most telling first. */
static const struct row table[] = {
    {"@timestamp", ROLE_TIME, true, MARK_DATE},
    {"Event.System.TimeCreated.#attributes.SystemTime", ROLE_TIME, true, MARK_NONE},
    {"Event.System.TimeCreated.SystemTime", ROLE_TIME, true, MARK_NONE},
    {"System.TimeCreated.SystemTime", ROLE_TIME, true, MARK_NONE},
    /* Sysmon's, beside which NXLog puts the local time */
    {"UtcTime", ROLE_TIME, true, MARK_NONE},
    {"eventTime", ROLE_TIME, false, MARK_NONE},
    {"EventTime", ROLE_TIME, false, MARK_NONE},
    {"TimeCreated", ROLE_TIME, false, MARK_NONE},
    {"timestamp", ROLE_TIME, false, MARK_DATE},
    {"Timestamp", ROLE_TIME, false, MARK_NONE},
    {"timeStamp", ROLE_TIME, false, MARK_NONE},
    {"time", ROLE_TIME, false, MARK_NONE},
    {"Time", ROLE_TIME, false, MARK_NONE},
    {"SystemTime", ROLE_TIME, true, MARK_NONE},
    {"winlog.event_data.UtcTime", ROLE_TIME, true, MARK_NONE},
    {"Event.EventData.UtcTime", ROLE_TIME, true, MARK_NONE},
    {"ts", ROLE_TIME, true, MARK_NONE},
    {"_time", ROLE_TIME, false, MARK_NONE},
    {"event_time", ROLE_TIME, false, MARK_NONE},
    {"event.created", ROLE_TIME, true, MARK_NONE},
    {"published", ROLE_TIME, true, MARK_NONE},
    {"activityDateTime", ROLE_TIME, true, MARK_NONE},
    {"createdDateTime", ROLE_TIME, true, MARK_NONE},
    {"requestReceivedTimestamp", ROLE_TIME, true, MARK_NONE},
    {"stageTimestamp", ROLE_TIME, true, MARK_NONE},
    {"TimeGenerated", ROLE_TIME, true, MARK_NONE},
    {"CreationTime", ROLE_TIME, true, MARK_NONE},
    {"LogTimestamp", ROLE_TIME, false, MARK_NONE},
    {"rt", ROLE_TIME, false, MARK_NONE},
    {"devTime", ROLE_TIME, false, MARK_NONE},
    {"start", ROLE_TIME, false, MARK_NONE},
    {"end", ROLE_TIME, false, MARK_NONE},
    {"eventtime", ROLE_TIME, false, MARK_NONE},
    {"datetime", ROLE_TIME, false, MARK_NONE},
    {"dateTime", ROLE_TIME, false, MARK_NONE},
    {"date", ROLE_TIME, false, MARK_DATE},
    {"asctime", ROLE_TIME, false, MARK_NONE},
    {"__REALTIME_TIMESTAMP", ROLE_TIME, true, MARK_JOURNAL},
    {"timeUnixNano", ROLE_TIME, true, MARK_OTEL},
    {"observedTimeUnixNano", ROLE_TIME, true, MARK_OTEL},
    /* the machine an event is about before the one that passed it on */
    {"Event.System.Computer", ROLE_HOST, false, MARK_WINDOWS},
    {"System.Computer", ROLE_HOST, false, MARK_NONE},
    {"winlog.computer_name", ROLE_HOST, false, MARK_WINDOWS},
    {"computer_name", ROLE_HOST, false, MARK_NONE},
    {"Computer", ROLE_HOST, false, MARK_NONE},
    {"ComputerName", ROLE_HOST, false, MARK_NONE},
    {"Hostname", ROLE_HOST, false, MARK_NONE},
    {"HostName", ROLE_HOST, false, MARK_NONE},
    {"MachineName", ROLE_HOST, false, MARK_NONE},
    {"_HOSTNAME", ROLE_HOST, false, MARK_JOURNAL},
    {"host.hostname", ROLE_HOST, false, MARK_NONE},
    {"host.name", ROLE_HOST, false, MARK_NONE},
    {"hostname", ROLE_HOST, false, MARK_NONE},
    {"host", ROLE_HOST, false, MARK_NONE},
    {"agent.hostname", ROLE_HOST, false, MARK_BEAT},
    {"beat.hostname", ROLE_HOST, false, MARK_BEAT},
    {"devname", ROLE_HOST, false, MARK_NONE},
    {"device_name", ROLE_HOST, false, MARK_NONE},
    {"dvchost", ROLE_HOST, false, MARK_NONE},
    {"deviceHostName", ROLE_HOST, false, MARK_NONE},
    {"identHostName", ROLE_HOST, false, MARK_NONE},
    {"dvc", ROLE_HOST, false, MARK_NONE},
    {"kubernetes.host", ROLE_HOST, false, MARK_SHIPPER},
    {"kubernetes.node.name", ROLE_HOST, false, MARK_SHIPPER},
    {"kubernetes.node_name", ROLE_HOST, false, MARK_SHIPPER},
    {"k8s.node.name", ROLE_HOST, false, MARK_SHIPPER},
    {"logsource", ROLE_HOST, false, MARK_NONE},
    /* what envelopes are known by */
    {"log", ROLE_ENVELOPE, false, MARK_LOG},
    {"LogMessage", ROLE_ENVELOPE, false, MARK_LOG},
    {"LogEntry", ROLE_ENVELOPE, false, MARK_LOG},
    {"message", ROLE_ENVELOPE, false, MARK_MESSAGE},
    {"MESSAGE", ROLE_ENVELOPE, false, MARK_JOURNAL_MESSAGE},
    {"short_message", ROLE_ENVELOPE, false, MARK_SHORT_MESSAGE},
    {"event", ROLE_ENVELOPE, false, MARK_EVENT},
    {"textPayload", ROLE_ENVELOPE, false, MARK_TEXT_PAYLOAD},
    {"jsonPayload.message", ROLE_ENVELOPE, false, MARK_JSON_MESSAGE},
    {"jsonPayload.MESSAGE", ROLE_ENVELOPE, false, MARK_JSON_MESSAGE},
    {"SyslogMessage", ROLE_ENVELOPE, false, MARK_SYSLOG_MESSAGE},
    {"body", ROLE_ENVELOPE, false, MARK_BODY},
    {"Body", ROLE_ENVELOPE, false, MARK_BODY},
    {"event.original", ROLE_ENVELOPE, false, MARK_ORIGINAL},
    {"full_log", ROLE_ENVELOPE, false, MARK_ORIGINAL},
    {"Message", ROLE_ENVELOPE, false, MARK_NOTICE},
    {"TopicArn", ROLE_ENVELOPE, false, MARK_SNS},
    {"stream", ROLE_ENVELOPE, false, MARK_STREAM},
    {"LogSource", ROLE_ENVELOPE, false, MARK_STREAM},
    {"LogEntrySource", ROLE_ENVELOPE, false, MARK_STREAM},
    {"attrs.stream", ROLE_ENVELOPE, false, MARK_STREAM},
    {"_TRANSPORT", ROLE_ENVELOPE, false, MARK_JOURNAL},
    {"_BOOT_ID", ROLE_ENVELOPE, false, MARK_JOURNAL},
    {"__CURSOR", ROLE_ENVELOPE, false, MARK_JOURNAL},
    {"version", ROLE_ENVELOPE, false, MARK_GELF},
    {"full_message", ROLE_ENVELOPE, false, MARK_GELF},
    {"sourcetype", ROLE_ENVELOPE, false, MARK_SPLUNK},
    {"index", ROLE_ENVELOPE, false, MARK_SPLUNK},
    {"logName", ROLE_ENVELOPE, false, MARK_GCP},
    {"insertId", ROLE_ENVELOPE, false, MARK_GCP},
    {"logGroup", ROLE_ENVELOPE, false, MARK_CLOUDWATCH},
    {"logStream", ROLE_ENVELOPE, false, MARK_CLOUDWATCH},
    {"log_group", ROLE_ENVELOPE, false, MARK_CLOUDWATCH},
    {"log_stream", ROLE_ENVELOPE, false, MARK_CLOUDWATCH},
    {"SeverityText", ROLE_ENVELOPE, false, MARK_OTEL},
    {"severityText", ROLE_ENVELOPE, false, MARK_OTEL},
    {"severityNumber", ROLE_ENVELOPE, false, MARK_OTEL},
    {"SeverityNumber", ROLE_ENVELOPE, false, MARK_OTEL},
    {"agent.type", ROLE_ENVELOPE, false, MARK_BEAT},
    {"agent.name", ROLE_ENVELOPE, false, MARK_BEAT},
    {"beat.name", ROLE_ENVELOPE, false, MARK_BEAT},
    {"input.type", ROLE_ENVELOPE, false, MARK_BEAT},
    {"prospector.type", ROLE_ENVELOPE, false, MARK_BEAT},
    {"ecs.version", ROLE_ENVELOPE, false, MARK_BEAT},
    {"@metadata.beat", ROLE_ENVELOPE, false, MARK_BEAT},
    {"@version", ROLE_ENVELOPE, false, MARK_SHIPPER},
    {"source_type", ROLE_ENVELOPE, false, MARK_SHIPPER},
    {"source_host", ROLE_ENVELOPE, false, MARK_SHIPPER},
    {"SYSLOG_IDENTIFIER", ROLE_ENVELOPE, false, MARK_PROGRAM},
    {"program", ROLE_ENVELOPE, false, MARK_PROGRAM},
    {"predecoder.program_name", ROLE_ENVELOPE, false, MARK_PROGRAM},
    {"_program", ROLE_ENVELOPE, false, MARK_PROGRAM},
    {"_application_name", ROLE_ENVELOPE, false, MARK_PROGRAM},
    {"programname", ROLE_ENVELOPE, false, MARK_PROGRAM},
    {"ident", ROLE_ENVELOPE, false, MARK_PROGRAM},
    {"appname", ROLE_ENVELOPE, false, MARK_PROGRAM},
    {"app_name", ROLE_ENVELOPE, false, MARK_PROGRAM},
    {"syslog.appname", ROLE_ENVELOPE, false, MARK_PROGRAM},
    {"log.syslog.appname", ROLE_ENVELOPE, false, MARK_PROGRAM},
    {"process.name", ROLE_ENVELOPE, false, MARK_PROGRAM},
    {"process.program", ROLE_ENVELOPE, false, MARK_PROGRAM},
    {"_COMM", ROLE_ENVELOPE, false, MARK_PROGRAM},
    {"ProcessName", ROLE_ENVELOPE, false, MARK_PROGRAM},
    {"kubernetes.container_name", ROLE_ENVELOPE, false, MARK_CONTAINER},
    {"kubernetes.container.name", ROLE_ENVELOPE, false, MARK_CONTAINER},
    {"container_name", ROLE_ENVELOPE, false, MARK_CONTAINER},
    {"container.name", ROLE_ENVELOPE, false, MARK_CONTAINER},
    {"_container_name", ROLE_ENVELOPE, false, MARK_CONTAINER},
    {"k8s.container.name", ROLE_ENVELOPE, false, MARK_CONTAINER},
    {"docker.container.name", ROLE_ENVELOPE, false, MARK_CONTAINER},
    {"CONTAINER_NAME", ROLE_ENVELOPE, false, MARK_CONTAINER},
    {"kubernetes.labels.app", ROLE_ENVELOPE, false, MARK_CONTAINER},
    {"service.name", ROLE_ENVELOPE, false, MARK_CONTAINER},
    {"ContainerName", ROLE_ENVELOPE, false, MARK_CONTAINER},
    {"resource.labels.container_name", ROLE_ENVELOPE, false, MARK_CONTAINER},
    {"kubernetes.container_image", ROLE_ENVELOPE, false, MARK_IMAGE},
    {"kubernetes.container.image", ROLE_ENVELOPE, false, MARK_IMAGE},
    {"container.image.name", ROLE_ENVELOPE, false, MARK_IMAGE},
    {"container_image", ROLE_ENVELOPE, false, MARK_IMAGE},
    {"_image_name", ROLE_ENVELOPE, false, MARK_IMAGE},
    {"image", ROLE_ENVELOPE, false, MARK_IMAGE},
    {"image_name", ROLE_ENVELOPE, false, MARK_IMAGE},
    {"docker.container.image", ROLE_ENVELOPE, false, MARK_IMAGE},
    {"attrs.image", ROLE_ENVELOPE, false, MARK_IMAGE},
    {"event.dataset", ROLE_ENVELOPE, false, MARK_DATASET},
    {"event.module", ROLE_ENVELOPE, false, MARK_DATASET},
    {"fileset.module", ROLE_ENVELOPE, false, MARK_DATASET},
    {"service.type", ROLE_ENVELOPE, false, MARK_DATASET},
    {"data_stream.dataset", ROLE_ENVELOPE, false, MARK_DATASET},
    {"tag", ROLE_ENVELOPE, false, MARK_TAG},
    {"_tag", ROLE_ENVELOPE, false, MARK_TAG},
    {"fluentbit_tag", ROLE_ENVELOPE, false, MARK_TAG},
    {"attrs.tag", ROLE_ENVELOPE, false, MARK_TAG},
    {"log.file.path", ROLE_ENVELOPE, false, MARK_PATH},
    {"log.file.name", ROLE_ENVELOPE, false, MARK_PATH},
    {"filename", ROLE_ENVELOPE, false, MARK_PATH},
    {"file", ROLE_ENVELOPE, false, MARK_PATH},
    {"path", ROLE_ENVELOPE, false, MARK_PATH},
    {"source", ROLE_ENVELOPE, false, MARK_PATH},
    {"_PID", ROLE_ENVELOPE, false, MARK_PID},
    {"SYSLOG_PID", ROLE_ENVELOPE, false, MARK_PID},
    {"procid", ROLE_ENVELOPE, false, MARK_PID},
    {"process.pid", ROLE_ENVELOPE, false, MARK_PID},
    {"syslog.procid", ROLE_ENVELOPE, false, MARK_PID},
    {"log.syslog.procid", ROLE_ENVELOPE, false, MARK_PID},
    {"PRIORITY", ROLE_ENVELOPE, false, MARK_SEVERITY},
    {"level", ROLE_ENVELOPE, false, MARK_SEVERITY},
    {"log.syslog.severity.code", ROLE_ENVELOPE, false, MARK_SEVERITY},
    {"SYSLOG_FACILITY", ROLE_ENVELOPE, false, MARK_FACILITY},
    {"log.syslog.facility.code", ROLE_ENVELOPE, false, MARK_FACILITY},
};

enum { ROWS = sizeof table / sizeof *table };

/* Names that Windows events have. Every one of them would pay for a place in the table above, and
 * is asked only where there is a line to open. */
static const char *const of_windows[KNOWN_FIELDS_WINDOWS] = {
    "winlog.channel", "winlog.event_id",      "log_name",   "Channel", "EventID",
    "event_id",       "Event.System.Channel", "SourceName",
};

void known_fields_init(struct known_fields *u)
{
    *u = (struct known_fields){0};
    for (unsigned i = 0; i < KNOWN_FIELDS_WINDOWS; i++)
        u->windows[i] = event_name_hash(text_of(of_windows[i]));
    for (unsigned row = 0; row < ROWS; row++) {
        uint64_t hash = event_name_hash(text_of(table[row].name));
        size_t slot = hash % KNOWN_FIELDS_SLOTS;
        while (u->hashes[slot])
            slot = (slot + 1) % KNOWN_FIELDS_SLOTS;
        u->hashes[slot] = hash;
        u->rows[slot] = (uint8_t)row;
    }
}

bool known_fields_has_windows(const struct known_fields *u, const struct event *e)
{
    for (uint32_t i = 0; i < e->field_count; i++)
        for (unsigned k = 0; k < KNOWN_FIELDS_WINDOWS; k++)
            if (e->fields[i].hash == u->windows[k])
                return true;
    return false;
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
    for (unsigned i = 0; i < KNOWN_FIELDS_WINDOWS; i++)
        if (u->windows[i] == hash)
            return true;
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

enum known_mark known_fields_mark(const struct known_fields *u, const struct field *f)
{
    const unsigned row = find(u, f->name, f->hash);
    return row < ROWS ? table[row].mark : MARK_NONE;
}

uint64_t known_fields_apply(const struct known_fields *u, struct stamp_reader *stamps,
                            struct arena *arena, bool has_time, struct event *e)
{
    uint64_t marks = 0;
    unsigned best_time = has_time ? 0 : ROWS;
    unsigned best_host = e->host.len ? 0 : ROWS;
    for (uint32_t i = 0; i < e->field_count; i++) {
        unsigned row = find(u, e->fields[i].name, e->fields[i].hash);
        struct stamp stamp;
        if (row == ROWS)
            continue;
        marks |= known_bit(table[row].mark);
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
    return marks & ~known_bit(MARK_NONE);
}
