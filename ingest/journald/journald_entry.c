/* SPDX-License-Identifier: Apache-2.0 */
#include "ingest/journald/journald_entry.h"
#include "base/timestamp.h"

enum { DEFAULT_PRIORITY = 6, DEFAULT_FACILITY = 1 };
/* RFC 5424, section 6: most bytes of a header's words. */
enum { HOST_BYTES = 255, PROGRAM_BYTES = 48, PID_BYTES = 128, MSGID_BYTES = 32 };

/* In the order of enum journald_role. */
static const struct text role_names[JOURNALD_ROLES] = {
    {"MESSAGE", 7},     {"SYSLOG_IDENTIFIER", 17}, {"_COMM", 5},    {"_HOSTNAME", 9},
    {"_PID", 4},        {"SYSLOG_PID", 10},        {"PRIORITY", 8}, {"SYSLOG_FACILITY", 15},
    {"MESSAGE_ID", 10}, {"_TRANSPORT", 10},
};

/* What the machine itself vouches for, and a program cannot make up: `fields: trusted`. */
static const struct text trusted[] = {{"_UID", 4}, {"_EXE", 4}, {"_SYSTEMD_UNIT", 13}};

void journald_entry_init(struct journald_entry *e, struct option_texts wanted, size_t message_bytes)
{
    *e = (struct journald_entry){.wanted = wanted, .message_bytes = message_bytes};
    buffer_init(&e->bytes, (size_t)JOURNALD_FIELDS * JOURNALD_FIELD_BYTES + message_bytes + 16);
    journald_entry_reset(e);
}

void journald_entry_fini(struct journald_entry *e)
{
    buffer_fini(&e->bytes);
}

void journald_entry_reset(struct journald_entry *e)
{
    buffer_clear(&e->bytes);
    e->count = 0;
    for (int i = 0; i < JOURNALD_ROLES; i++)
        e->roles[i] = -1;
}

void journald_entry_add(struct journald_entry *e, struct text field)
{
    size_t name_len = text_find_byte(field, '=');
    if (name_len == field.len || e->count == JOURNALD_FIELDS)
        return;
    struct text name = text_head(field, name_len);
    bool is_message = e->roles[JOURNALD_MESSAGE] < 0 && text_equal(name, role_names[0]);
    /* a core dump beside the message must not crowd it out */
    size_t most = is_message ? name_len + 1 + e->message_bytes : (size_t)JOURNALD_FIELD_BYTES;
    size_t at = e->bytes.len;
    buffer_append(&e->bytes, text_head(field, most));
    if (e->bytes.has_failed || name_len >= most)
        return;
    for (int i = 0; i < JOURNALD_ROLES; i++)
        if (e->roles[i] < 0 && text_equal(name, role_names[i]))
            e->roles[i] = (int)e->count;
    e->fields[e->count].at = at;
    e->fields[e->count].name_len = name_len;
    e->fields[e->count].is_cut = field.len > most;
    e->fields[e->count++].len = field.len < most ? field.len : most;
}

static struct text name_of(const struct journald_entry *e, uint32_t i)
{
    return (struct text){e->bytes.at + e->fields[i].at, e->fields[i].name_len};
}

static struct text value_of(const struct journald_entry *e, uint32_t i)
{
    size_t skipped = e->fields[i].name_len + 1;
    return (struct text){e->bytes.at + e->fields[i].at + skipped, e->fields[i].len - skipped};
}

static struct text role(const struct journald_entry *e, enum journald_role which)
{
    return e->roles[which] < 0 ? TEXT_NONE : value_of(e, (uint32_t)e->roles[which]);
}

static int64_t number(struct text t, int64_t most, int64_t otherwise)
{
    int64_t value = 0;
    return text_to_int64(t, &value) && value >= 0 && value <= most ? value : otherwise;
}

/* A word of the header: what cannot stand there becomes '_', nothing becomes '-'. */
static void write_word(struct text word, size_t most, struct buffer *out)
{
    buffer_byte(out, ' ');
    word = text_head(word, most);
    for (size_t i = 0; i < word.len; i++)
        buffer_byte(out, word.at[i] > ' ' && word.at[i] <= '~' ? word.at[i] : '_');
    if (!word.len)
        buffer_byte(out, '-');
}

static struct text first_of(struct text a, struct text b)
{
    return a.len ? a : b;
}

/* The kernel's messages have no identifier of their own in older journals. */
static struct text program_of(const struct journald_entry *e)
{
    struct text program = first_of(role(e, JOURNALD_IDENTIFIER), role(e, JOURNALD_COMM));
    bool is_kernel = text_equal(role(e, JOURNALD_TRANSPORT), TEXT("kernel"));
    return program.len || !is_kernel ? program : TEXT("kernel");
}

static bool is_role(const struct journald_entry *e, uint32_t i)
{
    /* the last two are in the header for nobody, or are worth a second look */
    for (int k = 0; k < JOURNALD_TRANSPORT; k++)
        if (k != JOURNALD_COMM && e->roles[k] == (int)i)
            return true;
    return false;
}

static bool is_wanted(const struct journald_entry *e, uint32_t i)
{
    struct text name = name_of(e, i);
    for (uint32_t k = 0; k < e->wanted.count; k++) {
        struct text want = e->wanted.items[k];
        if (text_equal(want, name) || (text_equal(want, TEXT("*")) && !is_role(e, i)))
            return true;
        for (size_t t = 0; t < sizeof trusted / sizeof *trusted; t++)
            if (text_equal(want, TEXT("trusted")) && text_equal(name, trusted[t]))
                return true;
    }
    return false;
}

static void write_param(const struct journald_entry *e, uint32_t i, struct buffer *out)
{
    struct text value = value_of(e, i);
    buffer_append(out, name_of(e, i));
    buffer_append(out, TEXT("=\""));
    for (size_t k = 0; k < value.len; k++) {
        char c = value.at[k];
        if (c == '"' || c == '\\' || c == ']')
            buffer_byte(out, '\\');
        buffer_byte(out, c);
    }
    buffer_byte(out, '"');
}

/* True where something that should stand there was cut: half of the message is its text's. */
static bool write_structured(const struct journald_entry *e, size_t max_bytes, struct buffer *out)
{
    bool is_open = false;
    bool is_cut = false;
    for (uint32_t i = 0; i < e->count; i++) {
        if (!is_wanted(e, i))
            continue;
        if (out->len + 2 * e->fields[i].len > max_bytes / 2) {
            is_cut = true;
            continue;
        }
        buffer_append(out, is_open ? TEXT(" ") : TEXT(" [journald "));
        write_param(e, i, out);
        is_cut |= e->fields[i].is_cut;
        is_open = true;
    }
    buffer_append(out, is_open ? TEXT("] ") : TEXT(" - "));
    return is_cut;
}

/* Only an entry's own words: what the machine adds to each is left out. */
static bool write_pairs(const struct journald_entry *e, struct buffer *out)
{
    bool is_cut = false;
    size_t before = out->len;
    for (uint32_t i = 0; i < e->count; i++) {
        if (is_role(e, i) || text_starts(name_of(e, i), TEXT("_")))
            continue;
        if (out->len > before)
            buffer_byte(out, ' ');
        write_param(e, i, out);
        is_cut |= e->fields[i].is_cut;
    }
    return is_cut;
}

bool journald_entry_write(const struct journald_entry *e, int64_t realtime_us, size_t max_bytes,
                          struct buffer *out)
{
    char time[TIMESTAMP_LEN + 1];
    int64_t facility = number(role(e, JOURNALD_FACILITY), 23, DEFAULT_FACILITY);
    int64_t priority = number(role(e, JOURNALD_PRIORITY), 7, DEFAULT_PRIORITY);
    timestamp_format(realtime_us, time);
    buffer_clear(out);
    buffer_printf(out, "<%d>1 %s", (int)(facility * 8 + priority), time);
    write_word(role(e, JOURNALD_HOSTNAME), HOST_BYTES, out);
    write_word(program_of(e), PROGRAM_BYTES, out);
    write_word(first_of(role(e, JOURNALD_PID), role(e, JOURNALD_SYSLOG_PID)), PID_BYTES, out);
    write_word(role(e, JOURNALD_MESSAGE_ID), MSGID_BYTES, out);
    bool is_cut = write_structured(e, max_bytes, out);
    int message = e->roles[JOURNALD_MESSAGE];
    if (message >= 0) {
        is_cut |= e->fields[message].is_cut;
        buffer_append(out, value_of(e, (uint32_t)message));
    } else {
        is_cut |= write_pairs(e, out);
    }
    is_cut |= out->len > max_bytes;
    if (is_cut && out->len > max_bytes)
        out->len = max_bytes;
    return is_cut;
}
