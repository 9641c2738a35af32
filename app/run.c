/* SPDX-License-Identifier: Apache-2.0 */
#include "app/daemon.h"
#include "app/load.h"
#include "app/notify.h"
#include "app/signals.h"
#include "app/subcommands.h"
#include "app/verify.h"
#include "base/json_write.h"
#include "base/log.h"
#include "base/path.h"
#include "base/timestamp.h"
#include "base/zone.h"
#include "journal/journal.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static const char usage[] =
    "Usage: tocsin run [options]\n\n"
    "Reads, matches, correlates, opens incidents and tells people. Without a configuration file:\n"
    "syslog on 127.0.0.1:5514 (UDP and TCP), API on 127.0.0.1:8514, the rules that ship.\n"
    "SIGHUP reloads rules and configuration, SIGTERM drains and ends with 0. Value lists and\n"
    "overrides that changed take effect by themselves.";

enum { PENDING_EFFECTS = 200000, SINKS_STOP_MS = 5000, RESTART = -1 };

static bool reload_call(void *daemon, struct buffer *out)
{
    return reload_run(daemon, out);
}

/* ---- the record's table ---- */

static uint32_t route(void *daemon, const struct notice *n, struct text *out_destinations)
{
    struct daemon *d = daemon;
    return sinks_route(d->sinks, n, out_destinations);
}

static bool wants(void *daemon, struct text destination, enum notice_kind kind)
{
    const struct daemon *d = daemon;
    return sinks_want(d->sinks, destination, kind);
}

static uint32_t room(void *daemon, struct text destination)
{
    const struct daemon *d = daemon;
    return sinks_room(d->sinks, destination);
}

static bool fetch(void *daemon, uint64_t position, struct arena *arena, struct text *out)
{
    struct daemon *d = daemon;
    struct record record;
    if (!d->decider.evidence &&
        journal_reader_open(d->journal_dir, 0, TIMESTAMP_NONE, &d->decider.evidence, NULL))
        return false;
    if (journal_reader_fetch(d->decider.evidence, position, arena, &record))
        return false;
    *out = record.raw;
    return true;
}

static void head(void *daemon, struct incidents_head *out)
{
    const struct daemon *d = daemon;
    incidents_head(d->decider.incidents, out);
}

static struct incidents_options record_options(struct daemon *d)
{
    return (struct incidents_options){
        .socket = d->redis ? redis_server_socket(d->redis) : NULL,
        .url = d->config->redis.url.len ? d->config->redis.url.at : NULL,
        .threshold = d->config->score.threshold,
        .half_life_us = d->config->score.half_life_us,
        .entities = d->config->entities.len ? d->config->entities.at : NULL,
        .max_pending = PENDING_EFFECTS,
        .route = route,
        .wants = wants,
        .room = room,
        .fetch = fetch,
        .context = d,
    };
}

/* ---- start ---- */

static enum status make_folder(const char *path, struct error *err)
{
    char partial[PATH_ROOM];
    (void)snprintf(partial, sizeof partial, "%s", path);
    for (char *slash = strchr(partial + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        (void)mkdir(partial, 0755);
        *slash = '/';
    }
    if (mkdir(path, 0700) && errno != EEXIST)
        return error_set(err, STATUS_IO, 0,
                         "the data folder %s cannot be made: %s; say another with --data", path,
                         strerrordesc_np(errno));
    return STATUS_OK;
}

static enum status start_record(struct daemon *d, struct error *err)
{
    enum status status = STATUS_OK;
    if (!d->config->redis.url.len)
        status = redis_server_start(d->config->data.at, &d->redis, err);
    struct sinks_options sinks = {
        .sinks = d->config->sinks,
        .routes = d->config->routes,
        .data_dir = d->config->data.at,
        .settle = decider_settle,
        .context = d,
    };
    if (!status)
        status = sinks_open(&sinks, &d->sinks, err);
    struct incidents_options options = record_options(d);
    if (!status)
        status = incidents_open(&options, &d->decider.incidents, err);
    return status;
}

static struct parser_options parser_options_of(const struct config *c)
{
    struct parser_options options = {.ahead_us = c->time.ahead_us};
    (void)zone_parse(c->time.zone.at, &options.zone_s);
    return options;
}

static uint32_t by_cores(int64_t said, uint32_t most)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    if (said > 0)
        return (uint32_t)said;
    return cores < 2 ? 1 : cores / 2 > (long)most ? most : (uint32_t)(cores / 2);
}

static enum status start_pipeline(struct daemon *d, struct error *err)
{
    const struct config_correlation *c = &d->config->correlation;
    struct pipeline_options options = {
        .workers = by_cores(c->workers, 16),
        .shards = by_cores(c->shards, 4),
        .batches = 512, /* 1.2 s of 300,000 messages a second, for a disk that stalls */
        .parser = parser_options_of(d->config),
        .max_window_bytes = c->memory_bytes,
        .max_held = (uint32_t)c->held,
        .max_hosts = 20000,
        .decided = decider_decided,
        .idle = decider_idle,
        .checkpoint = checkpoint_take,
        .context = d,
    };
    enum status status = parser_new(&options.parser, &d->decider.parser, err);
    struct hash128 last = {0};
    bool has_commit = !status && checkpoint_ruleset(d, &last) == STATUS_OK;
    if (has_commit)
        d->checkpoint.ruleset = last;
    d->catch_up = has_commit ? reload_ruleset(d, last) : ruleset_ref(d->ruleset);
    if (!status)
        status = pipeline_new(&options, d->catch_up, &d->pipeline, err);
    return status;
}

/* True where the batch is a swap of rules, which stands alone in its batch. */
static bool is_swap(const struct batch *b, struct hash128 *out)
{
    return b->count == 1 && b->records[0].kind == RECORD_RULESET &&
           hash_from_hex(b->records[0].raw, out);
}

/* What the journal holds behind the last checkpoint is decided again before anything new. */
static enum status catch_up(struct daemon *d, uint64_t position, struct error *err)
{
    AUTO(journal_reader) reader = NULL;
    enum status status =
        journal_reader_open(d->journal_dir, position + 1, TIMESTAMP_NONE, &reader, err);
    uint64_t records = 0;
    while (!status) {
        struct batch *b = pipeline_take(d->pipeline, UINT64_MAX);
        status = journal_reader_next(reader, b, err);
        if (status) {
            pipeline_give_back(d->pipeline, b);
            break;
        }
        records += b->count;
        struct hash128 next;
        bool must_swap = is_swap(b, &next);
        pipeline_dispatch(d->pipeline, b);
        if (must_swap)
            pipeline_set_ruleset(d->pipeline, reload_ruleset(d, next));
    }
    if (status == STATUS_AGAIN || status == STATUS_NOTFOUND)
        status = STATUS_OK;
    if (!status && records)
        log_line(LOG_INFO, "the journal was read on from the last checkpoint records=%llu",
                 (unsigned long long)records);
    return status;
}

static enum status start_journal(struct daemon *d, struct error *err)
{
    const struct config_journal *c = &d->config->journal;
    struct journal_options options = {
        .dir = d->journal_dir,
        .max_bytes = c->size_bytes,
        .max_age_us = c->age_us,
        .segment_bytes = c->segment_bytes,
        .reserve_bytes = c->reserve_bytes,
        .is_compressed = c->is_compressed,
    };
    uint64_t position = 0;
    enum status status = checkpoint_restore(d, &position, err);
    if (!status)
        status = pipeline_start(d->pipeline, err);
    if (!status && access(d->journal_dir, F_OK) == 0)
        status = catch_up(d, position, err);
    if (!status)
        status = journal_open(&options, &d->writer.journal, err);
    if (!status)
        journal_skip_to(d->writer.journal, position + 1);
    if (!status)
        atomic_store(&d->account.epoch, journal_epoch(d->writer.journal));
    char path[PATH_ROOM];
    if (!status)
        status = repeats_open(command_path(path, sizeof path, d->config->data.at, "repeats"),
                              d->journal_dir, &d->writer.repeats, err);
    /* the writer journals the swap to today's rules before anything new is decided */
    atomic_store(&d->writer.next, ruleset_ref(d->ruleset));
    reload_settle(d);
    return status;
}

static enum status start_console(struct daemon *d, struct error *err)
{
    struct console_options options = {
        .listen = d->config->http.listen,
        .max_body_bytes = webhooks_max_body(d->inputs.webhooks),
        .record = record_options(d),
        .calls =
            {
                .context = d,
                .command = decider_command,
                .webhook = inputs_webhook,
                .admit = inputs_admit,
                .head = head,
                .metrics = overview_metrics,
                .is_ready = overview_is_ready,
                .rules = overview_rules,
                .sources = overview_sources,
                .reload = reload_call,
            },
    };
    return console_open(&options, &d->console, err);
}

static enum status init_queues(struct daemon *d, struct error *err)
{
    arena_init(&d->decider.arena, 64 << 20);
    buffer_init(&d->decider.generation, 1 << 20);
    d->decider.generation_ms = timestamp_monotonic_ms();
    if (mailbox_init(&d->decider.outcomes, SIZE_MAX, NULL, NULL) ||
        mailbox_init(&d->decider.commands, 1024, NULL, NULL) ||
        pthread_mutex_init(&d->ruleset_lock, NULL))
        return error_set(err, STATUS_NOMEM, 0, "no memory for the program's queues");
    return STATUS_OK;
}

/* In the order in which an error is cheapest: rules and ports first, then what runs. */
/* For who stands before the terminal: five lines of what this is now. Not for logs of machines. */
static void greet(const struct daemon *d)
{
    const struct ruleset_summary *s = ruleset_get_summary(d->ruleset);
    if (d->config->log.is_json || !isatty(STDERR_FILENO))
        return;
    (void)fprintf(stderr, "listening  on %u sources%s; API and pages at http://%s\n",
                  d->inputs.source_count, d->inputs.remote ? " and a port for webhooks" : "",
                  console_address(d->console));
    (void)fprintf(stderr, "rules      %u and %u correlations, with %u decoders, %u mappings\n",
                  s->rules, s->correlations, s->decoders, s->mappings);
    (void)fprintf(stderr, "record     %s in %s\n",
                  d->redis ? "a private redis-server" : d->config->redis.url.at,
                  d->config->data.at);
    (void)fprintf(stderr,
                  "incidents  open from score %.0f (one critical hit is 81, one high 54), "
                  "and for alerts\n",
                  d->config->score.threshold);
    (void)fprintf(stderr, "look       tocsin incidents; tocsin sources; tocsin doctor; "
                          "tocsin help\n");
}

static enum status start(struct daemon *d, struct error *err)
{
    enum status status = init_queues(d, err);
    if (!status)
        status = make_folder(d->config->data.at, err);
    if (!status)
        status = rules_probe_libraries(err);
    if (!status)
        status = reload_start(d, err);
    if (!status)
        status = inputs_open(d, err);
    if (!status)
        status = start_record(d, err);
    if (!status)
        status = start_pipeline(d, err);
    if (!status)
        status = start_journal(d, err);
    if (!status)
        status = sinks_start(d->sinks, err);
    if (!status)
        status = writer_start(d, err);
    if (!status)
        status = inputs_start(d, err);
    if (!status)
        status = start_console(d, err);
    if (!status)
        status = inputs_start_remote(d, err);
    return status;
}

/* ---- stop: downstream ---- */

static void stop(struct daemon *d)
{
    atomic_store(&d->is_stopping, true);
    inputs_stop(d);
    console_close(d->console); /* its threads end in here: then nobody reads the pointer */
    d->console = NULL;
    inputs_stop_remote(d);
    writer_stop(d);
    if (d->pipeline)
        pipeline_finish(d->pipeline, false);
    if (d->sinks)
        sinks_stop(d->sinks, SINKS_STOP_MS);
    if (d->decider.incidents) {
        enum status left = decider_drain(d);
        if (left && !d->decider.must_restart)
            log_line(LOG_WARNING, "Redis did not acknowledge every effect: the next start decides "
                                  "them again from the journal");
    }
}

static void close_all(struct daemon *d)
{
    inputs_close(d);
    sinks_close(d->sinks);
    pipeline_free(d->pipeline);
    repeats_free(d->writer.repeats);
    journal_close(d->writer.journal);
    journal_reader_free(d->decider.evidence);
    incidents_close(d->decider.incidents);
    redis_server_stop(d->redis);
    parser_free(d->decider.parser);
    event_fini(&d->decider.event);
    arena_fini(&d->decider.arena);
    buffer_fini(&d->decider.generation);
    if (d->decider.has_detections)
        (void)command_close_output(&d->decider.detections);
    buffer_fini(&d->checkpoint.chunks);
    ruleset_unref(d->catch_up);
    ruleset_unref(d->ruleset);
    reload_end(d);
    config_free(d->config);
}

static void watch(struct daemon *d)
{
    while (!d->decider.must_restart && !d->decider.must_stop) {
        notify_send("WATCHDOG=1");
        pressure_look(&d->pressure, pipeline_evicted(d->pipeline), timestamp_monotonic_ms());
        enum signals_word word = signals_wait(500);
        if (word == SIGNALS_STOP)
            return;
        if (word == SIGNALS_NONE)
            reload_look(d);
        if (word != SIGNALS_RELOAD)
            continue;
        struct buffer said;
        buffer_init(&said, 1 << 20);
        (void)reload_run(d, &said);
        buffer_fini(&said);
    }
}

/* When everything is: whoever reads a line may use all of it. */
static void say_ready(const struct daemon *d)
{
    inputs_say_ready(d);
    (void)printf("ready http %s\n", console_address(d->console));
    inputs_say_remote_ready(d);
    greet(d);
    (void)printf("ready tocsin\n");
}

static int run_daemon(struct daemon *d)
{
    struct error err = {0};
    signals_block();
    enum status status = start(d, &err);
    if (status) {
        command_say("%s%s%s", d->config_path && err.line ? d->config_path : "",
                    d->config_path && err.line ? ": " : "", err.text);
    } else {
        atomic_store(&d->is_ready, true);
        say_ready(d);
        (void)fflush(stdout);
        notify_send("READY=1");
        watch(d);
    }
    notify_send("STOPPING=1");
    stop(d);
    bool must_restart = d->decider.must_restart;
    bool was_fenced = d->decider.must_stop;
    close_all(d);
    if (status)
        return status == STATUS_IO || status == STATUS_NOMEM ? COMMAND_UNFINISHED : COMMAND_USAGE;
    if (was_fenced)
        return COMMAND_UNFINISHED;
    return must_restart ? RESTART : COMMAND_DONE;
}

/* ---- command line ---- */

static int print_config(const struct config *c)
{
    struct buffer out;
    buffer_init(&out, 1 << 20);
    config_print(c, &out);
    (void)printf("%.*s", TEXT_ARG(buffer_text(&out)));
    buffer_fini(&out);
    return COMMAND_DONE;
}

static int run_configured(struct daemon *d, const char *detections)
{
    struct error err = {0};
    uint32_t errors = verify_config(d->config, load_print_finding, NULL);
    if (errors) {
        command_say("the configuration has %u errors: nothing was started", errors);
        config_free(MOVE(d->config));
        return COMMAND_USAGE;
    }
    if (detections && command_open_output(&d->decider.detections, detections, &err)) {
        command_say("%s", err.text);
        return COMMAND_USAGE;
    }
    d->decider.has_detections = detections != NULL;
    log_set_level((enum log_level)d->config->log.level);
    log_set_json(d->config->log.is_json);
    (void)command_path(d->journal_dir, sizeof d->journal_dir, d->config->data.at, "journal");
    (void)command_path(d->rulesets_dir, sizeof d->rulesets_dir, d->config->data.at, "rulesets");
    return run_daemon(d);
}

/* As after a crash of our own, but at once: the same program with the same arguments. */
static int start_anew(void)
{
    char line[65536];
    char *args[256];
    size_t count = 0;
    int fd = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, line, sizeof line - 1);
    if (n > 0) {
        line[n] = 0;
        for (char *at = line; at < line + n && count < 255; at += strlen(at) + 1)
            args[count++] = at;
        args[count] = NULL;
        source_keep_passed();
        (void)execv("/proc/self/exe", args);
    }
    command_say("the program cannot start itself anew: %s", strerrordesc_np(errno));
    return COMMAND_UNFINISHED;
}

/* The memory of a running program holds keys, and logs that are others' business: no core file, and
 * no other process of this user looks into it. (The leak checker's own process would have to.) */
static void keep_memory_private(void)
{
    const struct rlimit none = {0, 0};
    if (setrlimit(RLIMIT_CORE, &none))
        log_line(LOG_WARNING, "core files cannot be turned off: %s", strerrordesc_np(errno));
#ifndef TOCSIN_SANITIZED
    (void)prctl(PR_SET_DUMPABLE, 0);
#endif
}

int run_main(int argc, char **argv)
{
    const char *config_path = NULL;
    const char *data = NULL;
    const char *detections = NULL;
    bool must_print = false;
    const struct command_flag flags[] = {
        {"config", FLAG_TEXT, &config_path, "FILE", "tocsin.yml; without it, the defaults"},
        {"data", FLAG_TEXT, &data, "DIR", "folder of journal, record and sockets"},
        {"print-config", FLAG_SWITCH, &must_print, NULL, "prints every key with its value"},
        {"detections", FLAG_TEXT, &detections, "FILE", "a line per detection, as replay writes"},
    };
    const char *rest[64];
    uint32_t rest_count = 0;
    if (argc > 60)
        return COMMAND_USAGE;
    enum status status =
        command_flags(argc, argv, usage, flags, sizeof flags / sizeof *flags, rest, &rest_count);
    if (status)
        return status == STATUS_AGAIN ? COMMAND_DONE : COMMAND_USAGE;
    if (rest_count) {
        command_say("run: '%s' is not an option; see tocsin run --help", rest[0]);
        return COMMAND_USAGE;
    }
    struct daemon *d = calloc(1, sizeof *d);
    struct error err = {0};
    if (!d)
        return COMMAND_UNFINISHED;
    d->config_path = config_path;
    d->data_path = data;
    int code = COMMAND_USAGE;
    keep_memory_private();
    if (config_load(config_path, data, &d->config, &err))
        command_say("%s%s%u:%u: %s", config_path ? config_path : "", config_path ? ":" : "",
                    err.line, err.column, err.text);
    else if (must_print)
        code = print_config(d->config);
    else
        code = run_configured(d, detections);
    if (must_print)
        config_free(d->config);
    free(d);
    return code == RESTART ? start_anew() : code;
}
