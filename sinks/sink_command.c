/* SPDX-License-Identifier: Apache-2.0 */
#include "sinks/sink_command.h"
#include "base/buffer.h"
#include "sinks/envelope.h"
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MOST_WORDS = 32, DOCUMENT_BYTES = 4 << 20, SAID_BYTES = 120, VARIABLES = 5 };

struct command_options {
    struct sink_common common;
    struct option_texts run;
    int64_t timeout_us;
};
#define MEMBER(member) offsetof(struct command_options, member)
static const struct option rows[] = {
    {"run", OPTION_TEXTS, MEMBER(run), NULL, 0, 0, NULL,
     "The program by its whole path, then its arguments; no shell reads them."},
    {"timeout", OPTION_DURATION, MEMBER(timeout_us), "30s", 1000, 3600e6, NULL,
     "It is killed after that, with all that it started."},
};

struct sink_command {
    const struct command_options *options;
    char *words[MOST_WORDS + 1]; /* of the options, which live longer */
    int stop;                    /* an eventfd: written once, when a run is to be given up */
    struct buffer document;
};

/* What sysexits.h calls them: 75 and 69 are the moment's fault, 64 and 65 the delivery's. */
enum { EXIT_USAGE = 64, EXIT_DATA = 65 };

/* A file without a name that holds `t`, at its start. -1: no memory. */
static int file_with(struct text t)
{
    int fd = memfd_create("tocsin", MFD_CLOEXEC);
    size_t done = 0;
    while (fd >= 0 && done < t.len) {
        ssize_t n = write(fd, t.at + done, t.len - done);
        if (n <= 0)
            break;
        done += (size_t)n;
    }
    if (fd >= 0 && done == t.len && lseek(fd, 0, SEEK_SET) == 0)
        return fd;
    if (fd >= 0)
        (void)close(fd);
    return -1;
}

/* The program runs in a group of its own, with the signals of a fresh one. */
static bool set_attributes(posix_spawnattr_t *attributes)
{
    sigset_t none, all;
    (void)sigemptyset(&none);
    (void)sigfillset(&all);
    return posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
                                                    POSIX_SPAWN_SETSIGDEF) == 0 &&
           posix_spawnattr_setpgroup(attributes, 0) == 0 &&
           posix_spawnattr_setsigmask(attributes, &none) == 0 &&
           posix_spawnattr_setsigdefault(attributes, &all) == 0;
}

static pid_t spawn(const struct sink_command *c, char *const *environment, int in, int out)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    pid_t pid = -1;
    if (posix_spawn_file_actions_init(&actions) != 0)
        return -1;
    if (posix_spawnattr_init(&attributes) != 0) {
        (void)posix_spawn_file_actions_destroy(&actions);
        return -1;
    }
    bool is_ready = set_attributes(&attributes) &&
                    posix_spawn_file_actions_adddup2(&actions, in, 0) == 0 &&
                    posix_spawn_file_actions_adddup2(&actions, out, 1) == 0 &&
                    posix_spawn_file_actions_adddup2(&actions, out, 2) == 0;
    int failed = is_ready
                     ? posix_spawn(&pid, c->words[0], &actions, &attributes, c->words, environment)
                     : ENOMEM;
    (void)posix_spawnattr_destroy(&attributes);
    (void)posix_spawn_file_actions_destroy(&actions);
    errno = failed;
    return failed ? -1 : pid;
}

/* True when it ended by itself in time. It is waited for in any case. */
static bool wait_end(const struct sink_command *c, pid_t pid, int *out_status)
{
    int watch = (int)syscall(SYS_pidfd_open, pid, 0);
    struct pollfd fds[2] = {{.fd = watch, .events = POLLIN}, {.fd = c->stop, .events = POLLIN}};
    int ready = watch >= 0 ? poll(fds, 2, (int)(c->options->timeout_us / 1000)) : 0;
    bool has_ended = ready > 0 && fds[0].revents;
    if (!has_ended)
        (void)kill(-pid, SIGKILL);
    if (watch >= 0)
        (void)close(watch);
    while (waitpid(pid, out_status, 0) < 0 && errno == EINTR)
        continue;
    (void)kill(-pid, SIGKILL); /* what it left behind */
    return has_ended;
}

/* The first line of what it said, printable. */
static void first_line(int fd, char said[SAID_BYTES])
{
    ssize_t n = pread(fd, said, SAID_BYTES - 1, 0);
    size_t len = n > 0 ? (size_t)n : 0;
    said[len] = '\0';
    said[strcspn(said, "\r\n")] = '\0';
    for (char *at = said; *at; at++)
        *at = *at >= ' ' && *at <= '~' ? *at : '?';
}

static void judge(int status, bool has_ended, const char *said, struct attempt *out)
{
    const char *colon = said[0] ? ": " : "";
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    if (!has_ended)
        kind_tell(out, DELIVERY_UNKNOWN, "killed before it ended%s%s", colon, said);
    else if (code == 0)
        kind_tell(out, DELIVERY_ACCEPTED, "exit 0%s%s", colon, said);
    else if (code == EXIT_USAGE || code == EXIT_DATA)
        kind_tell(out, DELIVERY_FAILED_PERM, "exit %d%s%s", code, colon, said);
    else if (code > 0)
        kind_tell(out, DELIVERY_FAILED_TEMP, "exit %d%s%s", code, colon, said);
    else
        kind_tell(out, DELIVERY_FAILED_TEMP, "ended by signal %d%s%s", WTERMSIG(status), colon,
                  said);
    out->is_down = out->state == DELIVERY_FAILED_TEMP || out->state == DELIVERY_UNKNOWN;
}

static void run(struct sink_command *c, char *const *environment, struct attempt *out)
{
    int in = file_with(buffer_text(&c->document));
    int said_fd = file_with(TEXT_NONE);
    pid_t pid = in >= 0 && said_fd >= 0 ? spawn(c, environment, in, said_fd) : -1;
    if (pid > 0) {
        int status = 0;
        char said[SAID_BYTES];
        bool has_ended = wait_end(c, pid, &status);
        first_line(said_fd, said);
        judge(status, has_ended, said, out);
    } else {
        kind_tell(out, DELIVERY_FAILED_TEMP, "cannot start it: %s", strerrordesc_np(errno));
        out->is_down = true;
    }
    if (in >= 0)
        (void)close(in);
    if (said_fd >= 0)
        (void)close(said_fd);
}

static void sink_attempt(void *sink, const struct delivery *d, int64_t now_us, struct attempt *out)
{
    (void)now_us;
    struct sink_command *c = sink;
    buffer_clear(&c->document);
    envelope_write(d, &c->document);
    if (c->document.has_failed) {
        kind_tell(out, DELIVERY_FAILED_PERM, "the document is too large");
        return;
    }
    /* ids and words of ours alone: nothing from a log reaches arguments or environment */
    char texts[VARIABLES][192] = {"PATH=/usr/local/bin:/usr/bin:/bin"};
    (void)snprintf(texts[1], sizeof texts[1], "TOCSIN_DELIVERY=%.*s", TEXT_ARG(d->id));
    (void)snprintf(texts[2], sizeof texts[2], "TOCSIN_INCIDENT=%.*s", TEXT_ARG(d->incident));
    (void)snprintf(texts[3], sizeof texts[3], "TOCSIN_NOTICE=%s", incidents_notice_name(d->kind));
    (void)snprintf(texts[4], sizeof texts[4], "TOCSIN_PRIORITY=%d", d->priority);
    char *environment[VARIABLES + 1] = {texts[0], texts[1], texts[2], texts[3], texts[4], NULL};
    run(c, environment, out);
}

static void sink_abandon(void *sink)
{
    struct sink_command *c = sink;
    uint64_t one = 1;
    ssize_t n = write(c->stop, &one, sizeof one);
    (void)n; /* it is either written, or was before */
}

static void sink_close(void *sink)
{
    struct sink_command *c = sink;
    if (!c)
        return;
    if (c->stop >= 0)
        (void)close(c->stop);
    for (size_t i = 0; c->words[i]; i++)
        free(c->words[i]);
    buffer_fini(&c->document);
    free(c);
}

static enum status read_words(struct sink_command *c, struct error *err)
{
    const struct option_texts *run = &c->options->run;
    if (!run->count || run->count > MOST_WORDS)
        return error_set(err, STATUS_LIMIT, 0, "run: want a program and up to %d arguments",
                         MOST_WORDS - 1);
    for (uint32_t i = 0; i < run->count; i++) {
        c->words[i] = strdup(run->items[i].at);
        if (!c->words[i])
            return error_set(err, STATUS_NOMEM, 0, "no memory for a command");
    }
    if (c->words[0][0] != '/')
        return error_set(err, STATUS_INVALID, 0, "run: want the program's whole path");
    if (access(c->words[0], X_OK) != 0)
        return error_set(err, STATUS_IO, 0, "run: %.150s: %s", c->words[0], strerrordesc_np(errno));
    return STATUS_OK;
}

static enum status sink_open(const struct kind_setting *setting, void **out, struct error *err)
{
    struct sink_command *c = calloc(1, sizeof *c);
    if (!c)
        return error_set(err, STATUS_NOMEM, 0, "no memory for a command");
    c->options = setting->options;
    buffer_init(&c->document, DOCUMENT_BYTES);
    c->stop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    enum status status = c->stop >= 0 ? read_words(c, err)
                                      : error_set(err, STATUS_IO, 0, "no eventfd for a command");
    if (status)
        sink_close(c);
    else
        *out = c;
    return status;
}

const struct sink_kind sink_command_kind = {
    .name = "command",
    .help = "A program with the document on its standard input.",
    .options = rows,
    .option_count = sizeof rows / sizeof *rows,
    .options_size = sizeof(struct command_options),
    .open = sink_open,
    .attempt = sink_attempt,
    .abandon = sink_abandon,
    .close = sink_close,
};
