/* SPDX-License-Identifier: Apache-2.0 */
#include "ingest/door/source_stdin.h"
#include "base/wall_clock.h"
#include "ingest/door/framer.h"
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { READ_BYTES = 256 * 1024 };

struct stdin_door {
    struct source source;
    int is_nul; /* option */
    pthread_t thread;
    bool is_threaded;
    struct framer framer;
    char *chunk;
};

static void give(struct stdin_door *d, struct text message, uint32_t flags)
{
    (void)lane_add(&d->source.lanes[0], message, TEXT("/dev/stdin"), wall_clock_us(),
                   flags & FRAMER_TRUNCATED);
}

/* False at the end of the input. */
static bool read_some(struct stdin_door *d)
{
    ssize_t n = read(STDIN_FILENO, d->chunk, READ_BYTES);
    struct text chunk = {d->chunk, n > 0 ? (size_t)n : 0};
    struct text message;
    uint32_t flags = 0;
    while (framer_next(&d->framer, &chunk, &message, &flags))
        give(d, message, flags);
    return n > 0;
}

static void *run(void *context)
{
    struct stdin_door *d = context;
    struct source *s = &d->source;
    struct pollfd waits[2] = {{.fd = s->stop_fd, .events = POLLIN},
                              {.fd = STDIN_FILENO, .events = POLLIN}};
    bool is_open = true;
    while (is_open && !source_is_stopping(s) && lane_ready(&s->lanes[0])) {
        if (poll(waits, 2, 0) == 0) {
            lane_put(&s->lanes[0]);
            (void)poll(waits, 2, -1);
        }
        if (waits[1].revents)
            is_open = read_some(d);
    }
    struct text message;
    uint32_t flags = 0;
    if (framer_end(&d->framer, &message, &flags))
        give(d, message, 0); /* a last line without its end */
    lane_fini(&s->lanes[0]);
    return NULL;
}

static enum status open_stdin(struct source *s, struct error *err)
{
    struct stdin_door *d = CONTAINER_OF(s, struct stdin_door, source);
    framer_init(&d->framer, s->max_message_bytes);
    d->framer.mode = d->is_nul ? FRAMER_NUL : FRAMER_LF; /* a line may begin with a number */
    d->chunk = malloc(READ_BYTES);
    (void)snprintf(s->address, sizeof s->address, "-");
    return d->chunk ? STATUS_OK : error_set(err, STATUS_NOMEM, 0, "no memory to read");
}

static enum status start_stdin(struct source *s, struct error *err)
{
    struct stdin_door *d = CONTAINER_OF(s, struct stdin_door, source);
    if (pthread_create(&d->thread, NULL, run, d))
        return error_set(err, STATUS_NOMEM, 0, "no memory for a reading thread");
    d->is_threaded = true;
    return STATUS_OK;
}

static void stop_stdin(struct source *s)
{
    struct stdin_door *d = CONTAINER_OF(s, struct stdin_door, source);
    if (d->is_threaded)
        (void)pthread_join(d->thread, NULL);
    d->is_threaded = false;
}

static void close_stdin(struct source *s)
{
    struct stdin_door *d = CONTAINER_OF(s, struct stdin_door, source);
    framer_fini(&d->framer);
    free(d->chunk);
}

static const char *const ends[] = {"lf", "nul", NULL};

static const struct option rows[] = {
    {"framing", OPTION_CHOICE, offsetof(struct stdin_door, is_nul), "lf", 0, 0, ends,
     "what ends a message"},
};

const struct source_type source_stdin_type = {
    .key = "stdin",
    .kind = "stdin",
    .help = "standard input, once",
    .size_bytes = sizeof(struct stdin_door),
    .format = "auto",
    .options = rows,
    .option_count = 1,
    .open = open_stdin,
    .start = start_stdin,
    .stop = stop_stdin,
    .close = close_stdin,
};
