/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"
#include "base/timestamp.h"
#include "incidents/incidents.h"
#include "incidents/store/redis.h"
#include "incidents/store/redis_folder.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    DEAF_MS = 10000, /* no answer for this long: killed */
    PING_MS = 1000,  /* between two questions, and for one answer */
    FIRST_BACKOFF_MS = 50,
    MAX_BACKOFF_MS = 5000,
    CALM_MS = 1000,  /* one that ran this long is started anew at once */
    STOP_MS = 10000, /* after SHUTDOWN, and again after TERM */
};

struct redis_server {
    struct redis_folder folder;
    int stop_fd;  /* eventfd, written by redis_server_stop */
    int ready_fd; /* eventfd, written by the thread at the end of the first start */
    bool has_thread;
    pthread_t thread;
    /* Owned by the thread. */
    pid_t pid;
    int pid_fd;
    uint64_t backoff_ms;
    enum status first; /* of the first start; read by the starter after ready_fd */
    struct error first_error;
    /* Written by the thread, read by redis_server_metrics: relaxed, numbers for people. */
    _Atomic uint64_t starts, deaths, deaf;
    _Atomic bool is_up;
};

const char *redis_server_socket(const struct redis_server *s)
{
    return s->folder.socket;
}

static const char *reason(void)
{
    return strerrordesc_np(errno);
}

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

/* ---- one process ---- */

/* Only async-signal-safe calls from here on: the parent has threads. */
__attribute__((noreturn)) static void become_server(const struct redis_server *s, pid_t parent,
                                                    int error_fd)
{
    static const char *const programs[] = {"redis-server", "valkey-server"};
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    /* TERM, not KILL: the server then writes out its file. It comes when the THREAD that forked
     * ends, so that thread lives as long as the program. */
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent)
        _exit(126);
    umask(077);    /* what it writes is the record: for this user's eyes alone */
    setpgid(0, 0); /* ^C on the terminal is for the parent alone */
    int null_fd = open("/dev/null", O_RDWR);
    dup2(null_fd, 0);
    dup2(null_fd, 1);
    dup2(null_fd, 2);
    syscall(SYS_close_range, 3U, ~0U, CLOSE_RANGE_CLOEXEC);
    fcntl(s->folder.lock_fd, F_SETFD, 0);
    for (size_t i = 0; i < sizeof programs / sizeof programs[0]; i++) {
        char *const argv[] = {(char *)(uintptr_t)programs[i], (char *)(uintptr_t)s->folder.conf,
                              NULL};
        execvp(programs[i], argv);
    }
    int e = errno;
    ssize_t ignored = write(error_fd, &e, sizeof e);
    _exit(ignored ? 127 : 126);
}

static enum status spawn(struct redis_server *s, struct error *err)
{
    int fds[2], e = 0;
    pid_t parent = getpid();
    unlink(s->folder.socket);
    redis_folder_clean(&s->folder);
    if (pipe2(fds, O_CLOEXEC))
        return error_set(err, STATUS_IO, 0, "no pipe for redis-server: %s", reason());
    pid_t pid = fork();
    if (pid == 0)
        become_server(s, parent, fds[1]);
    close(fds[1]);
    ssize_t n = pid > 0 ? read(fds[0], &e, sizeof e) : 0;
    close(fds[0]);
    if (pid < 0)
        return error_set(err, STATUS_IO, 0, "cannot fork redis-server: %s", reason());
    if (n == (ssize_t)sizeof e) {
        waitpid(pid, NULL, 0);
        errno = e;
        return e == ENOENT ? error_set(err, STATUS_NOTFOUND, 0,
                                       "redis-server is not installed: apt-get install "
                                       "redis-server, or set redis.url")
                           : error_set(err, STATUS_IO, 0, "cannot run redis-server: %s", reason());
    }
    char digits[24];
    int len = snprintf(digits, sizeof digits, "%d\n", (int)pid);
    if (ftruncate(s->folder.lock_fd, 0) || pwrite(s->folder.lock_fd, digits, (size_t)len, 0) != len)
        log_line(LOG_WARNING, "cannot note the process of redis-server pid=%d", (int)pid);
    s->pid = pid;
    s->pid_fd = (int)syscall(SYS_pidfd_open, pid, 0);
    atomic_fetch_add_explicit(&s->starts, 1, memory_order_relaxed);
    return STATUS_OK;
}

static void reap(struct redis_server *s)
{
    waitpid(s->pid, NULL, 0);
    s->pid = 0;
    close_fd(&s->pid_fd);
    atomic_store_explicit(&s->is_up, false, memory_order_relaxed);
}

/* True when the process ended within `ms`. */
static bool has_ended(struct redis_server *s, uint64_t ms)
{
    struct pollfd p = {.fd = s->pid_fd, .events = POLLIN};
    if (poll(&p, 1, (int)ms) <= 0)
        return false;
    reap(s);
    return true;
}

/* OK: it answers. AGAIN: it is alive and loads its file. TIMEOUT or IO: it does not. */
static enum status ping(const struct redis_server *s)
{
    AUTO(redis) r = NULL;
    if (redis_open(s->folder.socket, NULL, PING_MS, &r, NULL) != STATUS_OK)
        return STATUS_IO;
    struct arena arena;
    arena_init(&arena, 1 << 16);
    struct reply reply = {0};
    const struct text args[] = {TEXT("PING")};
    enum status status = redis_call(r, args, 1, &arena, &reply, NULL);
    if (!status && reply.kind == REPLY_ERROR)
        status = STATUS_AGAIN;
    arena_fini(&arena);
    return status;
}

/* The last line of Redis' own log: why it ended. */
static void last_words(const struct redis_server *s, char *out, size_t size)
{
    char path[PATH_ROOM];
    char tail[512];
    (void)snprintf(path, sizeof path, "%s/redis.log", s->folder.dir);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    off_t end = fd < 0 ? 0 : lseek(fd, 0, SEEK_END);
    off_t from = end > (off_t)sizeof tail ? end - (off_t)sizeof tail : 0;
    ssize_t n = fd < 0 ? 0 : pread(fd, tail, sizeof tail, from);
    struct text words = text_trim((struct text){tail, n > 0 ? (size_t)n : 0});
    size_t at = words.len;
    while (at && words.at[at - 1] != '\n')
        at--;
    words = text_skip(words, at);
    (void)snprintf(out, size, "%.*s", TEXT_ARG(words));
    close_fd(&fd);
}

static bool is_stopping(const struct redis_server *s, uint64_t wait_ms)
{
    struct pollfd p = {.fd = s->stop_fd, .events = POLLIN};
    return poll(&p, 1, (int)wait_ms) > 0;
}

/* Waits until the new process answers. A large file may load for minutes: it says so meanwhile. */
static enum status wait_ready(struct redis_server *s, struct error *err)
{
    uint64_t heard_ms = timestamp_monotonic_ms();
    for (uint64_t step_ms = 1;; step_ms = step_ms < 50 ? step_ms * 2 : 50) {
        if (has_ended(s, step_ms)) {
            char words[160];
            last_words(s, words, sizeof words);
            return error_set(err, STATUS_IO, 0, "redis-server ended at its start: %s", words);
        }
        enum status status = ping(s);
        uint64_t now_ms = timestamp_monotonic_ms();
        if (!status)
            return STATUS_OK;
        if (status == STATUS_AGAIN)
            heard_ms = now_ms;
        if (is_stopping(s, 0))
            return error_set(err, STATUS_CLOSED, 0, "stopped while redis-server started");
        if (now_ms - heard_ms > DEAF_MS)
            return error_set(err, STATUS_TIMEOUT, 0, "redis-server does not answer");
    }
}

static void kill_server(struct redis_server *s)
{
    if (s->pid <= 0)
        return;
    (void)kill(s->pid, SIGKILL);
    (void)has_ended(s, STOP_MS);
}

static enum status launch(struct redis_server *s, struct error *err)
{
    enum status status = spawn(s, err);
    if (!status)
        status = wait_ready(s, err);
    if (status)
        kill_server(s);
    atomic_store_explicit(&s->is_up, status == STATUS_OK, memory_order_relaxed);
    return status;
}

/* ---- the thread ---- */

/* Until it dies, goes deaf, or we are to stop. */
static void guard(struct redis_server *s)
{
    uint64_t heard_ms = timestamp_monotonic_ms();
    for (;;) {
        struct pollfd p[] = {{.fd = s->pid_fd, .events = POLLIN},
                             {.fd = s->stop_fd, .events = POLLIN}};
        (void)poll(p, 2, PING_MS);
        if (p[1].revents)
            return;
        if (p[0].revents) {
            reap(s);
            atomic_fetch_add_explicit(&s->deaths, 1, memory_order_relaxed);
            log_line(LOG_WARNING, "redis-server died: it is started anew, effects wait meanwhile");
            return;
        }
        uint64_t now_ms = timestamp_monotonic_ms();
        enum status status = ping(s);
        if (!status || status == STATUS_AGAIN)
            heard_ms = now_ms;
        if (now_ms - heard_ms < DEAF_MS)
            continue;
        atomic_fetch_add_explicit(&s->deaf, 1, memory_order_relaxed);
        log_line(LOG_WARNING, "redis-server gave no answer for 10 s: killed, it is started anew");
        kill_server(s);
        return;
    }
}

static void *watch(void *context)
{
    struct redis_server *s = context;
    sigset_t all;
    sigfillset(&all);
    (void)pthread_sigmask(SIG_BLOCK, &all, NULL);
    s->first = launch(s, &s->first_error);
    bool is_first_ok = s->first == STATUS_OK;
    (void)eventfd_write(s->ready_fd, 1);
    if (!is_first_ok)
        return NULL;
    while (!is_stopping(s, 0)) {
        struct error err = {0};
        uint64_t started_ms = timestamp_monotonic_ms();
        if (s->pid > 0)
            guard(s);
        if (timestamp_monotonic_ms() - started_ms > CALM_MS)
            s->backoff_ms = FIRST_BACKOFF_MS;
        if (is_stopping(s, s->pid > 0 ? 0 : s->backoff_ms))
            break;
        s->backoff_ms = s->backoff_ms * 2 > MAX_BACKOFF_MS ? MAX_BACKOFF_MS : s->backoff_ms * 2;
        if (launch(s, &err) == STATUS_OK)
            log_line(LOG_INFO, "redis-server runs again starts=%llu",
                     (unsigned long long)atomic_load_explicit(&s->starts, memory_order_relaxed));
        else
            log_line(LOG_ERROR, "%s", err.text);
    }
    return NULL;
}

/* ---- life ---- */

static void ask_to_end(struct redis_server *s)
{
    AUTO(redis) r = NULL;
    if (redis_open(s->folder.socket, NULL, PING_MS, &r, NULL) != STATUS_OK)
        return;
    struct arena arena;
    arena_init(&arena, 1 << 16);
    struct reply reply = {0};
    const struct text args[] = {TEXT("SHUTDOWN")};
    /* No answer is the good one: the socket closes. */
    (void)!redis_call(r, args, 1, &arena, &reply, NULL);
    arena_fini(&arena);
}

static void end_server(struct redis_server *s)
{
    if (s->pid <= 0)
        return;
    ask_to_end(s);
    if (has_ended(s, STOP_MS))
        return;
    (void)kill(s->pid, SIGTERM);
    if (!has_ended(s, STOP_MS))
        kill_server(s);
}

void redis_server_stop(struct redis_server *s)
{
    if (!s)
        return;
    if (s->has_thread) {
        (void)eventfd_write(s->stop_fd, 1);
        pthread_join(s->thread, NULL);
    }
    close_fd(&s->stop_fd);
    close_fd(&s->ready_fd);
    redis_folder_close(&s->folder);
    free(s);
}

/* The server dies with the thread that forked it, so that thread also ends it. */
static void *watch_and_end(void *context)
{
    watch(context);
    end_server(context);
    return NULL;
}

static enum status begin(struct redis_server *s, struct error *err)
{
    s->stop_fd = eventfd(0, EFD_CLOEXEC);
    s->ready_fd = eventfd(0, EFD_CLOEXEC);
    if (s->stop_fd < 0 || s->ready_fd < 0)
        return error_set(err, STATUS_IO, 0, "no eventfd: %s", reason());
    if (pthread_create(&s->thread, NULL, watch_and_end, s))
        return error_set(err, STATUS_IO, 0, "no thread for redis-server");
    s->has_thread = true;
    eventfd_t value;
    while (eventfd_read(s->ready_fd, &value) && errno == EINTR)
        continue;
    if (s->first != STATUS_OK && err)
        *err = s->first_error;
    return s->first;
}

enum status redis_server_start(const char *dir, struct redis_server **out, struct error *err)
{
    AUTO(redis_server) s = calloc(1, sizeof *s);
    if (!s)
        return error_set(err, STATUS_NOMEM, 0, "no memory for redis-server");
    s->folder.owner_fd = s->folder.lock_fd = s->stop_fd = s->ready_fd = s->pid_fd = -1;
    s->backoff_ms = FIRST_BACKOFF_MS;
    enum status status = redis_folder_open(&s->folder, dir, err);
    if (!status)
        status = begin(s, err);
    if (status)
        return status;
    *out = MOVE(s);
    return STATUS_OK;
}

void redis_server_metrics(const struct redis_server *s, metric_fn tell, void *context)
{
    const struct metric all[] = {
        {"redis_up", "Whether the private redis-server answers (1) or is being started (0)", NULL,
         METRIC_GAUGE, atomic_load_explicit(&s->is_up, memory_order_relaxed) ? 1 : 0},
        {"redis_starts_total", "Times the private redis-server was started", NULL, METRIC_COUNTER,
         (double)atomic_load_explicit(&s->starts, memory_order_relaxed)},
        {"redis_deaths_total", "Times the private redis-server died by itself", NULL,
         METRIC_COUNTER, (double)atomic_load_explicit(&s->deaths, memory_order_relaxed)},
        {"redis_deaf_total", "Times the private redis-server was killed because it did not answer",
         NULL, METRIC_COUNTER, (double)atomic_load_explicit(&s->deaf, memory_order_relaxed)},
    };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        tell(context, &all[i]);
}
