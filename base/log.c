/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"
#include "base/digit.h"
#include "base/json_write.h"
#include "base/printable.h"
#include "base/timestamp.h"
#include "base/wall_clock.h"
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { SITES = 64, MOST_PER_PERIOD = 10, PERIOD_MS = 10000 };

/* The program's one logger: with the signal flags the only mutable data at file scope. */
static struct {
    pthread_mutex_t lock;
    enum log_level least;
    bool is_json;
    struct {
        const char *format;
        uint64_t since_ms;
        uint32_t count;
    } sites[SITES];
} logger = {.lock = PTHREAD_MUTEX_INITIALIZER, .least = LOG_INFO};

static const char *const level_names[] = {"debug", "info", "warning", "error"};

void log_set_level(enum log_level least)
{
    (void)pthread_mutex_lock(&logger.lock);
    logger.least = least;
    (void)pthread_mutex_unlock(&logger.lock);
}

void log_set_json(bool is_json)
{
    (void)pthread_mutex_lock(&logger.lock);
    logger.is_json = is_json;
    (void)pthread_mutex_unlock(&logger.lock);
}

static void write_line(enum log_level level, const char *sentence)
{
    char when[TIMESTAMP_LEN + 1];
    timestamp_format(wall_clock_us(), when);
    if (!logger.is_json) {
        printable_print(stderr, "%s %s: %s\n", when, level_names[level], sentence);
        return;
    }
    struct buffer line;
    buffer_init(&line, 16384);
    json_write_open(&line, NULL, '{');
    json_write_string(&line, "time", text_of(when));
    json_write_string(&line, "level", text_of(level_names[level]));
    json_write_string(&line, "message", text_of(sentence));
    json_write_close(&line, '}');
    (void)fprintf(stderr, "%.*s\n", TEXT_ARG(buffer_text(&line)));
    buffer_fini(&line);
}

/* How many lines of this format were held back before this one may pass; -1: hold it back too. */
static int64_t admit(const char *format)
{
    uint64_t now_ms = timestamp_monotonic_ms();
    size_t slot = ((size_t)(const void *)format >> 3) % SITES;
    if (logger.sites[slot].format != format || now_ms - logger.sites[slot].since_ms > PERIOD_MS) {
        uint32_t before = logger.sites[slot].format == format ? logger.sites[slot].count : 0;
        logger.sites[slot].format = format;
        logger.sites[slot].since_ms = now_ms;
        logger.sites[slot].count = 1;
        return before > MOST_PER_PERIOD ? before - MOST_PER_PERIOD : 0;
    }
    return ++logger.sites[slot].count > MOST_PER_PERIOD ? -1 : 0;
}

void log_line(enum log_level level, const char *format, ...)
{
    char sentence[2048];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(sentence, sizeof sentence, format, args);
    va_end(args);
    (void)pthread_mutex_lock(&logger.lock);
    int64_t held = level < logger.least ? -1 : admit(format);
    if (held > 0) {
        char note[96];
        (void)snprintf(note, sizeof note, "lines like the next were held back count=%lld",
                       (long long)held);
        write_line(level, note);
    }
    if (held >= 0)
        write_line(level, sentence);
    (void)pthread_mutex_unlock(&logger.lock);
}

const char *log_quote(struct text t, char out[LOG_QUOTE_LEN])
{
    struct text cut = text_head(t, 200);
    size_t n = 0;
    out[n++] = '"';
    for (size_t i = 0; i < cut.len; i++) {
        unsigned char c = (unsigned char)cut.at[i];
        if (c >= 0x20 && c < 0x7F && c != '"' && c != '\\') {
            out[n++] = (char)c;
            continue;
        }
        out[n++] = '\\';
        out[n++] = 'x';
        out[n++] = digit_hex(c >> 4);
        out[n++] = digit_hex(c);
    }
    out[n++] = '"';
    if (cut.len < t.len) {
        memcpy(out + n, "...", 3);
        n += 3;
    }
    out[n] = 0;
    return out;
}
