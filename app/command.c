/* SPDX-License-Identifier: Apache-2.0 */
#include "app/command.h"
#include "base/path.h"
#include "base/printable.h"
#include "base/timestamp.h"
#include "base/wall_clock.h"
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void command_say(const char *format, ...)
{
    struct buffer line;
    va_list args;
    buffer_init(&line, 1 << 20);
    va_start(args, format);
    buffer_append(&line, TEXT("tocsin: "));
    printable_vformat(&line, format, args);
    va_end(args);
    (void)fprintf(stderr, "%.*s\n", TEXT_ARG(buffer_text(&line)));
    buffer_fini(&line);
}

bool command_has_terminal(void)
{
    return isatty(STDERR_FILENO) == 1;
}

/* ---- flags ---- */

static void print_help(const char *usage, const struct command_flag *flags, size_t count)
{
    (void)printf("%s\n", usage);
    if (count)
        (void)printf("\nOptions:\n");
    for (size_t i = 0; i < count; i++) {
        char left[64];
        (void)snprintf(left, sizeof left, "--%s%s%s", flags[i].name, flags[i].argument ? " " : "",
                       flags[i].argument ? flags[i].argument : "");
        (void)printf("  %-28s %s\n", left, flags[i].help);
    }
    (void)printf("  %-28s %s\n", "--help", "this text");
}

static const struct command_flag *find_flag(const struct command_flag *flags, size_t count,
                                            struct text name)
{
    for (size_t i = 0; i < count; i++)
        if (text_equal(name, text_of(flags[i].name)))
            return &flags[i];
    return NULL;
}

static bool read_time(struct text t, int64_t *out)
{
    int64_t back_us = 0;
    if (timestamp_parse(t, 0, out, NULL))
        return true;
    char day[32];
    (void)snprintf(day, sizeof day, "%.*sT00:00:00Z", (int)(t.len < 20 ? t.len : 20), t.at);
    if (timestamp_parse(text_of(day), 0, out, NULL))
        return true;
    if (!text_to_duration_us(t, &back_us))
        return false;
    *out = wall_clock_us() - back_us;
    return true;
}

static bool set_value(const struct command_flag *flag, const char *value)
{
    struct text t = text_of(value);
    int64_t number = 0;
    switch (flag->type) {
    case FLAG_SWITCH:
        return false;
    case FLAG_TEXT:
        *(const char **)flag->value = value;
        return true;
    case FLAG_TEXTS: {
        struct command_list *list = flag->value;
        if (list->count == COMMAND_LIST)
            return false;
        list->items[list->count++] = value;
        return true;
    }
    case FLAG_TIME:
        return read_time(t, flag->value);
    case FLAG_DURATION:
        return text_to_duration_us(t, flag->value);
    case FLAG_COUNT:
        if (!text_to_int64(t, &number) || number < 1 || number > 64)
            return false;
        *(uint32_t *)flag->value = (uint32_t)number;
        return true;
    }
    return false;
}

static enum status refuse(const char *command, const char *what, const char *argument)
{
    command_say("%s: %s '%s'; see tocsin %s --help", command, what, argument, command);
    return STATUS_INVALID;
}

enum status command_flags(int argc, char **argv, const char *usage,
                          const struct command_flag *flags, size_t count, const char **out_rest,
                          uint32_t *out_rest_count)
{
    uint32_t rest = 0;
    bool has_ended = false;
    for (int i = 1; i < argc; i++) {
        struct text argument = text_of(argv[i]);
        if (has_ended || argument.len < 2 || argument.at[0] != '-') {
            out_rest[rest++] = argv[i];
            continue;
        }
        if (text_equal(argument, TEXT("--"))) {
            has_ended = true;
            continue;
        }
        struct text name = text_skip(argument, text_starts(argument, TEXT("--")) ? 2 : 1);
        size_t equals = text_find_byte(name, '=');
        const struct command_flag *flag = find_flag(flags, count, text_head(name, equals));
        if (text_equal(name, TEXT("help")) || text_equal(name, TEXT("h"))) {
            print_help(usage, flags, count);
            return STATUS_AGAIN;
        }
        if (!flag)
            return refuse(argv[0], "unknown option", argv[i]);
        if (flag->type == FLAG_SWITCH && equals < name.len)
            return refuse(argv[0], "this option takes no value:", argv[i]);
        if (flag->type == FLAG_SWITCH) {
            *(bool *)flag->value = true;
            continue;
        }
        const char *value = equals < name.len ? name.at + equals + 1 : NULL;
        if (!value && i + 1 < argc)
            value = argv[++i];
        if (!value)
            return refuse(argv[0], "a value is missing after", argv[i]);
        if (!set_value(flag, value))
            return refuse(argv[0], "this value cannot be used:", value);
    }
    out_rest[rest] = NULL;
    *out_rest_count = rest;
    return STATUS_OK;
}

/* ---- output ---- */

enum { OUTPUT_BYTES = 64 * 1024, OUTPUT_MAX = 256 << 20 };

enum status command_open_output(struct command_output *o, const char *path, struct error *err)
{
    *o = (struct command_output){.fd = STDOUT_FILENO};
    buffer_init(&o->buffer, OUTPUT_MAX);
    if (strcmp(path, "-") == 0)
        return STATUS_OK;
    o->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (o->fd < 0)
        return error_set(err, STATUS_IO, 0, "%s cannot be written: %s", path,
                         strerrordesc_np(errno));
    o->is_own = true;
    return STATUS_OK;
}

void command_flush_output(struct command_output *o, bool now)
{
    if (!now && o->buffer.len < OUTPUT_BYTES)
        return;
    struct text left = buffer_text(&o->buffer);
    while (left.len) {
        ssize_t n = write(o->fd, left.at, left.len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            o->has_failed = true;
            break;
        }
        left = text_skip(left, (size_t)n);
    }
    o->has_failed |= o->buffer.has_failed;
    buffer_clear(&o->buffer);
}

bool command_close_output(struct command_output *o)
{
    command_flush_output(o, true);
    if (o->is_own && close(o->fd))
        o->has_failed = true;
    buffer_fini(&o->buffer);
    if (o->has_failed)
        command_say("the output could not be written whole: %s", strerrordesc_np(errno));
    return !o->has_failed;
}

bool command_flush_stdout(void)
{
    errno = 0;
    if (!fflush(stdout) && !ferror(stdout))
        return true;
    /* an earlier write failed where there is no reason any more */
    command_say("the output could not be written whole%s%s", errno ? ": " : "",
                errno ? strerrordesc_np(errno) : "");
    return false;
}

/* ---- folders ---- */

const char *command_path(char *out, size_t size, const char *folder, const char *name)
{
    size_t first = strlen(folder);
    size_t second = strlen(name);
    if (first > size - 2)
        first = size - 2;
    memcpy(out, folder, first);
    out[first++] = '/';
    if (second > size - 1 - first)
        second = size - 1 - first;
    memcpy(out + first, name, second);
    out[first + second] = 0;
    return out;
}

static bool is_folder_beside_binary(char *out, size_t size)
{
    char self[PATH_ROOM];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    if (n <= 0)
        return false;
    self[n] = 0;
    for (int above = 0; above < 2; above++) { /* PREFIX/bin/tocsin: the prefix */
        char *slash = strrchr(self, '/');
        if (!slash)
            return false;
        *slash = 0;
    }
    (void)snprintf(out, size, "%s/share/tocsin", self);
    return access(out, R_OK) == 0;
}

const char *command_share(char *out, size_t size)
{
    const char *said = getenv("TOCSIN_SHARE");
    if (said && *said)
        (void)snprintf(out, size, "%s", said);
    else if (!is_folder_beside_binary(out, size))
        (void)snprintf(out, size, "%s", TOCSIN_SHARE);
    return out;
}

const char *command_data(char *out, size_t size)
{
    const char *said = getenv("TOCSIN_DATA");
    const char *home = getenv("HOME");
    if (said && *said)
        (void)snprintf(out, size, "%s", said);
    else if (access("/var/lib/tocsin", W_OK) == 0 || !home)
        (void)snprintf(out, size, "/var/lib/tocsin");
    else
        (void)snprintf(out, size, "%s/.local/share/tocsin", home);
    return out;
}
