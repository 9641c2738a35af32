/* SPDX-License-Identifier: Apache-2.0 */
#include "app/command.h"
#include "app/config.h"
#include "app/http.h"
#include "app/subcommands.h"
#include "base/path.h"
#include "base/printable.h"
#include "base/timestamp.h"
#include "base/wall_clock.h"
#include "ingest/ingest.h"
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <unistd.h>

static const char usage[] =
    "Usage: tocsin doctor [--config FILE] [--data DIR] [--url URL]\n\n"
    "Looks at what the program stands on, and says what to do about each: disk, memory, limits,\n"
    "clock, the record's durability, buffers, certificates' ends; and of the running program\n"
    "whether it is ready, which rules are loud and which hosts fell silent.\n"
    "Exit status 1: something needs to be done.";

#define DAY_US      INT64_C(86400000000)
#define LONG_AGO_US (6 * INT64_C(3600000000))

enum { LOUD_SHOWN = 5, SILENT_SHOWN = 10, LEAST_FILES = 4096, CERTIFICATE_DAYS = 30 };

struct doctor {
    struct config *config;
    struct http_target target;
    uint32_t troubles;
};

static void good(const char *what, const char *how)
{
    printable_print(stdout, "ok      %-12s %s\n", what, how);
}

__attribute__((format(printf, 4, 5))) static void bad(struct doctor *d, const char *what,
                                                      const char *todo, const char *format, ...)
{
    struct buffer line;
    va_list args;
    va_start(args, format);
    buffer_init(&line, 1 << 16);
    printable_vformat(&line, format, args);
    va_end(args);
    printable_print(stdout, "TO DO   %-12s %.*s\n        %-12s %s\n", what, (int)line.len, line.at,
                    "", todo);
    buffer_fini(&line);
    d->troubles++;
}

static unsigned long long mib(uint64_t bytes)
{
    return (unsigned long long)(bytes >> 20);
}

/* ---- the machine ---- */

static void look_at_disk(struct doctor *d)
{
    struct statvfs fs;
    char how[160];
    const char *folder = d->config->data.at;
    const struct config_journal *j = &d->config->journal;
    if (statvfs(folder, &fs) != 0) {
        bad(d, "data", "the first `tocsin run` makes it; or name it with --data", "%s: %s", folder,
            strerrordesc_np(errno));
        return;
    }
    uint64_t available = (uint64_t)fs.f_bavail * fs.f_frsize;
    uint64_t all = (uint64_t)fs.f_blocks * fs.f_frsize;
    if (access(folder, W_OK) != 0)
        bad(d, "data", "run as its owner, or name another with --data", "%s may not be written",
            folder);
    if (available < 2 * j->reserve_bytes)
        bad(d, "disk", "free space, or lower journal.size or journal.reserve",
            "%llu MiB are free, and %llu stay reserved for the record", mib(available),
            mib(j->reserve_bytes));
    else if (j->size_bytes > all)
        bad(d, "disk", "lower journal.size: retention by size comes too late",
            "the journal may grow to %llu MiB, the disk has %llu", mib(j->size_bytes), mib(all));
    else {
        (void)snprintf(how, sizeof how, "%llu MiB free in %.100s", mib(available), folder);
        good("disk", how);
    }
}

static void look_at_memory(struct doctor *d)
{
    char how[100];
    long pages = sysconf(_SC_PHYS_PAGES);
    long size = sysconf(_SC_PAGESIZE);
    uint64_t all = pages > 0 && size > 0 ? (uint64_t)pages * (uint64_t)size : 0;
    uint64_t windows = d->config->correlation.memory_bytes;
    if (all && windows > all / 2)
        bad(d, "memory", "lower correlation.memory: Redis takes up to a quarter besides",
            "windows may take %llu MiB of %llu", mib(windows), mib(all));
    else {
        (void)snprintf(how, sizeof how, "%llu MiB, of which windows may take %llu", mib(all),
                       mib(windows));
        good("memory", how);
    }
}

static void look_at_limits(struct doctor *d)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < LEAST_FILES)
        bad(d, "files", "LimitNOFILE=65536 in the unit, or ulimit -n 65536",
            "only %llu files may be open at once", (unsigned long long)files.rlim_cur);
    else
        good("files", "enough may be open at once");
}

static void look_at_clock(struct doctor *d)
{
    struct timex clock = {0};
    int state = adjtimex(&clock);
    if (state < 0 || (clock.status & STA_UNSYNC))
        bad(d, "clock", "run chrony or systemd-timesyncd: clock offsets of hosts are told by it",
            "nothing keeps this machine's clock right");
    else
        good("clock", "kept in step");
}

static uint64_t number_in(const char *path)
{
    char text[64] = "";
    FILE *f = fopen(path, "re");
    if (!f)
        return 0;
    size_t got = fread(text, 1, sizeof text - 1, f);
    (void)fclose(f);
    text[got] = '\0';
    return strtoull(text, NULL, 10);
}

static bool has_udp(const struct config *c)
{
    for (uint32_t i = 0; c->sources && i < c->sources->count; i++)
        if (yaml_get(c->sources->items[i], TEXT("syslog_udp")))
            return true;
    return !c->sources;
}

static void look_at_buffers(struct doctor *d)
{
    uint64_t most = number_in("/proc/sys/net/core/rmem_max");
    if (has_udp(d->config) && most && most < (uint64_t)8 << 20 && geteuid() != 0)
        bad(d, "udp buffer", "sysctl net.core.rmem_max=33554432, or CAP_NET_ADMIN for the service",
            "the kernel gives a UDP socket at most %llu KiB", (unsigned long long)(most >> 10));
    else
        good("udp buffer", "large enough for a second of flood");
}

/* ---- the configuration ---- */

static void look_at_certificate(struct doctor *d, struct text path)
{
    char how[PATH_ROOM + 80];
    int64_t end_us = source_certificate_end(path.at);
    int64_t days = (end_us - wall_clock_us()) / DAY_US;
    if (end_us == TIMESTAMP_NONE)
        bad(d, "certificate", "give a PEM file that this user may read", "%s cannot be read",
            path.at);
    else if (days < CERTIFICATE_DAYS)
        bad(d, "certificate", "renew it; the new file is taken at the next connection",
            "%s ends in %lld days", path.at, (long long)days);
    else {
        (void)snprintf(how, sizeof how, "%s, good for %" PRId64 " days", path.at, days);
        good("certificate", how);
    }
}

static void look_at_certificates(struct doctor *d)
{
    const struct yaml_node *sources = d->config->sources;
    for (uint32_t i = 0; sources && i < sources->count; i++) {
        const struct yaml_node *one = sources->items[i];
        for (uint32_t j = 0; one->kind == YAML_MAPPING && j < one->count; j++) {
            const struct yaml_node *path = yaml_get(one->pairs[j].value, TEXT("certificate"));
            if (path && path->value.len)
                look_at_certificate(d, path->value);
        }
    }
    const struct yaml_node *webhooks = d->config->webhooks;
    const struct yaml_node *path = webhooks ? yaml_get(webhooks, TEXT("certificate")) : NULL;
    if (path && path->value.len)
        look_at_certificate(d, path->value);
}

static void look_at_record(struct doctor *d)
{
    if (!d->config->redis.url.len)
        good("record", "a private redis-server, appendfsync always");
    else
        bad(d, "record",
            "redis-cli CONFIG GET appendfsync: anything but `always` may lose what was "
            "acknowledged",
            "kept at %s, whose durability this program does not set", d->config->redis.url.at);
}

/* ---- the running program ---- */

static json_t *ask(struct doctor *d, const char *path, int *out_status)
{
    struct error err = {0};
    struct buffer answer;
    buffer_init(&answer, 64 << 20);
    *out_status = 0;
    json_t *root = NULL;
    if (http_call(&d->target, path, NULL, &answer, out_status, &err) == STATUS_OK)
        root = json_loadb(answer.at ? answer.at : "", answer.len, 0, NULL);
    buffer_fini(&answer);
    return root;
}

static const char *member(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text ? text : "-";
}

/* False: nobody answers. */
static bool look_at_readiness(struct doctor *d)
{
    int status = 0;
    json_t *root = ask(d, "/readyz", &status);
    if (!status)
        bad(d, "program", "tocsin run, or systemctl start tocsin; --url says where it is",
            "nothing answers");
    else if (status != 200)
        bad(d, "program", "/readyz says why, the log when it began", "it is not ready: %s",
            root && json_is_object(root) ? member(root, "why") : "see its log");
    else
        good("program", "runs and is ready");
    json_decref(root);
    return status != 0;
}

static int by_hits(const void *a, const void *b)
{
    const json_t *x = *(json_t *const *)a;
    const json_t *y = *(json_t *const *)b;
    double p = json_number_value(json_object_get(x, "matched"));
    double q = json_number_value(json_object_get(y, "matched"));
    return p > q ? -1 : p < q;
}

static void look_at_rules(struct doctor *d)
{
    int status = 0;
    json_t *root = ask(d, "/api/v1/rules", &status);
    json_t *list = json_object_get(root, "rules");
    size_t count = json_array_size(list);
    json_t **sorted = calloc(count + 1, sizeof(json_t *));
    for (size_t i = 0; sorted && i < count; i++)
        sorted[i] = json_array_get(list, i);
    if (sorted)
        qsort(sorted, count, sizeof *sorted, by_hits);
    for (size_t i = 0; sorted && i < count && i < LOUD_SHOWN; i++) {
        double hits = json_number_value(json_object_get(sorted[i], "matched"));
        if (hits < 1)
            break;
        if (!i)
            printable_print(stdout, "\nThe loudest rules since the start (overrides.yml quiets "
                                    "one; tocsin help overrides)\n");
        printable_print(stdout, "  %10.0f  %s\n", hits, member(sorted[i], "title"));
    }
    free(sorted);
    json_decref(root);
}

static void look_at_hosts(struct doctor *d)
{
    int status = 0;
    size_t i = 0;
    uint32_t silent = 0;
    json_t *one = NULL;
    json_t *root = ask(d, "/api/v1/sources", &status);
    int64_t now_us = wall_clock_us();
    json_array_foreach(json_object_get(root, "hosts"), i, one)
    {
        int64_t seen_us = 0;
        if (!timestamp_parse(text_of(member(one, "last_seen")), 0, &seen_us, NULL) ||
            now_us - seen_us < LONG_AGO_US || ++silent > SILENT_SHOWN)
            continue;
        if (silent == 1)
            printable_print(stdout, "\nSilent for hours: is the sender still running?\n");
        printable_print(stdout, "  %-30s last seen %.19s\n", member(one, "host"),
                        member(one, "last_seen"));
    }
    if (silent > SILENT_SHOWN)
        printable_print(stdout, "  and %u more: tocsin sources\n", silent - SILENT_SHOWN);
    json_decref(root);
}

int doctor_main(int argc, char **argv)
{
    enum { ROOM = 16 };
    struct doctor d = {0};
    struct error err = {0};
    const char *path = NULL;
    const char *data = NULL;
    const char *rest[ROOM];
    uint32_t count = 0;
    const struct command_flag flags[] = {
        {"config", FLAG_TEXT, &path, "FILE", "tocsin.yml; without it, the defaults"},
        {"data", FLAG_TEXT, &data, "DIR", "the data folder"},
        {"url", FLAG_TEXT, &d.target.url, "URL", "where the program's API is"},
        {"key-file", FLAG_TEXT, &d.target.key_file, "FILE", "holds the API key ($TOCSIN_KEY)"},
    };
    if (argc >= ROOM)
        return COMMAND_USAGE;
    enum status status = command_flags(argc, argv, usage, flags, 4, rest, &count);
    if (!status && count)
        command_say("doctor: '%s' is not an option; see tocsin doctor --help", rest[0]);
    if (status || count)
        return status == STATUS_AGAIN ? COMMAND_DONE : COMMAND_USAGE;
    if (config_load(path, data, &d.config, &err)) {
        command_say("%s", err.text);
        return COMMAND_USAGE;
    }
    char url[256];
    (void)snprintf(url, sizeof url, "http://%.200s", d.config->http.listen.at);
    if (path && !d.target.url) /* where that configuration puts it */
        d.target.url = url;
    look_at_disk(&d);
    look_at_memory(&d);
    look_at_limits(&d);
    look_at_clock(&d);
    look_at_buffers(&d);
    look_at_record(&d);
    look_at_certificates(&d);
    if (look_at_readiness(&d)) {
        look_at_rules(&d);
        look_at_hosts(&d);
    }
    config_free(d.config);
    return d.troubles ? COMMAND_NO : COMMAND_DONE;
}
