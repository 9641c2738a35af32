/* SPDX-License-Identifier: Apache-2.0 */
#include "app/daemon.h"
#include "base/json_scan.h"
#include "base/json_write.h"
#include "base/log.h"
#include "base/timestamp.h"
#include <stdio.h>
#include <string.h>

/*
 * Chunks of state are small named values under new keys; one commit names those that count, the
 * position of the cut and the hash of the rules that decided up to it. A commit without its chunks
 * cannot exist: they are acknowledged before it is written. Its text:
 *
 *   position 1234
 *   ruleset 0123...ef
 *   sequencer NAME
 *   columns NAME        (where streams told their columns' names)
 *   shard NAME          (one line each, oldest first)
 */
enum { COMMIT_BYTES = 8 << 20, ACK_MS = 10000 };

static enum status put_text(struct daemon *d, struct text bytes, const char *kind,
                            struct buffer *names)
{
    struct checkpoint *c = &d->checkpoint;
    char name[64];
    (void)snprintf(name, sizeof name, "%llx", (unsigned long long)c->serial++);
    enum status status = incidents_put_state(d->decider.incidents, text_of(name), bytes);
    if (status)
        return status;
    buffer_printf(names, "%s %s\n", kind, name);
    atomic_fetch_add_explicit(&c->bytes, bytes.len, memory_order_relaxed);
    return names->has_failed ? STATUS_NOMEM : STATUS_OK;
}

static enum status put(struct daemon *d, const struct pipeline_chunk *chunk, const char *kind,
                       struct buffer *names)
{
    enum status status = STATUS_OK;
    for (; chunk && !status; chunk = chunk->next)
        status = put_text(d, (struct text){chunk->bytes, chunk->len}, kind, names);
    return status;
}

static size_t bytes_of(const struct pipeline_checkpoint *cut)
{
    size_t bytes = 0;
    for (uint32_t i = 0; i < cut->shard_count; i++)
        for (const struct pipeline_chunk *chunk = cut->shards[i]; chunk; chunk = chunk->next)
            bytes += chunk->len;
    return bytes;
}

static enum status acknowledged(struct daemon *d)
{
    uint64_t until_ms = timestamp_monotonic_ms() + ACK_MS;
    enum status status = STATUS_AGAIN;
    while (status == STATUS_AGAIN && timestamp_monotonic_ms() < until_ms)
        status = incidents_poll(d->decider.incidents, 100);
    return status;
}

static enum status commit(struct daemon *d, const struct pipeline_checkpoint *cut)
{
    struct checkpoint *c = &d->checkpoint;
    if (cut->is_whole)
        buffer_clear(&c->chunks);
    enum status status = STATUS_OK;
    for (uint32_t i = 0; i < cut->shard_count && !status; i++)
        status = put(d, cut->shards[i], "shard", &c->chunks);
    struct buffer text;
    buffer_init(&text, COMMIT_BYTES);
    char hex[33];
    hash_to_hex(cut->ruleset, hex);
    buffer_printf(&text, "position %llu\nruleset %s\nserial %llu\n",
                  (unsigned long long)cut->position, hex, (unsigned long long)c->serial + 1000);
    if (!status)
        status = put(d, cut->sequencer, "sequencer", &text);
    if (!status && cut->columns.len)
        status = put_text(d, cut->columns, "columns", &text);
    buffer_append(&text, buffer_text(&c->chunks));
    if (!status)
        status = acknowledged(d);
    if (!status)
        status = incidents_commit_state(d->decider.incidents, buffer_text(&text));
    if (!status)
        status = acknowledged(d);
    buffer_fini(&text);
    return status;
}

void checkpoint_take(void *daemon, const struct pipeline_checkpoint *cut)
{
    struct daemon *d = daemon;
    struct checkpoint *c = &d->checkpoint;
    uint64_t start_ms = timestamp_monotonic_ms();
    enum status status = cut->has_failed                                     ? STATUS_NOMEM
                         : d->decider.must_restart || d->decider.has_skipped ? STATUS_CONFLICT
                         : c->must_be_whole && !cut->is_whole                ? STATUS_AGAIN
                                                                             : commit(d, cut);
    c->last_length_ms = timestamp_monotonic_ms() - start_ms;
    c->last_start_ms = start_ms;
    /* what was frozen and not committed is only in memory: the next one takes everything */
    bool was_so = c->must_be_whole; /* said once: the next is tried in a second */
    c->must_be_whole = status != STATUS_OK;
    if (status && !was_so)
        log_line(LOG_WARNING, "a checkpoint could not be committed, the next one is whole: %s",
                 error_name(status));
    if (status)
        return;
    size_t bytes = bytes_of(cut);
    c->whole_bytes = cut->is_whole ? bytes : c->whole_bytes;
    c->delta_bytes = cut->is_whole ? 0 : c->delta_bytes + bytes;
    atomic_store_explicit(&c->position, cut->position, memory_order_relaxed);
    (void)pthread_mutex_lock(&d->ruleset_lock);
    c->ruleset = cut->ruleset;
    (void)pthread_mutex_unlock(&d->ruleset_lock);
    atomic_fetch_add_explicit(&c->count, 1, memory_order_relaxed);
}

/* The larger of the configured least interval and four times the last one's length; whole again
 * once the changes written behind the last whole one outgrow it. */
void checkpoint_poll(struct daemon *d, uint64_t now_ms)
{
    struct checkpoint *c = &d->checkpoint;
    uint64_t interval_ms = (uint64_t)d->config->correlation.checkpoint_us / 1000;
    if (interval_ms < 4 * c->last_length_ms)
        interval_ms = 4 * c->last_length_ms;
    if (now_ms - c->last_start_ms < interval_ms)
        return;
    /* the reserve is for what must be said of incidents: windows can be had from the journal */
    if (atomic_load_explicit(&d->writer.is_disk_full, memory_order_relaxed))
        return;
    c->last_start_ms = now_ms;
    bool is_outgrown = c->delta_bytes > c->whole_bytes + (8 << 20);
    pipeline_request_checkpoint(d->pipeline, c->must_be_whole || is_outgrown);
}

/* ---- restoring ---- */

static enum status load_chunk(struct daemon *d, struct text kind, struct text name,
                              struct error *err)
{
    struct buffer bytes;
    buffer_init(&bytes, 64 << 20);
    enum status status = incidents_get_state(d->decider.incidents, name, &bytes);
    if (status)
        (void)error_set(err, status, 0, "the checkpoint names the chunk %.*s, which is not there",
                        TEXT_ARG(name));
    else if (text_equal(kind, TEXT("columns")))
        status = pipeline_restore_columns(d->pipeline, buffer_text(&bytes), err);
    else if (text_equal(kind, TEXT("sequencer")))
        status = pipeline_restore_sequencer(d->pipeline, buffer_text(&bytes), err);
    else
        status = pipeline_restore_shard(d->pipeline, buffer_text(&bytes), err);
    buffer_fini(&bytes);
    return status;
}

/* Without a line `format` it is the first, as 0.1.0 wrote it and as this version still does. */
enum { FORMAT = 1 };

static enum status refuse_later(struct text what, struct error *err)
{
    return error_set(
        err, STATUS_UNSUPPORTED, 0,
        "the checkpoint was written by a later Tocsin (%.*s; this one reads format %d): "
        "start that version, or restore a backup that is older",
        TEXT_ARG(text_head(what, 40)), FORMAT);
}

static enum status load_line(struct daemon *d, struct text line, uint64_t *position,
                             struct error *err)
{
    struct text kind = text_head(line, text_find_byte(line, ' '));
    struct text value = text_skip(line, kind.len + 1);
    int64_t number = 0;
    bool is_position = text_equal(kind, TEXT("position"));
    bool is_serial = text_equal(kind, TEXT("serial"));
    if (is_position || is_serial) {
        if (!text_to_int64(value, &number))
            return error_set(err, STATUS_SYNTAX, 0, "the checkpoint's commit cannot be read");
        if (is_position)
            *position = (uint64_t)number;
        else
            d->checkpoint.serial = (uint64_t)number;
        return STATUS_OK;
    }
    if (text_equal(kind, TEXT("ruleset")) || !line.len)
        return STATUS_OK;
    if (text_equal(kind, TEXT("format")))
        return text_to_int64(value, &number) && number <= FORMAT ? STATUS_OK
                                                                 : refuse_later(line, err);
    if (!text_equal(kind, TEXT("columns")) && !text_equal(kind, TEXT("sequencer")) &&
        !text_equal(kind, TEXT("shard")))
        return refuse_later(line, err);
    return load_chunk(d, kind, value, err);
}

enum status checkpoint_ruleset(struct daemon *d, struct hash128 *out)
{
    struct buffer text;
    buffer_init(&text, COMMIT_BYTES);
    enum status status = incidents_get_state(d->decider.incidents, TEXT("commit"), &text);
    struct text rest = buffer_text(&text);
    struct text line = TEXT_NONE;
    bool is_found = false;
    while (!status && !is_found && text_split(&rest, '\n', &line))
        is_found = text_starts(line, TEXT("ruleset ")) &&
                   hash_from_hex(text_skip(line, sizeof "ruleset " - 1), out);
    buffer_fini(&text);
    return status ? status : is_found ? STATUS_OK : STATUS_NOTFOUND;
}

enum status checkpoint_restore(struct daemon *d, uint64_t *out_position, struct error *err)
{
    struct buffer text;
    buffer_init(&text, COMMIT_BYTES);
    buffer_init(&d->checkpoint.chunks, COMMIT_BYTES);
    d->checkpoint.must_be_whole = true; /* the first one of a run begins a new list */
    *out_position = 0;
    enum status status = incidents_get_state(d->decider.incidents, TEXT("commit"), &text);
    if (status == STATUS_NOTFOUND) {
        buffer_fini(&text);
        return STATUS_OK;
    }
    struct text rest = buffer_text(&text);
    struct text line = TEXT_NONE;
    while (!status && text_split(&rest, '\n', &line))
        status = load_line(d, line, out_position, err);
    atomic_store(&d->checkpoint.position, *out_position);
    buffer_fini(&text);
    return status;
}
