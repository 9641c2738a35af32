/* SPDX-License-Identifier: Apache-2.0 */
#include "app/promise.h"
#include "base/monotonic.h"
#include <pthread.h>
#include <stdlib.h>

struct promise {
    pthread_mutex_t lock;
    pthread_cond_t given;
    int references, value;
    bool is_given;
};

struct promise *promise_new(void)
{
    struct promise *a = calloc(1, sizeof *a);
    if (!a)
        return NULL;
    a->references = 2;
    if (pthread_mutex_init(&a->lock, NULL)) {
        free(a);
        return NULL;
    }
    if (monotonic_cond_init(&a->given)) {
        (void)pthread_mutex_destroy(&a->lock);
        free(a);
        return NULL;
    }
    return a;
}

void promise_free(struct promise *a)
{
    if (!a)
        return;
    (void)pthread_mutex_lock(&a->lock);
    bool is_last = --a->references == 0;
    (void)pthread_mutex_unlock(&a->lock);
    if (!is_last)
        return;
    (void)pthread_cond_destroy(&a->given);
    (void)pthread_mutex_destroy(&a->lock);
    free(a);
}

void promise_give(struct promise *a, int value)
{
    (void)pthread_mutex_lock(&a->lock);
    a->value = value;
    a->is_given = true;
    (void)pthread_cond_signal(&a->given);
    (void)pthread_mutex_unlock(&a->lock);
    promise_free(a);
}

bool promise_wait(struct promise *a, uint64_t timeout_ms, int *out_value)
{
    struct timespec until = monotonic_deadline(timeout_ms);
    (void)pthread_mutex_lock(&a->lock);
    while (!a->is_given && !pthread_cond_timedwait(&a->given, &a->lock, &until))
        continue;
    bool is_given = a->is_given;
    *out_value = a->value;
    (void)pthread_mutex_unlock(&a->lock);
    return is_given;
}
