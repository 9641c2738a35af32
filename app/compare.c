/* SPDX-License-Identifier: Apache-2.0 */
#include "app/compare.h"
#include "app/spool.h"
#include "base/json_write.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct entry {
    struct hash128 key; /* of rule, group and record */
    uint64_t order;     /* in its run */
    size_t at, len;     /* its line in `lines` */
};

struct outcome_list {
    struct buffer lines;
    struct entry *entries;
    size_t count, max;
    bool has_failed;
};

static void remember(void *context, const struct detection *d, struct text input)
{
    struct outcome_list *list = context;
    if (list->count == list->max) {
        size_t want = list->max ? list->max * 2 : 1024;
        struct entry *grown = realloc(list->entries, want * sizeof *grown);
        if (!grown) {
            list->has_failed = true;
            return;
        }
        list->entries = grown;
        list->max = want;
    }
    struct hasher h;
    hash_start(&h);
    hash_part_text(&h, d->rule->key);
    for (uint32_t i = 0; i < d->subject->group_count; i++)
        hash_part_text(&h, d->subject->group[i]);
    hash_part_text(&h, input);
    hash_part_u64(&h, d->position);
    hash_part_u64(&h, (uint64_t)d->event_us);
    size_t at = list->lines.len;
    detection_write(d, input, &list->lines);
    if (list->lines.has_failed) {
        list->has_failed = true;
        return;
    }
    list->entries[list->count] =
        (struct entry){hash_end(&h), list->count, at, list->lines.len - at - 1};
    list->count++;
}

static int by_key(const void *a, const void *b)
{
    const struct entry *x = a;
    const struct entry *y = b;
    int order = hash_compare(x->key, y->key);
    return order ? order : x->order < y->order ? -1 : x->order > y->order;
}

static struct text line_of(const struct outcome_list *list, const struct entry *e)
{
    return (struct text){list->lines.at + e->at, e->len};
}

/* The id, which stands last, changes with every edit of a rule: what it said is compared without.
 */
static struct text said(struct text line)
{
    const size_t id_len = sizeof ",\"id\":\"0123456789abcdef0123456789abcdef\"}" - 1;
    return text_head(line, line.len > id_len ? line.len - id_len : line.len);
}

static void write_change(struct command_output *o, struct text change, struct text now,
                         struct text was)
{
    json_write_open(&o->buffer, NULL, '{');
    json_write_string(&o->buffer, "change", change);
    if (now.len)
        json_write_raw(&o->buffer, "detection", now);
    if (was.len)
        json_write_raw(&o->buffer, "was", was);
    json_write_close(&o->buffer, '}');
    buffer_byte(&o->buffer, '\n');
    command_flush_output(o, false);
}

struct counts {
    uint64_t new, gone, changed, same;
};

static void compare(struct outcome_list *before, struct outcome_list *after,
                    struct command_output *o, struct counts *n)
{
    if (before->count)
        qsort(before->entries, before->count, sizeof *before->entries, by_key);
    if (after->count)
        qsort(after->entries, after->count, sizeof *after->entries, by_key);
    size_t i = 0;
    size_t j = 0;
    while (i < before->count || j < after->count) {
        int order = i == before->count ? 1
                    : j == after->count
                        ? -1
                        : hash_compare(before->entries[i].key, after->entries[j].key);
        struct text was = order <= 0 ? line_of(before, &before->entries[i++]) : TEXT_NONE;
        struct text now = order >= 0 ? line_of(after, &after->entries[j++]) : TEXT_NONE;
        if (order < 0 && ++n->gone)
            write_change(o, TEXT("gone"), TEXT_NONE, was);
        else if (order > 0 && ++n->new)
            write_change(o, TEXT("new"), now, TEXT_NONE);
        else if (order == 0 && text_equal(said(was), said(now)))
            n->same++;
        else if (order == 0 && ++n->changed)
            write_change(o, TEXT("changed"), now, was);
    }
}

static enum status run_into(const struct rerun_options *run, struct ruleset *ruleset,
                            struct outcome_list *list, struct error *err)
{
    struct rerun_options options = *run;
    options.detected = remember;
    options.context = list;
    options.has_incidents = false;
    buffer_init(&list->lines, (size_t)4 << 30);
    struct rerun_result result;
    enum status status = rerun_once(&options, ruleset, &result, err);
    rerun_fini(&result);
    if (!status && list->has_failed)
        return error_set(err, STATUS_NOMEM, 0, "no memory for the detections to compare");
    return status;
}

static int compare_one(const struct rerun_options *run, struct ruleset *before,
                       struct ruleset *after, struct counts *n)
{
    struct error err = {0};
    struct outcome_list was = {0};
    struct outcome_list now = {0};
    struct command_output out;
    enum status status = run_into(run, before, &was, &err);
    if (!status)
        status = run_into(run, after, &now, &err);
    if (!status)
        status = command_open_output(&out, "-", &err);
    bool is_written = true;
    if (!status) {
        compare(&was, &now, &out, n);
        is_written = command_close_output(&out);
    } else {
        command_say("%s", err.text);
    }
    buffer_fini(&was.lines);
    buffer_fini(&now.lines);
    free(was.entries);
    free(now.entries);
    return status || !is_written ? COMMAND_UNFINISHED : COMMAND_DONE;
}

int compare_rulesets(const struct rerun_options *run, struct ruleset *before,
                     const struct load_request *second)
{
    struct error err = {0};
    struct ruleset *after = NULL;
    struct rerun_options options = *run;
    struct spool spool = {.fd = -1};
    const char *only = spool.again;
    enum status status = load_rules(second, &after, &err);
    int code = COMMAND_USAGE;
    if (!status && run->file_count == 1 && strcmp(run->files[0], "-") == 0) {
        status = spool_open(&spool, &err);
        code = status == STATUS_IO ? COMMAND_UNFINISHED : COMMAND_USAGE;
        options.files = &only;
    }
    struct counts n = {0};
    if (status)
        command_say("%s", err.text);
    else
        code = compare_one(&options, before, after, &n);
    if (code == COMMAND_DONE)
        (void)printf("{\"new\":%llu,\"gone\":%llu,\"changed\":%llu,\"same\":%llu}\n",
                     (unsigned long long)n.new, (unsigned long long)n.gone,
                     (unsigned long long)n.changed, (unsigned long long)n.same);
    if (spool.fd >= 0)
        spool_close(&spool);
    ruleset_unref(after);
    return code;
}
