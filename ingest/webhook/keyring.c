/* SPDX-License-Identifier: Apache-2.0 */
#include "base/timestamp.h"
#include "ingest/webhook/keyring_file.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/*
 * The ring in memory: a copy of the file that is read anew when the file changed, and for each key
 * a bucket of requests. The lock is held for a lookup of a few hundred nanoseconds; requests come
 * through HTTP, so nobody waits for it.
 */

enum { LOOK_US = 1000000 };

struct bucket {
    char id[KEYRING_ID_LEN + 1];
    double tokens;
    int64_t filled_us;
};

struct keyring {
    pthread_mutex_t lock;
    struct keyring_file file;
    struct bucket *buckets; /* as many as the file has keys; kept over a re-read by id */
    uint32_t bucket_count;
    int64_t looked_us;
};

enum status keyring_open(const char *path, struct keyring **out, struct error *err)
{
    AUTO(keyring) k = calloc(1, sizeof *k);
    if (!k || pthread_mutex_init(&k->lock, NULL))
        return error_set(err, STATUS_NOMEM, 0, "no memory for keys");
    enum status status = keyring_file_init(&k->file, path, err);
    if (!status)
        status = keyring_file_read(&k->file, err);
    if (status)
        return status;
    *out = MOVE(k);
    return STATUS_OK;
}

void keyring_free(struct keyring *k)
{
    if (!k)
        return;
    keyring_file_fini(&k->file);
    free(k->buckets);
    (void)pthread_mutex_destroy(&k->lock);
    free(k);
}

static struct bucket *bucket_of(struct keyring *k, const struct keyring_entry *e)
{
    for (uint32_t i = 0; i < k->bucket_count; i++)
        if (strcmp(k->buckets[i].id, e->id) == 0)
            return &k->buckets[i];
    struct bucket *more = realloc(k->buckets, (k->bucket_count + 1) * sizeof *more);
    if (!more)
        return NULL;
    k->buckets = more;
    struct bucket *b = &more[k->bucket_count++];
    *b = (struct bucket){.tokens = 2.0 * (double)e->rate_per_s, .filled_us = INT64_MIN};
    memcpy(b->id, e->id, sizeof b->id);
    return b;
}

static bool is_within_rate(struct keyring *k, const struct keyring_entry *e, int64_t now_us)
{
    struct bucket *b = e->rate_per_s > 0 ? bucket_of(k, e) : NULL;
    if (!b)
        return e->rate_per_s == 0;
    double most = 2.0 * (double)e->rate_per_s;
    if (b->filled_us != INT64_MIN && now_us > b->filled_us)
        b->tokens += (double)(now_us - b->filled_us) / 1e6 * (double)e->rate_per_s;
    b->filled_us = now_us;
    if (b->tokens > most)
        b->tokens = most;
    if (b->tokens < 1)
        return false;
    b->tokens -= 1;
    return true;
}

/* A file that cannot be read now leaves the ring as it was. */
static void look(struct keyring *k)
{
    if (keyring_file_read(&k->file, NULL) != STATUS_OK)
        return;
}

static enum status check(struct keyring *k, struct text key, struct text scope, int64_t now_us,
                         bool is_counted, struct keyring_entry *out)
{
    if (now_us - k->looked_us >= LOOK_US || now_us < k->looked_us) {
        k->looked_us = now_us;
        look(k);
    }
    const struct keyring_entry *e = keyring_file_find(&k->file, key);
    if (!e || e->revoked_us != TIMESTAMP_NONE ||
        (e->expires_us != TIMESTAMP_NONE && e->expires_us <= now_us))
        return STATUS_DENIED;
    if (strcmp(e->scope, "*") != 0 && !text_equal(text_of(e->scope), scope))
        return STATUS_DENIED;
    if (out)
        *out = *e;
    return !is_counted || is_within_rate(k, e, now_us) ? STATUS_OK : STATUS_LIMIT;
}

enum status keyring_check(struct keyring *k, struct text key, struct text scope, int64_t now_us,
                          struct keyring_entry *out)
{
    (void)pthread_mutex_lock(&k->lock);
    enum status status = check(k, key, scope, now_us, true, out);
    (void)pthread_mutex_unlock(&k->lock);
    return status;
}

bool keyring_knows(struct keyring *k, struct text key, struct text scope, int64_t now_us)
{
    (void)pthread_mutex_lock(&k->lock);
    enum status status = check(k, key, scope, now_us, false, NULL);
    (void)pthread_mutex_unlock(&k->lock);
    return status == STATUS_OK;
}

enum status keyring_add(struct keyring *k, const struct keyring_entry *want,
                        char out_key[KEYRING_KEY_LEN + 1], struct error *err)
{
    if (!want->name[0] || !want->scope[0])
        return error_set(err, STATUS_INVALID, 0, "a key needs a name and a scope");
    (void)pthread_mutex_lock(&k->lock);
    enum status status = keyring_file_add(&k->file, want, out_key, err);
    (void)pthread_mutex_unlock(&k->lock);
    return status;
}

enum status keyring_revoke(struct keyring *k, struct text id_or_name, struct error *err)
{
    (void)pthread_mutex_lock(&k->lock);
    enum status status = keyring_file_revoke(&k->file, id_or_name, err);
    (void)pthread_mutex_unlock(&k->lock);
    return status;
}

void keyring_list(struct keyring *k, void (*tell)(void *context, const struct keyring_entry *e),
                  void *context)
{
    (void)pthread_mutex_lock(&k->lock);
    look(k);
    for (uint32_t i = 0; i < k->file.count; i++)
        tell(context, &k->file.keys[i].entry);
    (void)pthread_mutex_unlock(&k->lock);
}
