/* SPDX-License-Identifier: Apache-2.0 */
#include "base/timestamp.h"
#include "ingest/ingest.h"
#include "journal/journal.h"
#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * Receiving syslog: our doors, with and without the journal and the parser behind them, beside
 * rsyslogd and syslog-ng, which write the same stream to a file. One JSON line a case: rate, CPU
 * seconds of the receiver per million messages, and three counts that must agree: sent, dropped by
 * the kernel, arrived.
 *
 *   bench_receive [--quick] [MESSAGES]     RSYSLOGD, RSYSLOG_MODULES: an rsyslogd elsewhere
 *   bench_receive --send udp|tcp PORT MESSAGES [RATE]     only the sender, against any receiver
 *
 * The sender is a process of its own (sendmmsg for UDP, 64 KiB writes for TCP), so the receiver's
 * CPU is its own process's. 300-byte messages, as the goals name them.
 */

enum { MESSAGE = 300, BURST = 64, POOL = 96, QUIET_MS = 1500 };

/* ---- the sender ---- */

struct load {
    uint16_t port;
    bool is_udp;
    int connections;
    uint64_t count; /* messages in all */
    uint64_t rate;  /* a second; 0: as fast as it goes */
};

static void fill(char *at, uint64_t number)
{
    int n = snprintf(at, MESSAGE,
                     "<38>Feb  5 10:00:00 web%02u sshd[%06u]: Failed password for "
                     "invalid user admin from 192.0.2.%u port %05u ssh2 ",
                     (unsigned)(number % 50), (unsigned)(number % 1000000),
                     (unsigned)(number % 250), (unsigned)(number % 60000));
    memset(at + n, 'x', (size_t)(MESSAGE - 1 - n));
    at[MESSAGE - 1] = '\n';
}

static void wait_until(uint64_t start_ns, uint64_t sent, uint64_t rate)
{
    if (!rate)
        return;
    uint64_t due_ns = start_ns + sent * 1000000000 / rate;
    uint64_t now_ns = timestamp_monotonic_ns();
    if (due_ns <= now_ns)
        return;
    const struct timespec pause = {(time_t)((due_ns - now_ns) / 1000000000),
                                   (long)((due_ns - now_ns) % 1000000000)};
    (void)nanosleep(&pause, NULL);
}

static void send_datagrams(const struct load *l, int fd, const char *bytes)
{
    struct mmsghdr messages[BURST];
    struct iovec views[BURST];
    uint64_t start_ns = timestamp_monotonic_ns();
    memset(messages, 0, sizeof messages);
    for (size_t i = 0; i < BURST; i++) {
        union {
            const char *in;
            void *out;
        } at = {.in = bytes + i * MESSAGE}; /* iovec has no const */
        views[i] = (struct iovec){at.out, MESSAGE - 1};
        messages[i].msg_hdr.msg_iov = &views[i];
        messages[i].msg_hdr.msg_iovlen = 1;
    }
    for (uint64_t sent = 0; sent < l->count;) {
        unsigned want = l->count - sent < BURST ? (unsigned)(l->count - sent) : BURST;
        wait_until(start_ns, sent, l->rate);
        int n = sendmmsg(fd, messages, want, 0);
        if (n > 0)
            sent += (uint64_t)n;
        else if (errno != EAGAIN && errno != ENOBUFS)
            _exit(1);
    }
}

static void send_stream(int fd, const char *bytes, uint64_t count)
{
    size_t left = (size_t)count * MESSAGE;
    size_t block = (size_t)BURST * 4 * MESSAGE;
    for (size_t at = 0; left;) {
        size_t want = block - at < left ? block - at : left;
        ssize_t n = write(fd, bytes + at, want);
        if (n <= 0)
            _exit(1);
        left -= (size_t)n;
        at = (at + (size_t)n) % block;
    }
}

static int connect_to(const struct load *l)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons(l->port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, (l->is_udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (const struct sockaddr *)&to, sizeof to) != 0)
        return -1;
    return fd;
}

/* The whole load, one process for each connection; returns when all were sent. */
static void send_all(const struct load *l)
{
    static const size_t block = (size_t)BURST * 4 * MESSAGE;
    char *bytes = malloc(block);
    assert(bytes);
    for (uint64_t i = 0; i < BURST * 4; i++)
        fill(bytes + i * MESSAGE, i);
    for (int i = 0; i < l->connections; i++) {
        if (fork() != 0)
            continue;
        struct load part = *l;
        part.count = l->count / (uint64_t)l->connections;
        int fd = connect_to(&part);
        if (fd < 0)
            _exit(1);
        if (l->is_udp)
            send_datagrams(&part, fd, bytes);
        else
            send_stream(fd, bytes, part.count);
        _exit(close(fd) != 0);
    }
    for (int i = 0; i < l->connections; i++) {
        int status = 0;
        if (wait(&status) < 0 || status != 0)
            (void)fprintf(stderr, "the sender failed\n");
    }
    free(bytes);
}

/* Sends from a process of its own, so that the caller can watch. */
static pid_t start_load(const struct load *l)
{
    pid_t child = fork();
    if (child == 0) {
        send_all(l);
        _exit(0);
    }
    return child;
}

/* ---- what a case gives ---- */

struct result {
    uint64_t sent, dropped, arrived;
    double seconds, cpu_seconds;
};

static double cpu_of(const struct rusage *u)
{
    return (double)(u->ru_utime.tv_sec + u->ru_stime.tv_sec) +
           (double)(u->ru_utime.tv_usec + u->ru_stime.tv_usec) / 1e6;
}

static void print(const char *receiver, const char *what, const struct load *l,
                  const struct result *r)
{
    (void)printf("{\"bench\":\"receive\",\"receiver\":\"%s\",\"case\":\"%s\",\"connections\":%d,"
                 "\"rate_limit\":%llu,\"sent\":%llu,\"kernel_drops\":%llu,\"arrived\":%llu,"
                 "\"per_second\":%.0f,\"mb_per_second\":%.1f,\"cpu_s_per_million\":%.3f}\n",
                 receiver, what, l->connections, (unsigned long long)l->rate,
                 (unsigned long long)r->sent, (unsigned long long)r->dropped,
                 (unsigned long long)r->arrived, (double)r->arrived / r->seconds,
                 (double)r->arrived * MESSAGE / r->seconds / 1e6,
                 r->cpu_seconds * 1e6 / (double)(r->arrived ? r->arrived : 1));
    (void)fflush(stdout);
}

/* ---- ours ---- */

enum behind { BEHIND_NOTHING, BEHIND_PARSER, BEHIND_JOURNAL };

struct ours {
    struct mailbox pool, inbox;
    enum behind behind;
    struct journal *journal;
    struct parser *parser;
    _Atomic uint64_t arrived;
    uint64_t checksum;
    pthread_t thread;
};

static struct batch *take(void *context, uint64_t timeout_ms)
{
    struct ours *o = context;
    struct mail *mail = mailbox_take(&o->pool, timeout_ms);
    return mail ? CONTAINER_OF(mail, struct batch, mail) : NULL;
}

static enum status put(void *context, struct batch *b)
{
    struct ours *o = context;
    return mailbox_send(b->count ? &o->inbox : &o->pool, &b->mail);
}

static void parse(struct ours *o, struct batch *b, struct event *e)
{
    for (uint32_t i = 0; i < b->count; i++) {
        parser_read(o->parser, &b->records[i], &b->arena, e);
        o->checksum += e->message.len + (uint64_t)e->severity;
    }
}

static void *work(void *context)
{
    struct ours *o = context;
    struct event e = {0};
    uint64_t synced_ms = timestamp_monotonic_ms();
    for (;;) {
        struct mail *mail = mailbox_wait(&o->inbox, 5);
        if (!mail && mailbox_is_closed(&o->inbox))
            break;
        while (mail) {
            struct batch *b = CONTAINER_OF(mail, struct batch, mail);
            mail = mail->next;
            if (o->journal && journal_append(o->journal, b, NULL) != STATUS_OK)
                abort();
            if (o->behind != BEHIND_NOTHING)
                parse(o, b, &e);
            (void)atomic_fetch_add(&o->arrived, b->count);
            batch_reset(b);
            if (mailbox_send(&o->pool, &b->mail) != STATUS_OK)
                batch_free(b);
        }
        uint64_t now_ms = timestamp_monotonic_ms();
        if (o->journal && now_ms - synced_ms >= 5) {
            synced_ms = now_ms;
            if (journal_sync(o->journal, NULL) != STATUS_OK)
                abort();
        }
    }
    event_fini(&e);
    return NULL;
}

static void start_ours(struct ours *o, enum behind behind, const char *dir)
{
    *o = (struct ours){.behind = behind};
    assert(mailbox_init(&o->pool, SIZE_MAX, NULL, NULL) == STATUS_OK);
    assert(mailbox_init(&o->inbox, SIZE_MAX, NULL, NULL) == STATUS_OK);
    for (int i = 0; i < POOL; i++) {
        struct batch *b = batch_new();
        assert(b && mailbox_send(&o->pool, &b->mail) == STATUS_OK);
    }
    const struct parser_options parsing = {.format = FORMAT_SYSLOG};
    assert(parser_new(&parsing, &o->parser, NULL) == STATUS_OK);
    const struct journal_options options = {.dir = dir, .segment_bytes = 256 << 20};
    if (behind == BEHIND_JOURNAL)
        assert(journal_open(&options, &o->journal, NULL) == STATUS_OK);
    assert(pthread_create(&o->thread, NULL, work, o) == 0);
}

static void stop_ours(struct ours *o)
{
    mailbox_close(&o->inbox);
    (void)pthread_join(o->thread, NULL);
    for (struct mail *m = mailbox_take_all(&o->pool), *next; m; m = next) {
        next = m->next;
        batch_free(CONTAINER_OF(m, struct batch, mail));
    }
    mailbox_fini(&o->pool);
    mailbox_fini(&o->inbox);
    parser_free(o->parser);
    journal_close(o->journal);
}

struct total {
    const char *name, *label;
    double value;
};

static void add(void *context, const struct metric *m)
{
    struct total *t = context;
    if (strcmp(m->name, t->name) == 0 && (!t->label || strstr(m->labels, t->label)))
        t->value += m->value;
}

static uint64_t total_of(const struct source *s, const char *name, const char *label)
{
    struct total t = {name, label, 0};
    source_metrics(s, add, &t);
    return (uint64_t)t.value;
}

static uint16_t port_of(const char *address)
{
    return (uint16_t)strtoul(strrchr(address, ':') + 1, NULL, 10);
}

static struct source *open_door(struct ours *o, bool is_udp)
{
    struct arena arena;
    struct yaml_file file;
    struct source *s = NULL;
    const struct intake intake = {.context = o, .take = take, .put = put};
    arena_init(&arena, 1 << 16);
    assert(yaml_parse(is_udp ? TEXT("syslog_udp: {listen: '127.0.0.1:0', durability: none}")
                             : TEXT("syslog_tcp: {listen: '127.0.0.1:0', durability: none}"),
                      &arena, &file, NULL) == STATUS_OK);
    assert(source_open(file.documents[0], 0, &intake, &s, NULL) == STATUS_OK);
    assert(source_start(s, NULL) == STATUS_OK);
    arena_fini(&arena);
    return s;
}

static void pause_ms(int ms)
{
    struct pollfd nothing = {.fd = -1};
    (void)poll(&nothing, 1, ms);
}

static void run_ours(enum behind behind, struct load l, const char *dir)
{
    static const char *const names[] = {"tocsin, no journal, no parser", "tocsin, parser",
                                        "tocsin, journal batch and parser"};
    struct ours o;
    struct result r = {.sent = l.count};
    struct rusage before, after;
    start_ours(&o, behind, dir);
    struct source *s = open_door(&o, l.is_udp);
    l.port = port_of(source_address(s));
    (void)getrusage(RUSAGE_SELF, &before);
    uint64_t start_ns = timestamp_monotonic_ns();
    pid_t sender = start_load(&l);
    uint64_t last_ns = start_ns;
    uint64_t quiet_ns = start_ns;
    uint64_t now_ns = start_ns;
    while (r.arrived + r.dropped < l.count && now_ns - quiet_ns < QUIET_MS * UINT64_C(1000000)) {
        pause_ms(1);
        now_ns = timestamp_monotonic_ns();
        uint64_t arrived = atomic_load(&o.arrived);
        if (arrived != r.arrived)
            quiet_ns = last_ns = now_ns;
        r.arrived = arrived;
        r.dropped = total_of(s, "source_dropped_total", "kernel");
    }
    (void)getrusage(RUSAGE_SELF, &after);
    (void)waitpid(sender, NULL, 0);
    source_stop(s);
    r.seconds = (double)(last_ns - start_ns) / 1e9;
    r.cpu_seconds = cpu_of(&after) - cpu_of(&before);
    print(names[behind], l.is_udp ? "udp" : "tcp", &l, &r);
    if (total_of(s, "source_received_total", NULL) !=
        total_of(s, "source_put_total", NULL) + total_of(s, "source_dropped_total", NULL))
        (void)fprintf(stderr, "received is not put and dropped\n");
    source_close(s);
    stop_ours(&o);
}

/* ---- the others ---- */

static uint16_t free_port(int type)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    int fd = socket(AF_INET, type, 0);
    assert(fd >= 0 && bind(fd, (const struct sockaddr *)&at, sizeof at) == 0);
    assert(getsockname(fd, (struct sockaddr *)&at, &len) == 0);
    (void)close(fd);
    return ntohs(at.sin_port);
}

static void write_file(const char *dir, const char *name, const char *text)
{
    char path[256];
    (void)snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = fopen(path, "we");
    assert(f && fputs(text, f) >= 0 && fclose(f) == 0);
}

static pid_t start_program(const char *dir, char *const arguments[])
{
    pid_t child = fork();
    if (child)
        return child;
    char path[256];
    (void)snprintf(path, sizeof path, "%s/log", dir);
    int fd = open(path, O_CREAT | O_WRONLY | O_TRUNC, 0600);
    (void)dup2(fd, 1);
    (void)dup2(fd, 2);
    (void)execvp(arguments[0], arguments);
    _exit(127);
}

static pid_t start_rsyslogd(const char *dir, const struct load *l)
{
    char config[2048], path[256], pid[256], modules[256];
    const char *binary = getenv("RSYSLOGD");
    const char *where = getenv("RSYSLOG_MODULES");
    (void)snprintf(
        config, sizeof config,
        "global(workDirectory=\"%s\")\n"
        "module(load=\"im%s\")\n"
        "input(type=\"im%s\" address=\"127.0.0.1\" port=\"%u\"%s)\n"
        "template(name=\"raw\" type=\"string\" string=\"%%rawmsg%%\\n\")\n"
        "main_queue(queue.type=\"FixedArray\" queue.size=\"500000\" "
        "queue.dequeuebatchsize=\"4096\")\n"
        "action(type=\"omfile\" file=\"%s/out\" template=\"raw\" ioBufferSize=\"256k\")\n",
        dir, l->is_udp ? "udp" : "tcp", l->is_udp ? "udp" : "tcp", l->port,
        l->is_udp ? " rcvbufSize=\"32m\"" : "", dir);
    write_file(dir, "conf", config);
    (void)snprintf(path, sizeof path, "%s/conf", dir);
    (void)snprintf(pid, sizeof pid, "%s/pid", dir);
    (void)snprintf(modules, sizeof modules, "%s",
                   where ? where : "/usr/lib/x86_64-linux-gnu/rsyslog");
    char name[256];
    (void)snprintf(name, sizeof name, "%s", binary ? binary : "rsyslogd");
    char *arguments[] = {name, (char[]){"-n"}, (char[]){"-f"}, path, (char[]){"-i"},
                         pid,  (char[]){"-M"}, modules,        NULL};
    return start_program(dir, arguments);
}

static pid_t start_syslog_ng(const char *dir, const struct load *l)
{
    char config[2048], paths[4][256];
    (void)snprintf(config, sizeof config,
                   "@version: 3.38\n"
                   "options { stats-freq(0); use-dns(no); keep-hostname(yes); };\n"
                   "source s { network(ip(\"127.0.0.1\") port(%u) transport(\"%s\") "
                   "max-connections(64) log-iw-size(200000) log-fetch-limit(2000) so-rcvbuf(%s)); "
                   "};\n"
                   "destination d { file(\"%s/out\" log-fifo-size(500000)); };\n"
                   "log { source(s); destination(d); flags(flow-control); };\n",
                   l->port, l->is_udp ? "udp" : "tcp", l->is_udp ? "33554432" : "4194304", dir);
    write_file(dir, "conf", config);
    static const char *const names[] = {"conf", "persist", "pid", "control"};
    for (size_t i = 0; i < 4; i++)
        (void)snprintf(paths[i], sizeof paths[i], "%s/%s", dir, names[i]);
    char *arguments[] = {(char[]){"syslog-ng"},
                         (char[]){"-F"},
                         (char[]){"--no-caps"},
                         (char[]){"-f"},
                         paths[0],
                         (char[]){"-R"},
                         paths[1],
                         (char[]){"-p"},
                         paths[2],
                         (char[]){"-c"},
                         paths[3],
                         NULL};
    return start_program(dir, arguments);
}

/* Lines in the file so far: read on from where the last call stopped. */
static uint64_t count_lines(int fd, char *bytes, size_t size)
{
    uint64_t lines = 0;
    for (ssize_t n = read(fd, bytes, size); n > 0; n = read(fd, bytes, size))
        for (const char *at = bytes; (at = memchr(at, '\n', (size_t)(bytes + n - at))); at++)
            lines++;
    return lines;
}

/* True once it takes connections, or for UDP once its socket is there; false when it ended. */
static bool is_up(pid_t child, const struct load *l)
{
    for (int i = 0; i < 100; i++) {
        int status = 0;
        if (waitpid(child, &status, WNOHANG) == child)
            return false;
        pause_ms(50);
        int fd = connect_to(l);
        if (l->is_udp && fd >= 0) { /* a closed port answers the first datagram with an error */
            (void)send(fd, "", 0, 0);
            pause_ms(5);
            bool is_open = send(fd, "", 0, 0) == 0;
            (void)close(fd);
            if (is_open && i > 5)
                return true;
        } else if (fd >= 0) {
            (void)close(fd);
            return true;
        }
    }
    return false;
}

/* The kernel's own count for the socket bound to the port, as for us. */
static uint64_t drops_at(uint16_t port)
{
    char line[512], want[16];
    uint64_t drops = 0;
    FILE *f = fopen("/proc/net/udp", "re");
    (void)snprintf(want, sizeof want, ":%04X ", port);
    while (f && fgets(line, sizeof line, f)) {
        const char *at = strstr(line, want);
        if (!at || at > line + 24)
            continue;
        char *tail = line + strlen(line);
        while (tail > line && (tail[-1] == '\n' || tail[-1] == ' '))
            *--tail = 0;
        drops += strtoull(strrchr(line, ' '), NULL, 10);
    }
    if (f)
        (void)fclose(f);
    return drops;
}

typedef pid_t (*start_fn)(const char *dir, const struct load *l);

static void run_other(const char *name, start_fn start, struct load l, const char *dir)
{
    char path[256];
    enum { BYTES = 1 << 20 };
    char *bytes = malloc(BYTES);
    assert(bytes);
    (void)snprintf(path, sizeof path, "%s/out", dir);
    (void)unlink(path);
    l.port = free_port(l.is_udp ? SOCK_DGRAM : SOCK_STREAM);
    pid_t child = start(dir, &l);
    if (!is_up(child, &l)) {
        (void)printf(
            "{\"bench\":\"receive\",\"receiver\":\"%s\",\"skipped\":\"not installed, or it "
            "did not start\"}\n",
            name);
        (void)kill(child, SIGKILL);
        (void)waitpid(child, NULL, 0);
        free(bytes);
        return;
    }
    struct result r = {.sent = l.count};
    uint64_t start_ns = timestamp_monotonic_ns();
    pid_t sender = start_load(&l);
    uint64_t last_ns = start_ns;
    uint64_t now_ns = start_ns;
    int fd = -1;
    while (r.arrived < l.count && now_ns - last_ns < 2 * QUIET_MS * UINT64_C(1000000)) {
        pause_ms(2);
        now_ns = timestamp_monotonic_ns();
        if (fd < 0)
            fd = open(path, O_RDONLY | O_CLOEXEC);
        uint64_t more = fd >= 0 ? count_lines(fd, bytes, BYTES) : 0;
        r.arrived += more;
        if (more)
            last_ns = now_ns;
    }
    r.dropped = l.is_udp ? drops_at(l.port) : 0;
    (void)waitpid(sender, NULL, 0);
    struct rusage usage = {0};
    (void)kill(child, SIGTERM);
    (void)wait4(child, NULL, 0, &usage);
    r.arrived += fd >= 0 ? count_lines(fd, bytes, BYTES) : 0;
    r.seconds = (double)(last_ns - start_ns) / 1e9;
    r.cpu_seconds = cpu_of(&usage);
    print(name, l.is_udp ? "udp" : "tcp", &l, &r);
    if (fd >= 0)
        (void)close(fd);
    free(bytes);
}

static void remove_dir(const char *dir)
{
    char command[256];
    (void)snprintf(command, sizeof command, "rm -rf '%s'", dir);
    if (system(command) != 0) /* NOLINT: a folder that this program made */
        (void)fprintf(stderr, "%s was left behind\n", dir);
}

static void run_case(struct load l, bool is_quick)
{
    static const enum behind all[] = {BEHIND_NOTHING, BEHIND_PARSER, BEHIND_JOURNAL};
    for (size_t i = 0; i < 3; i++) {
        char dir[] = "/var/tmp/tocsin-receive-XXXXXX";
        assert(mkdtemp(dir));
        run_ours(all[i], l, dir);
        remove_dir(dir);
    }
    if (is_quick)
        return;
    char dir[] = "/var/tmp/tocsin-receive-XXXXXX";
    assert(mkdtemp(dir));
    run_other("rsyslogd, to a file", start_rsyslogd, l, dir);
    run_other("syslog-ng, to a file", start_syslog_ng, l, dir);
    remove_dir(dir);
}

static int send_only(int argc, char **argv)
{
    if (argc < 5) {
        (void)fprintf(stderr, "want --send udp|tcp PORT MESSAGES [RATE]\n");
        return 2;
    }
    const struct load l = {.is_udp = strcmp(argv[2], "udp") == 0,
                           .connections = 1,
                           .port = (uint16_t)strtoul(argv[3], NULL, 10),
                           .count = strtoull(argv[4], NULL, 10),
                           .rate = argc > 5 ? strtoull(argv[5], NULL, 10) : 0};
    uint64_t start_ns = timestamp_monotonic_ns();
    send_all(&l);
    double seconds = (double)(timestamp_monotonic_ns() - start_ns) / 1e9;
    (void)printf("{\"bench\":\"receive\",\"case\":\"send %s\",\"sent\":%llu,\"per_second\":%.0f}\n",
                 argv[2], (unsigned long long)l.count, (double)l.count / seconds);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "--send") == 0)
        return send_only(argc, argv);
    bool is_quick = argc > 1 && strcmp(argv[1], "--quick") == 0;
    uint64_t count = is_quick ? 20000 : argc > 1 ? strtoull(argv[1], NULL, 10) : 1000000;
    run_case((struct load){.connections = 1, .count = count}, is_quick);
    run_case((struct load){.connections = 4, .count = count}, is_quick);
    static const uint64_t rates[] = {100000, 200000, 350000, 0};
    for (size_t i = 0; i < (is_quick ? 1 : 4); i++)
        run_case((struct load){.is_udp = true, .connections = 1, .count = count, .rate = rates[i]},
                 is_quick);
    return 0;
}
