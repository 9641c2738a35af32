/* SPDX-License-Identifier: Apache-2.0 */
#include "console/view_pool.h"
#include "base/mailbox.h"
#include <stdlib.h>
#include <string.h>

enum { VIEWS = 4, WAIT_MS = 5000 };

struct view_loan {
    struct mail mail;
    struct view *view; /* NULL: not open */
};

struct view_pool {
    struct incidents_options record;
    char *socket, *url;  /* copies: views are opened long after the options were given */
    struct mailbox free; /* the loans that nobody has */
    struct view_loan loans[VIEWS];
};

void view_pool_free(struct view_pool *p)
{
    if (!p)
        return;
    (void)mailbox_take_all(&p->free);
    mailbox_fini(&p->free);
    for (int i = 0; i < VIEWS; i++)
        view_close(p->loans[i].view);
    free(p->socket);
    free(p->url);
    free(p);
}

enum status view_pool_new(const struct incidents_options *record, struct view_pool **out,
                          struct error *err)
{
    struct view_pool *p = calloc(1, sizeof *p);
    if (!p || mailbox_init(&p->free, VIEWS, NULL, NULL)) {
        free(p);
        return error_set(err, STATUS_NOMEM, 0, "no memory for views");
    }
    p->record = *record;
    p->socket = record->socket ? strdup(record->socket) : NULL;
    p->url = record->url ? strdup(record->url) : NULL;
    p->record.socket = p->socket;
    p->record.url = p->url;
    if ((record->socket && !p->socket) || (record->url && !p->url)) {
        view_pool_free(p);
        return error_set(err, STATUS_NOMEM, 0, "no memory for views");
    }
    enum status status = STATUS_OK;
    for (int i = 0; i < VIEWS && !status; i++)
        status = mailbox_send(&p->free, &p->loans[i].mail);
    *out = p;
    return status;
}

enum status view_pool_take(struct view_pool *p, struct view_loan **out, struct error *err)
{
    struct mail *m = mailbox_take(&p->free, WAIT_MS);
    if (!m)
        return error_set(err, STATUS_TIMEOUT, 0, "all readers of the record are busy");
    struct view_loan *loan = CONTAINER_OF(m, struct view_loan, mail);
    enum status status = loan->view ? STATUS_OK : view_open(&p->record, &loan->view, err);
    if (status)
        view_pool_give(p, loan, false);
    else
        *out = loan;
    return status;
}

struct view *view_pool_view(const struct view_loan *loan)
{
    return loan->view;
}

void view_pool_give(struct view_pool *p, struct view_loan *loan, bool has_failed)
{
    if (has_failed) {
        view_close(loan->view);
        loan->view = NULL;
    }
    /* there is room for every loan, and nobody closes the box: this cannot fail */
    enum status status = mailbox_send(&p->free, &loan->mail);
    (void)status;
}
