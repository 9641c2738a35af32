/* SPDX-License-Identifier: Apache-2.0 */
#include "base/mailbox.h"
#include "base/monotonic.h"

enum status mailbox_init(struct mailbox *m, size_t max_count, void (*wake)(void *), void *context)
{
    *m = (struct mailbox){.max_count = max_count, .wake = wake, .context = context};
    m->last = &m->first;
    if (pthread_mutex_init(&m->lock, NULL))
        return STATUS_NOMEM;
    enum status status = monotonic_cond_init(&m->filled);
    if (!status) {
        status = monotonic_cond_init(&m->drained);
        if (status)
            (void)pthread_cond_destroy(&m->filled);
    }
    if (status)
        (void)pthread_mutex_destroy(&m->lock);
    return status;
}

void mailbox_fini(struct mailbox *m)
{
    (void)pthread_cond_destroy(&m->filled);
    (void)pthread_cond_destroy(&m->drained);
    (void)pthread_mutex_destroy(&m->lock);
}

static bool append(struct mailbox *m, struct mail *mail)
{
    bool was_empty = m->count == 0;
    mail->next = NULL;
    *m->last = mail;
    m->last = &mail->next;
    m->count++;
    (void)pthread_cond_signal(&m->filled);
    return was_empty;
}

enum status mailbox_return(struct mailbox *m, struct mail *mail)
{
    (void)pthread_mutex_lock(&m->lock);
    enum status status = m->is_closed               ? STATUS_CLOSED
                         : m->count == m->max_count ? STATUS_FULL
                                                    : STATUS_OK;
    const bool was_empty = m->count == 0;
    if (!status && was_empty)
        (void)append(m, mail);
    else if (!status) {
        mail->next = m->first;
        m->first = mail;
        m->count++;
        (void)pthread_cond_signal(&m->filled);
    }
    (void)pthread_mutex_unlock(&m->lock);
    if (!status && was_empty && m->wake)
        m->wake(m->context);
    return status;
}

static enum status send(struct mailbox *m, struct mail *mail, bool may_wait)
{
    (void)pthread_mutex_lock(&m->lock);
    while (may_wait && m->count >= m->max_count && !m->is_closed) {
        m->has_waiting_sender = true;
        (void)pthread_cond_wait(&m->drained, &m->lock);
    }
    enum status status = m->is_closed               ? STATUS_CLOSED
                         : m->count >= m->max_count ? STATUS_FULL
                                                    : STATUS_OK;
    bool must_wake = status == STATUS_OK && append(m, mail);
    (void)pthread_mutex_unlock(&m->lock);
    if (must_wake && m->wake)
        m->wake(m->context);
    return status;
}

enum status mailbox_send(struct mailbox *m, struct mail *mail)
{
    return send(m, mail, false);
}

enum status mailbox_send_wait(struct mailbox *m, struct mail *mail)
{
    return send(m, mail, true);
}

static struct mail *detach(struct mailbox *m)
{
    struct mail *all = m->first;
    m->first = NULL;
    m->last = &m->first;
    m->count = 0;
    if (m->has_waiting_sender) {
        m->has_waiting_sender = false;
        (void)pthread_cond_broadcast(&m->drained);
    }
    return all;
}

struct mail *mailbox_take_all(struct mailbox *m)
{
    (void)pthread_mutex_lock(&m->lock);
    struct mail *all = detach(m);
    (void)pthread_mutex_unlock(&m->lock);
    return all;
}

/* With the lock held: until there is mail, the box is closed, or the time is over. */
static void wait_filled(struct mailbox *m, uint64_t timeout_ms)
{
    if (m->first || m->is_closed || !timeout_ms)
        return;
    bool is_endless = timeout_ms == UINT64_MAX;
    struct timespec until = is_endless ? (struct timespec){0} : monotonic_deadline(timeout_ms);
    while (!m->first && !m->is_closed && !m->is_nudged) {
        int failed = is_endless ? pthread_cond_wait(&m->filled, &m->lock)
                                : pthread_cond_timedwait(&m->filled, &m->lock, &until);
        if (failed)
            break;
    }
    m->is_nudged = false;
}

struct mail *mailbox_wait(struct mailbox *m, uint64_t timeout_ms)
{
    (void)pthread_mutex_lock(&m->lock);
    wait_filled(m, timeout_ms);
    struct mail *all = detach(m);
    (void)pthread_mutex_unlock(&m->lock);
    return all;
}

struct mail *mailbox_take(struct mailbox *m, uint64_t timeout_ms)
{
    (void)pthread_mutex_lock(&m->lock);
    wait_filled(m, timeout_ms);
    struct mail *one = m->first;
    if (one) {
        m->first = one->next;
        if (!m->first)
            m->last = &m->first;
        m->count--;
        (void)pthread_cond_signal(&m->drained);
    }
    (void)pthread_mutex_unlock(&m->lock);
    return one;
}

void mailbox_nudge(struct mailbox *m)
{
    (void)pthread_mutex_lock(&m->lock);
    m->is_nudged = true;
    (void)pthread_cond_signal(&m->filled);
    (void)pthread_mutex_unlock(&m->lock);
}

void mailbox_close(struct mailbox *m)
{
    (void)pthread_mutex_lock(&m->lock);
    m->is_closed = true;
    (void)pthread_cond_broadcast(&m->filled);
    (void)pthread_cond_broadcast(&m->drained);
    (void)pthread_mutex_unlock(&m->lock);
    if (m->wake)
        m->wake(m->context);
}

bool mailbox_is_closed(struct mailbox *m)
{
    (void)pthread_mutex_lock(&m->lock);
    bool is_closed = m->is_closed;
    (void)pthread_mutex_unlock(&m->lock);
    return is_closed;
}
