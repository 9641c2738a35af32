/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buffer.h"
#include "rules/decode/decoder.h"
#include "tests/support/table.h"
#include <dirent.h>
#include <stdio.h>
#include <string.h>

/* What was told, one line each: "<line>:<code>: <message>". */
static void note(void *context, const struct diagnostic *f)
{
    buffer_printf(context, "%u:%s: %.*s\n", f->line, f->code, TEXT_ARG(f->message));
}

static enum status add(struct decoder_builder *b, const char *source, bool is_shipped,
                       struct buffer *told)
{
    struct arena arena;
    arena_init(&arena, 16 << 20);
    struct yaml_file file = {0};
    struct error err = {0};
    enum status status = yaml_parse(text_of(source), &arena, &file, &err);
    if (status)
        fail_msg("%u: %s", err.line, err.text);
    for (uint32_t i = 0; i < file.count && !status; i++)
        status =
            decoder_builder_add(b, TEXT("test.yml"), file.documents[i], is_shipped, note, told);
    arena_fini(&arena);
    return status;
}

static struct decoder_set *build(const char *source)
{
    AUTO(decoder_builder) b = NULL;
    struct buffer told;
    buffer_init(&told, 1 << 16);
    assert_int_equal(decoder_builder_new(&b, NULL), STATUS_OK);
    assert_int_equal(add(b, source, false, &told), STATUS_OK);
    assert_int_equal(told.len, 0);
    buffer_fini(&told);
    struct decoder_set *set = NULL;
    assert_int_equal(decoder_builder_finish(b, &set, NULL), STATUS_OK);
    return set;
}

/* ---- what a document says wrong ---- */

static const struct refusal {
    const char *name, *source, *want;
} refusals[] = {
    {"refuse: unknown key", "decoder: a\nprogram: a\nlogsource: {service: a}\npattern: []\n",
     "4:unknown-key"},
    {"refuse: no source", "decoder: a\nlogsource: {service: a}\n", "no-source"},
    {"refuse: no effect", "decoder: a\nprogram: a\n", "no-effect"},
    {"refuse: regex", "decoder: a\nprogram: a\npatterns:\n- {name: x, pcre2: '^(?<a>x'}\n",
     "4:bad-regex"},
    {"refuse: pattern without name", "decoder: a\nprogram: a\npatterns:\n- {pcre2: '^x'}\n",
     "4:missing-key"},
    {"refuse: empty log source", "decoder: a\nprogram: a\nlogsource: {}\n", "3:empty-logsource"},
    {"refuse: entity kind",
     "decoder: a\nprogram: a\nlogsource: {service: a}\nentities: [{field: b, kind: thing}]\n",
     "4:unknown-kind"},
    {"refuse: pairs of no group",
     "decoder: a\nprogram: a\npatterns:\n- {name: x, pcre2: '^x', pairs: {group: rest}}\n",
     "4:unknown-group"},
    {"refuse: no name", "program: a\n", "missing-key"},
    {"refuse: neither pattern nor format",
     "decoder: a\nprogram: a\npatterns:\n- {name: x, set: {b: c}}\n",
     "4:missing-key: a pattern needs the key 'pcre2' or 'format'"},
    {"refuse: pattern and format",
     "decoder: a\nprogram: a\npatterns:\n- {name: x, pcre2: '^x', format: '$status'}\n",
     "4:two-patterns"},
    {"refuse: format without a variable's name",
     "decoder: a\nprogram: a\npatterns:\n- {name: x, format: 'a $ b'}\n",
     "4:bad-format: no variable stands here: $ b"},
    {"refuse: format with an open brace",
     "decoder: a\nprogram: a\npatterns:\n- {name: x, format: '%h %{Referer'}\n",
     "4:bad-format: no variable stands here: %{Referer"},
};

static void test_refusal(void **state)
{
    const struct refusal *row = *state;
    AUTO(decoder_builder) b = NULL;
    assert_int_equal(decoder_builder_new(&b, NULL), STATUS_OK);
    struct buffer told;
    buffer_init(&told, 1 << 16);
    assert_int_not_equal(add(b, row->source, false, &told), STATUS_OK);
    buffer_byte(&told, 0);
    if (!strstr(told.at, row->want))
        fail_msg("want %s, got %s", row->want, told.at);
    buffer_fini(&told);
}

static void test_a_name_is_taken_once(void **state)
{
    (void)state;
    static const char source[] = "decoder: a\nprogram: a\nlogsource: {service: one}\n";
    AUTO(decoder_builder) b = NULL;
    struct buffer told;
    buffer_init(&told, 1 << 16);
    assert_int_equal(decoder_builder_new(&b, NULL), STATUS_OK);
    assert_int_equal(add(b, source, false, &told), STATUS_OK);
    assert_int_equal(add(b, source, true, &told), STATUS_OK); /* shipped: left out */
    assert_int_equal(told.len, 0);
    assert_int_equal(add(b, source, false, &told), STATUS_EXISTS);
    assert_true(told.len > 0);
    buffer_fini(&told);
    AUTO(decoder_set) set = NULL;
    assert_int_equal(decoder_builder_finish(b, &set, NULL), STATUS_OK);
    assert_int_equal(decoder_count(set), 1);
}

/* ---- decoding ---- */

static const char several[] =
    "decoder: knock\n"
    "program: [knock, 'knock/*', 'Door']\n"
    "logsource: [{product: linux, service: knock}, {product: linux, service: auth}]\n"
    "names: {c_ip: c-ip, SRC: src_ip, MAC: '', rest2: ''}\n"
    "patterns:\n"
    "- {name: ip, pcre2: '^from (?<c_ip>\\S+) (?:as (?<user>\\w+))?', set: {action: knock}}\n"
    "- {name: pairs, pcre2: '^pairs (?<rest>.*)$', pairs: {group: rest, hex: [a0], unset: '?'}}\n"
    "- {name: comma, pcre2: '^comma (?<rest>.*)$', pairs: {group: rest, separator: ','}}\n"
    "- {name: cells, pcre2: '^cells (?<rest>.*)$', columns: {group: rest, unset: '-', names: [a, "
    "'', b, c]}}\n"
    "- {name: xml, pcre2: '^(?<rest><Event>.*)$', elements: {group: rest, unset: '-'}}\n"
    "- {name: either, pcre2: '^x (?<v>1)|y (?<w>2)'}\n"
    "- {name: both, pcre2: '^both (?=(?:.*?by (?<who>\\w+))?)(?=(?:.*?for (?<who>\\w+))?)'}\n"
    "- {name: slow, pcre2: '^slow (a+)+$'}\n"
    "- {name: maybe, pcre2: '^o?pt'}\n"
    "- {name: drop, pcre2: '^drop (?<rest2>.*)'}\n"
    "---\n"
    "decoder: structured\n"
    "program: srx\n"
    "logsource: {service: srx}\n"
    "parameters: true\n"
    "names: {source-address: src_ip, noise: ''}\n"
    "patterns: [{name: any, pcre2: '^'}]\n"
    "---\n"
    "decoder: looks\n"
    "when: '^#look'\n"
    "logsource: {category: look}\n"
    "patterns: [{name: any, pcre2: '(?<word>\\w+)$'}]\n"
    "---\n"
    "decoder: mapped\n"
    "match: {product: zeek}\n"
    "patterns: [{name: any, pcre2: '^z (?<z>.*)'}]\n"
    "---\n"
    "decoder: twin one\n"
    "program: twin\n"
    "logsource: {category: one}\n"
    "patterns: [{name: x, pcre2: '^one'}]\n"
    "---\n"
    "decoder: twin two\n"
    "program: twin\n"
    "logsource: {category: two}\n"
    "patterns: [{name: x, pcre2: '^two'}]\n"
    "---\n"
    "decoder: dollars\n"
    "program: dollars\n"
    "logsource: {category: webserver}\n"
    "patterns:\n"
    "- {name: a, format: '$remote_addr - $remote_user [$time_local] \"$request\" $status "
    "\"$http_user_agent\" rt=$request_time up=${upstream_addr};'}\n"
    "- {name: b, format: 'uri $request_uri|$my_own$status'}\n"
    "---\n"
    "decoder: percents\n"
    "program: percents\n"
    "names: {http_x_forwarded_for: src_ip}\n"
    "logsource: {category: webserver}\n"
    "patterns: [{name: a, format: '%v:%p %h %l %u %t \"%r\" %>s %O \"%{Referer}i\" "
    "\"%{X-Forwarded-For}i\" 100%%'}]\n"
    "---\n"
    "decoder: any\n"
    "program: '*'\n"
    "logsource: {product: linux, service: syslog}\n";

static const struct line {
    const char *name, *program, *message, *want; /* fields, then log sources */
    bool is_undecoded;
} lines[] = {
    {"decode: captures and constants", "knock", "from 192.0.2.1 as bob",
     "c-ip=192.0.2.1 user=bob action=knock linux/knock linux/auth ", false},
    {"decode: group that took no part", "knock", "from 192.0.2.1 ",
     "c-ip=192.0.2.1 action=knock linux/knock linux/auth ", false},
    {"decode: mapped address", "knock", "from ::ffff:192.0.2.1 ",
     "c-ip=192.0.2.1 action=knock linux/knock linux/auth ", false},
    {"decode: address that only begins so", "knock", "from ::ffff:192.0.2.1.x ",
     "c-ip=::ffff:192.0.2.1.x action=knock linux/knock linux/auth ", false},
    {"decode: case and path of the program", "/usr/SBIN/kNock", "from a ",
     "c-ip=a action=knock linux/knock linux/auth ", false},
    {"decode: program by its beginning", "knock/smtpd", "from a ",
     "c-ip=a action=knock linux/knock linux/auth ", false},
    {"decode: other program", "door", "from a ", "c-ip=a action=knock linux/knock linux/auth ",
     false},
    {"decode: responsible, nothing matches", "knock", "??", "linux/knock linux/auth ", true},
    {"decode: empty message", "knock", "", "linux/knock linux/auth ", true},
    {"decode: pairs", "knock",
     "pairs SRC=192.0.2.1 MAC=00:11 word x=\"a b\" y= z=? a0=2F62696E00 b0=2F",
     "src_ip=192.0.2.1 x=a b y= a0=/bin  b0=2F linux/knock linux/auth ", false},
    {"decode: pairs in quotes", "knock",
     "pairs msg='op=login acct=\"root\" res=failed' t=1 n=O'Hara",
     "op=login acct=root res=failed t=1 n=O'Hara linux/knock linux/auth ", false},
    {"decode: pairs cut short", "knock", "pairs a=\"b", "a=b linux/knock linux/auth ", false},
    {"decode: pairs by comma", "knock", "comma to=<a@b>, relay=x y, status=sent",
     "to=<a@b> relay=x y status=sent linux/knock linux/auth ", false},
    {"decode: keys of several words", "knock", "comma Device Address=a b, no value, Key = \"c, d\"",
     "Device Address=a b Key=c, d linux/knock linux/auth ", false},
    {"decode: a comma that a backslash keeps", "knock", "comma dn=CN\\, O, user=ann",
     "dn=CN\\, O user=ann linux/knock linux/auth ", false},
    {"decode: columns", "knock", "cells 1,2,\"x,y\",-,5", "a=1 b=x,y linux/knock linux/auth ",
     false},
    {"decode: columns with doubled quotes", "knock", "cells \"\"\"p, q\"\" r\",2,3,4",
     "a=\"\"p, q\"\" r b=3 c=4 linux/knock linux/auth ", false},
    {"decode: columns that end in a backslash", "knock", "cells \"E:\\\",2,\"a\\\"b\",4",
     "a=E:\\ b=a\\\"b c=4 linux/knock linux/auth ", false},
    {"decode: of two groups of a name the first counts", "knock", "both by ann for bob",
     "who=ann linux/knock linux/auth ", false},
    {"decode: of two groups of a name the one that took part", "knock", "both for bob",
     "who=bob linux/knock linux/auth ", false},
    {"decode: few columns", "knock", "cells 1", "a=1 linux/knock linux/auth ", false},
    {"decode: elements", "knock",
     "<Event><Data Name=\"SRC\">192.0.2.1</Data><Data Name='b'>x &lt;&amp;&gt; &quot;y&quot; "
     "&z;</Data>"
     "<Data Name=\"none\">-</Data><Data Name=\"e\"></Data></Event>",
     "src_ip=192.0.2.1 b=x <&> \"y\" &z; e= linux/knock linux/auth ", false},
    {"decode: elements cut short", "knock", "<Event><Data Name=\"a\">x</Data><Data Name=\"b\">y",
     "a=x b=y linux/knock linux/auth ", false},
    {"decode: elements without a name", "knock", "<Event><Data Name=>x</Data><Data Name=\"b",
     "linux/knock linux/auth ", false},
    {"decode: branches have no common beginning", "knock", "say y 2", "w=2 linux/knock linux/auth ",
     false},
    {"decode: nginx's format", "dollars",
     "192.0.2.7 - - [10/Oct/2025:13:55:36 +0000] \"GET /a?b=c HTTP/1.1\" 200 \"curl/8.0 (x)\" "
     "rt=0.01 up=198.51.100.8:80;",
     "c-ip=192.0.2.7 cs-method=GET cs-uri=/a?b=c cs-uri-query=b=c cs-uri-stem=/a "
     "cs-user-agent=curl/8.0 (x) cs-version=HTTP/1.1 request_time=0.01 sc-status=200 "
     "time_local=10/Oct/2025:13:55:36 +0000 upstream_addr=198.51.100.8:80 /webserver ",
     false},
    {"decode: nginx's format, a request that is none", "dollars",
     "192.0.2.7 - al [x] \"\\x16\\x03\" 400 \"-\" rt=- up=-;",
     "c-ip=192.0.2.7 cs-username=al request=\\x16\\x03 sc-status=400 time_local=x /webserver ",
     false},
    {"decode: nginx's format, variables side by side", "dollars", "uri /a?b|200",
     "cs-uri=/a?b cs-uri-query=b cs-uri-stem=/a my_own= sc-status=200 /webserver ", false},
    {"decode: nginx's format, another line", "dollars", "192.0.2.7 something", "/webserver ", true},
    {"decode: Apache's format", "percents",
     "www.example.com:443 192.0.2.7 - bob [10/Oct/2025:13:55:36 +0000] \"POST /l HTTP/2.0\" 302 5 "
     "\"-\" \"198.51.100.9\" 100%",
     "bytes_sent=5 c-ip=192.0.2.7 cs-host=www.example.com cs-method=POST cs-uri=/l cs-uri-stem=/l "
     "cs-username=bob cs-version=HTTP/2.0 src_ip=198.51.100.9 s-port=443 sc-status=302 "
     "time_local=10/Oct/2025:13:55:36 +0000 /webserver ",
     false},
    {"decode: optional first letter", "knock", "pt", "linux/knock linux/auth ", false},
    {"decode: group that is not kept", "knock", "drop this", "linux/knock linux/auth ", false},
    {"decode: regex limit", "knock", "slow aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab",
     "linux/knock linux/auth ", true},
    {"decode: when", "", "#look here", "word=here /look ", false},
    {"decode: when beside a program", "other", "#look here", "word=here /look linux/syslog ",
     false},
    {"decode: unknown text", "", "nobody knows", "", false},
    {"decode: first of two", "twin", "one", "/one ", false},
    {"decode: second of two", "twin", "two", "/two ", false},
    {"decode: none of two", "twin", "three", "/two ", true},
    {"decode: any program", "other", "hello", "linux/syslog ", false},
};

static void run(const struct decoder_set *set, struct event *e, struct arena *arena)
{
    AUTO(decoder_scratch) c = NULL;
    assert_int_equal(decoder_scratch_new(&c, NULL), STATUS_OK);
    (void)decoder_apply(set, c, e, arena);
    const struct decoder_counters *n = decoder_get_counters(c);
    assert_int_equal(n->undecoded, (e->flags & EVENT_UNDECODED) != 0);
}

static void describe(const struct event *e, struct buffer *out)
{
    for (uint32_t i = 0; i < e->field_count; i++) {
        const struct field *f = &e->fields[i];
        assert_true(f->hash == event_name_hash(f->name));
        buffer_printf(out, "%.*s=%.*s ", TEXT_ARG(f->name), TEXT_ARG(f->value));
    }
    for (uint32_t i = 0; i < e->logsource_count; i++) {
        const struct logsource *l = &e->logsources[i];
        struct text last = l->service.len ? l->service : l->category;
        buffer_printf(out, "%.*s/%.*s ", TEXT_ARG(l->product), TEXT_ARG(last));
    }
}

static void test_line(void **state)
{
    const struct line *row = *state;
    AUTO(decoder_set) set = build(several);
    struct arena arena;
    arena_init(&arena, 1 << 20);
    struct event e = {.program = text_of(row->program), .message = text_of(row->message)};
    run(set, &e, &arena);
    struct buffer got;
    buffer_init(&got, 1 << 16);
    describe(&e, &got);
    buffer_byte(&got, 0);
    assert_string_equal(got.at, row->want);
    assert_int_equal((e.flags & EVENT_UNDECODED) != 0, row->is_undecoded);
    buffer_fini(&got);
    event_fini(&e);
    arena_fini(&arena);
}

static void test_log_source_leads_to_a_decoder(void **state)
{
    (void)state;
    AUTO(decoder_set) set = build(several);
    struct arena arena;
    arena_init(&arena, 1 << 20);
    struct event e = {.message = TEXT("z word"),
                      .mapping = 1,
                      .logsources = {{.product = TEXT("Zeek"), .service = TEXT("conn")}},
                      .logsource_count = 1};
    run(set, &e, &arena);
    assert_int_equal(e.field_count, 1);
    assert_true(text_equal(e.fields[0].value, TEXT("word")));
    event_fini(&e);
    arena_fini(&arena);
}

static void test_a_mapping_knows_better_than_a_program(void **state)
{
    (void)state;
    AUTO(decoder_set) set = build(several);
    struct arena arena;
    arena_init(&arena, 1 << 20);
    struct event e = {.program = TEXT("knock"),
                      .message = TEXT("{...}"),
                      .mapping = 1,
                      .logsources = {{.product = TEXT("suricata")}},
                      .logsource_count = 1};
    run(set, &e, &arena);
    assert_int_equal(e.logsource_count, 1);
    assert_int_equal(e.flags, 0);
    event_fini(&e);
    arena_fini(&arena);
}

static void test_structured_data_becomes_fields(void **state)
{
    (void)state;
    AUTO(decoder_set) set = build(several);
    struct arena arena;
    arena_init(&arena, 1 << 20);
    struct event e = {.program = TEXT("srx")};
    assert_true(event_add_param(&e, TEXT("j@1"), TEXT("source-address"), TEXT("::ffff:192.0.2.7")));
    assert_true(event_add_param(&e, TEXT("j@1"), TEXT("noise"), TEXT("x")));
    assert_true(event_add_param(&e, TEXT("j@1"), TEXT("reason"), TEXT("tcp rst")));
    assert_true(event_add_param(&e, TEXT("empty"), TEXT(""), TEXT("")));
    run(set, &e, &arena);
    struct buffer got;
    buffer_init(&got, 1 << 16);
    describe(&e, &got);
    buffer_byte(&got, 0);
    assert_string_equal(got.at, "src_ip=192.0.2.7 reason=tcp rst /srx ");
    buffer_fini(&got);
    event_fini(&e);
    arena_fini(&arena);
}

static void test_a_line_inside_json_is_decoded(void **state)
{
    (void)state;
    AUTO(decoder_set) set = build(several);
    struct arena arena;
    arena_init(&arena, 1 << 20);
    struct event e = {.format = FORMAT_JSON, .message = TEXT("{...}")};
    const struct field line = {.name = TEXT("MESSAGE"),
                               .value = TEXT("from \\u0041 as bob"),
                               .hash = event_name_hash(TEXT("MESSAGE")),
                               .is_escaped = true};
    assert_true(event_add_field(&e, &line));
    assert_true(event_add(&e, TEXT("_COMM"), TEXT("other")));
    assert_true(event_add(&e, TEXT("SYSLOG_IDENTIFIER"), TEXT("knock")));
    run(set, &e, &arena);
    assert_true(text_equal(e.program, TEXT("knock")));
    assert_true(text_equal(event_field(&e, TEXT("c-ip"))->value, TEXT("A")));
    event_fini(&e);
    arena_fini(&arena);
}

static void test_content_follows_the_text(void **state)
{
    (void)state;
    static const char one[] = "decoder: a\nprogram: a\nlogsource: {service: x}\n";
    static const char other[] = "decoder: a\nprogram: a\nlogsource: {service: y}\n";
    AUTO(decoder_set) a = build(one);
    AUTO(decoder_set) b = build(one);
    AUTO(decoder_set) c = build(other);
    assert_true(hash_equal(decoder_set_content(a), decoder_set_content(b)));
    assert_false(hash_equal(decoder_set_content(a), decoder_set_content(c)));
}

/* ---- samples ---- */

static void test_samples_are_checked(void **state)
{
    (void)state;
    AUTO(decoder_set)
    set = build("decoder: a\n"
                "program: a\n"
                "patterns:\n"
                "- {name: one, pcre2: '^a (?<b>.*)'}\n"
                "- {name: two, pcre2: '^a'}\n"
                "samples:\n"
                "- {log: a x, fields: {b: x, c: null}, pattern: one}\n"
                "- {log: a x, fields: {b: y}}\n"
                "- {log: a x, fields: {c: y}}\n"
                "- {log: a x, fields: {b: null}}\n"
                "- {log: a x, pattern: two}\n"
                "- {log: z, fields: {}}\n"
                "- {log: z, undecoded: true}\n"
                "- {log: a, undecoded: true}\n");
    struct buffer told;
    buffer_init(&told, 1 << 16);
    assert_int_equal(decoder_check_samples(set, note, &told), 6);
    buffer_byte(&told, 0);
    for (int line = 8; line <= 14; line++) {
        char want[32];
        (void)snprintf(want, sizeof want, "%d:sample-failed", line);
        assert_int_equal(strstr(told.at, want) != NULL, line != 13);
    }
    buffer_fini(&told);
}

static void add_file(struct decoder_builder *b, const char *name, struct buffer *told)
{
    char path[4096];
    (void)snprintf(path, sizeof path, "%s/rules/share/decoders/%s", SOURCE_DIR, name);
    struct arena arena;
    arena_init(&arena, 16 << 20);
    struct yaml_file file = {0};
    struct error err = {0};
    if (yaml_load(path, &arena, &file, &err))
        fail_msg("%s:%u: %s", name, err.line, err.text);
    for (uint32_t i = 0; i < file.count; i++)
        if (decoder_builder_add(b, text_of(name), file.documents[i], true, note, told))
            buffer_printf(told, "%s is refused\n", name);
    arena_fini(&arena);
}

static void test_what_ships_decodes_its_samples(void **state)
{
    (void)state;
    AUTO(decoder_builder) b = NULL;
    assert_int_equal(decoder_builder_new(&b, NULL), STATUS_OK);
    struct buffer told;
    buffer_init(&told, 1 << 16);
    DIR *folder = opendir(SOURCE_DIR "/rules/share/decoders");
    assert_non_null(folder);
    for (struct dirent *e = readdir(folder); e; e = readdir(folder))
        if (text_ends(text_of(e->d_name), TEXT(".yml")))
            add_file(b, e->d_name, &told);
    (void)closedir(folder);
    AUTO(decoder_set) set = NULL;
    assert_int_equal(decoder_builder_finish(b, &set, NULL), STATUS_OK);
    assert_true(decoder_count(set) > 0);
    (void)decoder_check_samples(set, note, &told);
    buffer_byte(&told, 0);
    assert_string_equal(told.at, "");
    buffer_fini(&told);
}

int main(void)
{
    enum { REFUSALS = sizeof refusals / sizeof *refusals, LINES = sizeof lines / sizeof *lines };
    struct CMUnitTest tests[REFUSALS + LINES + 8];
    size_t n = 0;
    for (size_t i = 0; i < REFUSALS; i++)
        tests[n++] = ROW(test_refusal, &refusals[i]);
    for (size_t i = 0; i < LINES; i++)
        tests[n++] = ROW(test_line, &lines[i]);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_a_name_is_taken_once);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_log_source_leads_to_a_decoder);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_a_mapping_knows_better_than_a_program);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_structured_data_becomes_fields);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_a_line_inside_json_is_decoded);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_content_follows_the_text);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_samples_are_checked);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_what_ships_decodes_its_samples);
    return _cmocka_run_group_tests("test_decoder", tests, n, NULL, NULL);
}
