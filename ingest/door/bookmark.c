/* SPDX-License-Identifier: Apache-2.0 */
#include "ingest/door/bookmark.h"
#include "base/mailbox.h"
#include <fcntl.h>
#include <libgen.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct bookmark {
    _Atomic uint32_t refs; /* the source, and each batch under way */
    uint32_t under_way;    /* the source's thread only */
    struct mailbox landed;
};

/* Where a batch ended: travels with it and lands as mail. */
struct place {
    struct mail mail;
    struct bookmark *bookmark;
    bool is_durable;
    size_t len;
    char bytes[];
};

static void free_all(struct mail *mail)
{
    while (mail) {
        struct place *p = CONTAINER_OF(mail, struct place, mail);
        mail = mail->next;
        free(p);
    }
}

static void unref(struct bookmark *m)
{
    /* acq_rel: the last one sees all that the others did */
    if (atomic_fetch_sub_explicit(&m->refs, 1, memory_order_acq_rel) != 1)
        return;
    free_all(mailbox_take_all(&m->landed));
    mailbox_fini(&m->landed);
    free(m);
}

enum status bookmark_new(struct bookmark **out)
{
    struct bookmark *m = calloc(1, sizeof *m);
    if (!m)
        return STATUS_NOMEM;
    enum status status = mailbox_init(&m->landed, SIZE_MAX, NULL, NULL);
    if (status) {
        free(m);
        return status;
    }
    atomic_init(&m->refs, 1);
    *out = m;
    return STATUS_OK;
}

void bookmark_free(struct bookmark *m)
{
    if (!m)
        return;
    mailbox_close(&m->landed);
    unref(m);
}

/* The journal's thread. */
static void land(void *context, uint64_t token, bool is_ok)
{
    struct place *p = context;
    struct bookmark *m = p->bookmark;
    (void)token;
    p->is_durable = is_ok;
    if (mailbox_send(&m->landed, &p->mail) != STATUS_OK)
        free(p);
    unref(m);
}

bool bookmark_seal(struct bookmark *m, struct batch *b, struct text place)
{
    struct place *p = malloc(sizeof *p + place.len);
    if (!p)
        return false;
    *p = (struct place){.bookmark = m, .len = place.len};
    if (place.len)
        memcpy(p->bytes, place.at, place.len);
    b->durable = land;
    b->durable_context = p;
    m->under_way++;
    (void)atomic_fetch_add_explicit(&m->refs, 1, memory_order_relaxed); /* we hold one: no order */
    return true;
}

uint32_t bookmark_under_way(const struct bookmark *m)
{
    return m->under_way;
}

void bookmark_take(struct bookmark *m,
                   void (*landed)(void *context, struct text place, bool is_durable), void *context)
{
    struct mail *first = mailbox_take_all(&m->landed);
    for (struct mail *mail = first; mail; mail = mail->next) {
        const struct place *p = CONTAINER_OF(mail, struct place, mail);
        m->under_way--;
        landed(context, (struct text){p->bytes, p->len}, p->is_durable);
    }
    free_all(first);
}

void bookmark_await(struct bookmark *m,
                    void (*landed)(void *context, struct text place, bool is_durable),
                    void *context)
{
    enum { AWAIT_MS = 5000, STEP_MS = 5 };
    struct pollfd nothing = {.fd = -1};
    bookmark_take(m, landed, context);
    for (int i = 0; i < AWAIT_MS / STEP_MS && bookmark_under_way(m); i++) {
        (void)poll(&nothing, 1, STEP_MS);
        bookmark_take(m, landed, context);
    }
}

static bool sync_folder(const char *path)
{
    char copy[4096];
    (void)snprintf(copy, sizeof copy, "%s", path);
    int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool is_synced = fd >= 0 && fsync(fd) == 0;
    if (fd >= 0)
        (void)close(fd);
    return is_synced;
}

bool bookmark_save(const char *path, struct text content)
{
    char fresh[4096];
    if ((size_t)snprintf(fresh, sizeof fresh, "%s.new", path) >= sizeof fresh)
        return false;
    int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return false;
    bool is_written = write(fd, content.at, content.len) == (ssize_t)content.len && fsync(fd) == 0;
    is_written &= close(fd) == 0;
    return is_written && rename(fresh, path) == 0 && sync_folder(path);
}
