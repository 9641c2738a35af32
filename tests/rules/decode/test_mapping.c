/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buffer.h"
#include "base/json_scan.h"
#include "rules/decode/mapping.h"
#include "tests/support/table.h"
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void note(void *context, const struct diagnostic *f)
{
    buffer_printf(context, "%.*s:%u:%s: %.*s\n", TEXT_ARG(f->file), f->line, f->code,
                  TEXT_ARG(f->message));
}

static enum status add(struct mapping_builder *b, const char *name, const char *source,
                       bool is_shipped, struct buffer *told)
{
    struct arena arena;
    arena_init(&arena, 16 << 20);
    struct yaml_file file = {0};
    struct error err = {0};
    enum status status = source ? yaml_parse(text_of(source), &arena, &file, &err)
                                : yaml_load(name, &arena, &file, &err);
    if (status)
        fail_msg("%s:%u: %s", name, err.line, err.text);
    for (uint32_t i = 0; i < file.count && !status; i++)
        status = mapping_builder_add(b, text_of(name), file.documents[i], is_shipped, note, told);
    arena_fini(&arena);
    return status;
}

static struct mapping_set *build(const char *source)
{
    AUTO(mapping_builder) b = NULL;
    struct buffer told;
    buffer_init(&told, 1 << 16);
    assert_int_equal(mapping_builder_new(&b, NULL), STATUS_OK);
    enum status status = add(b, "test.yml", source, false, &told);
    buffer_byte(&told, 0);
    assert_string_equal(told.at, "");
    assert_int_equal(status, STATUS_OK);
    buffer_fini(&told);
    struct mapping_set *set = NULL;
    assert_int_equal(mapping_builder_finish(b, &set, NULL), STATUS_OK);
    return set;
}

/* ---- what a document says wrong ---- */

static const struct refusal {
    const char *name, *source, *want;
} refusals[] = {
    {"refuse: no when", "mapping: a\nlogsources: [{service: a}]\n", "1:missing-key"},
    {"refuse: unknown key", "mapping: a\nwhen: {a: b}\nfoo: 1\n", "3:unknown-key"},
    {"refuse: empty condition", "mapping: a\nwhen: {}\n", "2:bad-condition"},
    {"refuse: two questions", "mapping: a\nwhen: {field: b, exists: true, value: c}\n",
     "2:bad-condition"},
    {"refuse: not a boolean", "mapping: a\nwhen: {field: b, exists: 'x'}\n", "2:not-a-boolean"},
    {"refuse: empty log source", "mapping: a\nwhen: {a: b}\nlogsources: [{}]\n",
     "3:empty-logsource"},
    {"refuse: condition of a source",
     "mapping: a\nwhen: {a: b}\nlogsources:\n- {service: x, when: 3}\n", "4:bad-condition"},
    {"refuse: like nobody", "mapping: a\nwhen: {a: b}\nlike: other\n", "3:unknown-mapping"},
    {"refuse: like and own", "mapping: a\nwhen: {a: b}\nlike: a\nlogsources: [{service: x}]\n",
     "3:two-sources"},
    {"refuse: empty fields", "mapping: a\nwhen: {a: b}\nfields: {}\n", "3:not-a-mapping"},
};

static void test_refusal(void **state)
{
    const struct refusal *row = *state;
    AUTO(mapping_builder) b = NULL;
    assert_int_equal(mapping_builder_new(&b, NULL), STATUS_OK);
    struct buffer told;
    buffer_init(&told, 1 << 16);
    assert_int_not_equal(add(b, "test.yml", row->source, false, &told), STATUS_OK);
    buffer_byte(&told, 0);
    if (!strstr(told.at, row->want))
        fail_msg("want %s, got %s", row->want, told.at);
    buffer_fini(&told);
}

/* ---- events ---- */

static const char several[] =
    "mapping: deep\n"
    "when:\n"
    "- {field: win.channel, exists: true}\n"
    "fields: {EventID: [win.id, win.code], Channel: win.channel, Kind: win.kind, '*': "
    "'win.data.*'}\n"
    "logsources:\n"
    "- {category: create, product: windows, when: {Channel: Sys/Op, EventID: 1}}\n"
    "- {category: registry, product: windows, when: {Channel: Sys/Op, EventID: [12, 13]}}\n"
    "- {category: set, product: windows, when: {Channel: Sys/Op, EventID: 13, Kind: 'set*'}}\n"
    "- {service: start, when: [{Channel: PS, EventID: 4}, {EventID: 9, Channel: {not: PS}}]}\n"
    "- {service: kindless, when: {Kind: {exists: false}, EventID: 77}}\n"
    "- {product: windows}\n"
    "entities: [{field: User, kind: user, domain: Domain}, {field: Dest, kind: address, charge: "
    "false}]\n"
    "---\n"
    "mapping: flat\n"
    "when: [{Channel: {exists: true}, EventID: {exists: true}}, {LogName: Other*Name}]\n"
    "like: deep\n"
    "fields: {Image: [Image, NewName], 'Kind': Kind}\n"
    "---\n"
    "mapping: silent\n"
    "when: {quiet: true, loud: {not: [a, b]}}\n";

static const struct line {
    const char *name, *event, *want; /* mapping, then category|product|service */
} lines[] = {
    {"apply: nothing known", "{\"a\":1}", ":"},
    {"apply: no fields", "{}", ":"},
    {"apply: one source", "{\"win\":{\"channel\":\"Sys/Op\",\"id\":1}}",
     "deep: create|windows| |windows|"},
    {"apply: a value in a list", "{\"win\":{\"channel\":[\"Sys/Op\"],\"id\":[1]}}",
     "deep: create|windows| |windows|"},
    {"apply: several sources", "{\"win\":{\"channel\":\"Sys/Op\",\"id\":13,\"kind\":\"SetValue\"}}",
     "deep: registry|windows| set|windows| |windows|"},
    {"apply: wildcard that fails",
     "{\"win\":{\"channel\":\"Sys/Op\",\"id\":\"13\",\"kind\":\"x\"}}",
     "deep: registry|windows| |windows|"},
    {"apply: second name of a field", "{\"win\":{\"channel\":\"sys/op\",\"code\":\"12\"}}",
     "deep: registry|windows| |windows|"},
    {"apply: escaped slash", "{\"win\":{\"channel\":\"Sys\\/Op\",\"id\":1}}",
     "deep: create|windows| |windows|"},
    {"apply: alternative", "{\"win\":{\"channel\":\"ps\",\"id\":4}}", "deep: ||start |windows|"},
    {"apply: negated value", "{\"win\":{\"channel\":\"X\",\"id\":9}}", "deep: ||start |windows|"},
    {"apply: negated value that is there", "{\"win\":{\"channel\":\"PS\",\"id\":9}}",
     "deep: |windows|"},
    {"apply: absence", "{\"win\":{\"channel\":\"X\",\"id\":77}}", "deep: ||kindless |windows|"},
    {"apply: absence of what is there", "{\"win\":{\"channel\":\"X\",\"id\":77,\"kind\":1}}",
     "deep: |windows|"},
    {"apply: like another", "{\"Channel\":\"Sys/Op\",\"EventID\":\"1\"}",
     "flat: create|windows| |windows|"},
    {"apply: wildcard inside", "{\"LogName\":\"OtherLongName\"}", "flat: |windows|"},
    {"apply: wildcard that does not end so", "{\"LogName\":\"OtherLongNames\"}", ":"},
    {"apply: half of the condition", "{\"Channel\":\"Sys/Op\"}", ":"},
    {"apply: boolean, no source", "{\"quiet\":true}", "silent:"},
    {"apply: one of the unwanted", "{\"quiet\":true,\"loud\":\"B\"}", ":"},
    {"apply: first mapping wins", "{\"quiet\":true,\"win\":{\"channel\":\"Sys/Op\",\"id\":1}}",
     "deep: create|windows| |windows|"},
};

static void describe(const struct mapping_set *set, const struct event *e, struct buffer *out)
{
    const struct text name = mapping_name(set, e->mapping);
    buffer_printf(out, "%.*s:", TEXT_ARG(name));
    for (uint32_t i = 0; i < e->logsource_count; i++) {
        const struct logsource *l = &e->logsources[i];
        buffer_printf(out, " %.*s|%.*s|%.*s", TEXT_ARG(l->category), TEXT_ARG(l->product),
                      TEXT_ARG(l->service));
    }
}

static void apply(const struct mapping_set *set, struct text document, struct buffer *out)
{
    struct arena arena;
    arena_init(&arena, 1 << 20);
    struct event e = {0};
    size_t at = 0;
    assert_int_equal(json_scan(document, NULL, &arena, &e, &at), STATUS_OK);
    mapping_apply(set, &e);
    describe(set, &e, out);
    event_fini(&e);
    arena_fini(&arena);
}

static void test_line(void **state)
{
    const struct line *row = *state;
    AUTO(mapping_set) set = build(several);
    struct buffer got;
    buffer_init(&got, 1 << 16);
    apply(set, text_of(row->event), &got);
    buffer_byte(&got, 0);
    assert_string_equal(got.at, row->want);
    buffer_fini(&got);
}

/* ---- names ---- */

static const struct naming {
    const char *name;
    uint32_t mapping;
    const char *field, *want;
} namings[] = {
    {"names: no mapping", 0, "Image", "Image"},
    {"names: web target", 0, "cs-uri-query", "cs-uri cs-uri-query"},
    {"names: named, its own name last", 1, "EventID", "win.id win.code EventID"},
    {"names: any other", 1, "Image", "win.data.Image Image"},
    {"names: of a mapping without a star", 2, "CommandLine", "CommandLine"},
    {"names: first choice first", 2, "Image", "Image NewName"},
    {"names: mapping without fields", 3, "x", "x"},
};

static void test_naming(void **state)
{
    const struct naming *row = *state;
    AUTO(mapping_set) set = build(several);
    struct arena arena;
    arena_init(&arena, 1 << 20);
    struct text names[MAPPING_NAMES];
    const uint32_t count = mapping_resolve(set, row->mapping, text_of(row->field), &arena, names);
    struct buffer got;
    buffer_init(&got, 1 << 16);
    for (uint32_t i = 0; i < count; i++)
        buffer_printf(&got, i ? " %.*s" : "%.*s", TEXT_ARG(names[i]));
    buffer_byte(&got, 0);
    assert_string_equal(got.at, row->want);
    buffer_fini(&got);
    arena_fini(&arena);
}

/* Names that rules know a field by, beside those that the event has itself. */
static void test_names_are_added(void **state)
{
    (void)state;
    static const char document[] = "{\"win\":{\"channel\":\"Sys/Op\",\"code\":[\"7\",\"8\"],"
                                   "\"data\":{\"Image\":\"a\",\"Own\":\"b\"}},\"Own\":\"c\"}";
    AUTO(mapping_set) set = build(several);
    struct arena arena;
    struct buffer got;
    struct event e = {0};
    size_t at = 0;
    arena_init(&arena, 1 << 20);
    buffer_init(&got, 1 << 16);
    assert_int_equal(json_scan(text_of(document), NULL, &arena, &e, &at), STATUS_OK);
    const uint32_t own = e.field_count;
    mapping_view_add_names(set, &e);
    assert_int_equal(e.field_count, own); /* nothing applied yet */
    mapping_apply(set, &e);
    mapping_view_add_names(set, &e);
    for (uint32_t i = own; i < e.field_count; i++)
        buffer_printf(&got, "%.*s=%.*s ", TEXT_ARG(e.fields[i].name), TEXT_ARG(e.fields[i].value));
    buffer_byte(&got, 0);
    assert_string_equal(got.at, "EventID=7 EventID=8 Channel=Sys/Op Image=a ");
    buffer_fini(&got);
    event_fini(&e);
    arena_fini(&arena);
}

/* What an envelope says can be asked for beside fields; a field of that name comes first. */
static void test_the_envelope_is_seen(void **state)
{
    (void)state;
    static const char source[] =
        "mapping: by program\nwhen: {program: 'door*', a: 1}\n---\n"
        "mapping: by header\nwhen: {syslog.program: win, syslog.host: h1}\n";
    static const struct {
        const char *event, *program, *want;
    } rows[] = {
        {"{\"a\":1}", "Doorman", "by program"},
        {"{\"a\":1,\"program\":\"other\"}", "door", ""},
        {"{\"b\":1,\"program\":\"other\"}", "win", "by header"},
        {"{\"b\":1}", "", ""},
    };
    AUTO(mapping_set) set = build(source);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct arena arena;
        struct event e = {.program = text_of(rows[i].program), .host = TEXT("H1")};
        size_t at = 0;
        arena_init(&arena, 1 << 20);
        assert_int_equal(json_scan(text_of(rows[i].event), NULL, &arena, &e, &at), STATUS_OK);
        mapping_apply(set, &e);
        assert_true(text_equal(mapping_name(set, e.mapping), text_of(rows[i].want)));
        event_fini(&e);
        arena_fini(&arena);
    }
}

static void test_entities(void **state)
{
    (void)state;
    AUTO(mapping_set) set = build(several);
    uint32_t count = 0;
    const struct entity_field *entities = mapping_entities(set, 2, &count); /* by `like` */
    assert_int_equal(count, 2);
    assert_int_equal(entities[0].kind, ENTITY_USER);
    assert_true(text_equal(entities[0].domain, TEXT("Domain")));
    assert_true(entities[0].is_charged);
    assert_false(entities[1].is_charged);
    (void)mapping_entities(set, 0, &count);
    assert_int_equal(count, 0);
    enum entity_kind kind = ENTITY_HOST;
    assert_true(mapping_usual_kind(TEXT("src_ip"), &kind));
    assert_int_equal(kind, ENTITY_ADDRESS);
    assert_true(mapping_usual_kind(TEXT("Client_IP"), &kind));
    assert_int_equal(kind, ENTITY_ADDRESS);
    assert_false(mapping_usual_kind(TEXT("CommandLine"), &kind));
}

static void test_logsources_are_listed_once(void **state)
{
    (void)state;
    AUTO(mapping_set) set = build(several);
    uint32_t count = 0;
    (void)mapping_logsources(set, 1, &count);
    assert_int_equal(count, 6);
}

static void test_content_follows_the_text(void **state)
{
    (void)state;
    static const char first[] = "mapping: a\nwhen: {a: b}\nlogsources: [{service: x}]\n---\n"
                                "mapping: b\nwhen: {a: c}\nlike: a\n";
    static const char second[] = "mapping: a\nwhen: {a: b}\nlogsources: [{service: y}]\n---\n"
                                 "mapping: b\nwhen: {a: c}\nlike: a\n";
    AUTO(mapping_set) a = build(first);
    AUTO(mapping_set) b = build(first);
    AUTO(mapping_set) c = build(second);
    assert_true(hash_equal(mapping_set_content(a), mapping_set_content(b)));
    assert_true(hash_equal(mapping_content(a, 2), mapping_content(b, 2)));
    assert_false(hash_equal(mapping_content(a, 2), mapping_content(c, 2))); /* through `like` */
}

/* ---- what ships ---- */

static struct mapping_set *build_shipped(void)
{
    AUTO(mapping_builder) b = NULL;
    assert_int_equal(mapping_builder_new(&b, NULL), STATUS_OK);
    struct buffer told;
    buffer_init(&told, 1 << 16);
    struct dirent **files = NULL;
    const int count = scandir(SOURCE_DIR "/rules/share/mappings", &files, NULL, alphasort);
    assert_true(count > 0);
    for (int i = 0; i < count; i++) {
        char path[4096];
        (void)snprintf(path, sizeof path, "%s/rules/share/mappings/%s", SOURCE_DIR,
                       files[i]->d_name);
        if (text_ends(text_of(path), TEXT(".yml")) && add(b, path, NULL, true, &told))
            buffer_printf(&told, "%s is refused\n", path);
        free(files[i]);
    }
    free(files);
    buffer_byte(&told, 0);
    assert_string_equal(told.at, "");
    buffer_fini(&told);
    struct mapping_set *set = NULL;
    assert_int_equal(mapping_builder_finish(b, &set, NULL), STATUS_OK);
    return set;
}

static const struct line shipped[] = {
    {"ships: Sysmon by evtx_dump",
     "{\"Event\":{\"System\":{\"Channel\":\"Microsoft-Windows-Sysmon/"
     "Operational\",\"EventID\":1}}}",
     "windows-evtx: process_creation|windows| |windows|sysmon |windows|"},
    {"ships: EventID with attributes",
     "{\"Event\":{\"System\":{\"Channel\":\"Microsoft-Windows-PowerShell/"
     "Operational\",\"EventID\":{"
     "\"#attributes\":{\"Qualifiers\":0},\"#text\":4104}}}}",
     "windows-evtx: ps_script|windows| |windows|powershell |windows|"},
    {"ships: registry value set",
     "{\"winlog\":{\"channel\":\"Microsoft-Windows-Sysmon/Operational\",\"event_id\":\"13\"}}",
     "windows-winlogbeat: registry_set|windows| registry_event|windows| |windows|sysmon |windows|"},
    {"ships: Security by Winlogbeat 6", "{\"log_name\":\"Security\",\"event_id\":4625}",
     "windows-winlogbeat-6: |windows|security |windows|"},
    {"ships: 4688 by NXLog", "{\"Channel\":\"Security\",\"EventID\":4688}",
     "windows-flat: process_creation|windows| |windows|security |windows|"},
    {"ships: Sysmon for Linux", "{\"Channel\":\"Linux-Sysmon/Operational\",\"EventID\":1}",
     "windows-flat: process_creation|linux| |linux|sysmon"},
    {"ships: Zeek", "{\"_path\":\"dns\",\"ts\":1.5,\"query\":\"example.com\"}",
     "zeek: |zeek|dns dns|| |zeek|"},
    {"ships: Suricata", "{\"event_type\":\"alert\",\"flow_id\":7}",
     "suricata-eve: |suricata|alert |suricata|"},
    {"ships: CloudTrail", "{\"eventSource\":\"iam.amazonaws.com\",\"eventName\":\"CreateUser\"}",
     "aws-cloudtrail: |aws|cloudtrail"},
    {"ships: Okta",
     "{\"eventType\":\"user.session.start\",\"published\":\"2026-01-01T00:00:00Z\",\"actor\":{"
     "\"alternateId\":\"a@example.com\"}}",
     "okta: |okta|okta"},
    {"ships: Entra ID sign-in",
     "{\"category\":\"SignInLogs\",\"operationName\":\"Sign-in "
     "activity\",\"resultType\":\"50126\"}",
     "azure: |azure|signinlogs |azure|"},
    {"ships: Entra ID audit", "{\"category\":\"AuditLogs\",\"operationName\":\"Add user\"}",
     "azure: |azure|auditlogs |azure|"},
    {"ships: Google Workspace", "{\"protoPayload\":{\"serviceName\":\"login.googleapis.com\"}}",
     "gcp-audit: |gcp|gcp.audit |gcp|google_workspace.login"},
    {"ships: Microsoft 365", "{\"Workload\":\"Exchange\",\"Operation\":\"New-InboxRule\"}",
     "m365: |m365|audit |m365|exchange"},
    {"ships: GitHub",
     "{\"action\":\"repo.destroy\",\"actor\":\"octo\",\"org\":\"o\",\"created_at\":1}",
     "github-audit: |github|audit"},
    {"ships: Kubernetes",
     "{\"kind\":\"Event\",\"apiVersion\":\"audit.k8s.io/v1\",\"verb\":\"create\"}",
     "kubernetes-audit: |kubernetes|audit application|kubernetes|audit"},
    {"ships: web log in JSON",
     "{\"remote_addr\":\"192.0.2.7\",\"request_method\":\"GET\",\"request_uri\":\"/"
     "\",\"status\":200}",
     "nginx-json: webserver|| ||nginx"},
};

static void test_shipped(void **state)
{
    const struct line *row = *state;
    AUTO(mapping_set) set = build_shipped();
    struct buffer got;
    buffer_init(&got, 1 << 16);
    apply(set, text_of(row->event), &got);
    buffer_byte(&got, 0);
    assert_string_equal(got.at, row->want);
    buffer_fini(&got);
}

int main(void)
{
    enum {
        REFUSALS = sizeof refusals / sizeof *refusals,
        LINES = sizeof lines / sizeof *lines,
        NAMINGS = sizeof namings / sizeof *namings,
        SHIPPED = sizeof shipped / sizeof *shipped,
    };
    struct CMUnitTest tests[REFUSALS + LINES + NAMINGS + SHIPPED + 5];
    size_t n = 0;
    for (size_t i = 0; i < REFUSALS; i++)
        tests[n++] = ROW(test_refusal, &refusals[i]);
    for (size_t i = 0; i < LINES; i++)
        tests[n++] = ROW(test_line, &lines[i]);
    for (size_t i = 0; i < NAMINGS; i++)
        tests[n++] = ROW(test_naming, &namings[i]);
    for (size_t i = 0; i < SHIPPED; i++)
        tests[n++] = ROW(test_shipped, &shipped[i]);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_entities);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_names_are_added);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_the_envelope_is_seen);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_logsources_are_listed_once);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_content_follows_the_text);
    return _cmocka_run_group_tests("test_mapping", tests, n, NULL, NULL);
}
