/* SPDX-License-Identifier: Apache-2.0 */
#include "ingest/file/file_memory.h"
#include "base/log.h"
#include "ingest/file/followed_state.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { STATE_BYTES = 16 << 20 };

static int64_t known_number(const struct file_door *d, uint32_t slot)
{
    char stream[64];
    (void)snprintf(stream, sizeof stream, "file:%s:%" PRIu32, d->hash, slot);
    const struct intake *intake = &d->source.intake;
    return intake->mark && d->state_path[0] ? intake->mark(intake->context, text_of(stream)) : -1;
}

void file_memory_raise(const struct file_door *d, struct followed *f)
{
    int64_t known = known_number(d, f->slot);
    if (f->base < d->ceilings[f->slot])
        f->base = d->ceilings[f->slot];
    if (known >= 0 && f->base <= (uint64_t)known)
        f->base = (uint64_t)known + 1;
}

void file_memory_save(struct file_door *d)
{
    struct buffer out;
    d->has_unnamed = false;
    if (!d->state_path[0] || !d->is_changed)
        return;
    buffer_init(&out, STATE_BYTES);
    followed_state_begin(&out);
    for (uint32_t i = 0; i < d->set.max_files; i++)
        if (d->set.files[i])
            followed_state_add(d->set.files[i], &out);
    bool is_saved = !out.has_failed && bookmark_save(d->state_path, buffer_text(&out));
    for (uint32_t i = 0; is_saved && i < d->set.max_files; i++)
        if (d->set.files[i])
            d->set.files[i]->is_named = d->set.files[i]->head.len > 0;
    if (!is_saved)
        log_line(LOG_WARNING, "file: the places in the files cannot be remembered path=%s",
                 d->state_path);
    d->is_changed = !is_saved;
    d->saved_ms = d->now_ms;
    buffer_fini(&out);
}

static bool is_as_remembered(const struct followed *f, const struct followed_place *p,
                             uint64_t offset)
{
    struct stat st;
    if (fstat(f->fd, &st) != 0 || (uint64_t)st.st_size < offset)
        return false;
    struct followed_print head = followed_print_of(f->fd, p->head.len, FOLLOWED_HEAD_BYTES);
    struct followed_print tail = followed_print_of(f->fd, p->offset, p->tail.len);
    return head.hash == p->head.hash && (!p->tail.len || tail.hash == p->tail.hash);
}

/* One file of the state: where it is now, and where it goes on. */
static void resume(void *context, const struct followed_place *p)
{
    struct file_door *d = context;
    const struct stat st = {.st_dev = p->device, .st_ino = p->inode};
    struct followed *f = followed_new(p->path, &st, (size_t)d->source.max_message_bytes, d->is_nul);
    if (!f || file_set_add(&d->set, f, p->slot)) {
        followed_free(f);
        return;
    }
    f->base = p->base;
    f->quiet_ms = d->now_ms;
    if (!file_set_open(&d->set, f, true)) {
        char quoted[LOG_QUOTE_LEN];
        log_line(LOG_INFO, "file: gone while nobody looked; its end may be unread path=%s",
                 log_quote(text_of(p->path), quoted));
        d->ceilings[p->slot] = p->base + p->offset + 1;
        file_set_remove(&d->set, f);
        return;
    }
    int64_t known = known_number(d, p->slot);
    uint64_t offset = p->offset;
    if (known > 0 && (uint64_t)known > p->base + offset)
        offset = (uint64_t)known - p->base;
    f->is_checked = true;
    f->head = p->head;
    f->is_named = true;
    f->is_lost = !is_as_remembered(f, p, offset);
    f->lost = (struct followed_mark){p->offset, p->tail};
    followed_seek(f, offset);
    file_set_close_above(&d->set, f);
}

/* Under that inode may be anything now, a copy too: it is met as a new file, but the rest of the
 * old one is looked for first. */
static void give_up_lost(struct file_door *d,
                         void (*give_up)(struct file_door *d, const struct followed *f))
{
    struct followed **lost = calloc(d->set.max_files, sizeof *lost);
    for (uint32_t i = 0; lost && i < d->set.max_files; i++) {
        struct followed *f = d->set.files[i];
        if (!f || !f->is_lost)
            continue;
        d->ceilings[i] = f->base + f->offset + 1;
        lost[i] = f;
        file_set_detach(&d->set, f);
    }
    for (uint32_t i = 0; lost && i < d->set.max_files; i++) {
        if (!lost[i])
            continue;
        give_up(d, lost[i]);
        followed_free(lost[i]);
    }
    free(lost);
}

void file_memory_recall(struct file_door *d,
                        void (*give_up)(struct file_door *d, const struct followed *f))
{
    FILE *in = d->state_path[0] ? fopen(d->state_path, "re") : NULL;
    if (!in)
        return;
    char *content = calloc(1, STATE_BYTES + 1);
    if (content && fread(content, 1, STATE_BYTES, in) > 0) {
        d->has_past = true;
        if (!followed_state_read(content, resume, d))
            log_line(LOG_WARNING, "file: what was remembered is damaged path=%s", d->state_path);
    }
    free(content);
    (void)fclose(in);
    give_up_lost(d, give_up);
}
