/* SPDX-License-Identifier: Apache-2.0 */
#include "app/reload.h"
#include "app/daemon.h"
#include "app/load.h"
#include "app/ruleset_archive.h"
#include "app/verify.h"
#include "base/json_write.h"
#include "base/log.h"
#include "base/path.h"
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum { RESTLESS_MOST = 20 }; /* looks: a file that is written all the time is read all the same */

/* ---- what is live, as it looks from outside ---- */

static void hash_file(struct hasher *h, const char *path)
{
    struct stat about;
    hash_part_text(h, text_of(path));
    if (stat(path, &about)) {
        hash_part_u64(h, 0);
        return;
    }
    hash_part_u64(h, about.st_ino);
    hash_part_u64(h, (uint64_t)about.st_size);
    hash_part_u64(h, (uint64_t)about.st_mtim.tv_sec);
    hash_part_u64(h, (uint64_t)about.st_mtim.tv_nsec);
}

static struct hash128 look(const struct config *config)
{
    struct hasher h;
    hash_start(&h);
    if (config->overrides.len)
        hash_file(&h, config->overrides.at);
    DIR *folder = config->lists.len ? opendir(config->lists.at) : NULL;
    uint64_t lists[2] = {0, 0}; /* summed: a folder has no order of its own */
    for (struct dirent *e = folder ? readdir(folder) : NULL; e; e = readdir(folder)) {
        char path[PATH_ROOM];
        struct hasher one;
        if (e->d_name[0] == '.' || !text_ends(text_of(e->d_name), TEXT(".txt")))
            continue;
        hash_start(&one);
        hash_file(&one, command_path(path, sizeof path, config->lists.at, e->d_name));
        struct hash128 sum = hash_end(&one);
        lists[0] += sum.lo;
        lists[1] += sum.hi;
    }
    hash_part_u64(&h, folder != NULL);
    hash_part(&h, lists, sizeof lists);
    if (folder)
        (void)closedir(folder);
    return hash_end(&h);
}

/* The caller holds the lock. */
static struct text original(struct daemon *d, struct text file, char *out, size_t size)
{
    struct load_request request = load_request_of(d->reload.config);
    return ruleset_archive_original(d->rulesets_dir, &request, file, out, size);
}

struct text reload_file(struct daemon *d, struct text file, char *out, size_t size)
{
    (void)pthread_mutex_lock(&d->reload.lock);
    struct text name = original(d, file, out, size);
    (void)pthread_mutex_unlock(&d->reload.lock);
    return name;
}

/* ---- findings ---- */

enum { KNOWN_BYTES = 16 << 20, FINDINGS_BYTES = 64 << 10 };

/* The errors of a load; those that the rules that decide do not have are what is said of it. */
struct told {
    struct daemon *daemon;
    struct buffer known; /* of all, for the time after */
    struct buffer news;  /* of new ones, as JSON: the first FINDINGS_BYTES of them */
    uint32_t count;      /* of new ones */
    char first[180];     /* "file:line: message" of the first new one; or empty */
};

static void told_init(struct told *told, struct daemon *d)
{
    *told = (struct told){.daemon = d};
    buffer_init(&told->known, KNOWN_BYTES);
    buffer_init(&told->news, FINDINGS_BYTES);
    json_write_open(&told->news, NULL, '[');
}

static void told_fini(struct told *told)
{
    buffer_fini(&told->known);
    buffer_fini(&told->news);
}

static bool is_known(const struct reload *r, struct text line)
{
    struct text known = buffer_text(&r->known);
    return text_find(known, line) < known.len;
}

static void note_new(struct told *told, struct text file, const struct diagnostic *f)
{
    if (!told->count++)
        (void)snprintf(told->first, sizeof told->first, "%.*s:%u: %.*s", TEXT_ARG(file), f->line,
                       TEXT_ARG(f->message));
    struct buffer *out = &told->news;
    if (out->len + f->message.len + 2 * PATH_ROOM > FINDINGS_BYTES)
        return;
    json_write_open(out, NULL, '{');
    json_write_string(out, "file", file);
    json_write_uint(out, "line", f->line);
    json_write_uint(out, "column", f->column);
    json_write_string(out, "code", text_of(f->code));
    json_write_string(out, "message", f->message);
    json_write_string(out, "rule", f->rule);
    json_write_close(out, '}');
}

/* A line moves when something is written above it: it is no part of what is known. */
static void collect(void *context, const struct diagnostic *f)
{
    struct told *told = context;
    struct daemon *d = told->daemon;
    char name[PATH_ROOM];
    if (f->severity != DIAGNOSTIC_ERROR)
        return;
    struct text file = original(d, f->file, name, sizeof name);
    size_t before = told->known.len;
    buffer_printf(&told->known, "\n%.*s: %.*s\n", TEXT_ARG(file), TEXT_ARG(f->message));
    struct text line = text_skip(buffer_text(&told->known), before);
    if (!line.len || !is_known(&d->reload, line))
        note_new(told, file, f);
}

/* These errors are those of the rules that decide from here on. */
static void told_keep(struct told *told)
{
    struct reload *r = &told->daemon->reload;
    buffer_fini(&r->known);
    r->known = told->known;
    buffer_init(&told->known, KNOWN_BYTES);
}

/* ---- loading ---- */

/* What nobody will ask for again: rules swapped out before those of the last checkpoint came. */
static void forget_old(struct daemon *d, struct hash128 fresh)
{
    struct reload *r = &d->reload;
    (void)pthread_mutex_lock(&d->ruleset_lock);
    struct hash128 decided = d->checkpoint.ruleset;
    (void)pthread_mutex_unlock(&d->ruleset_lock);
    uint32_t first = 0;
    while (first < r->kept_count && !hash_equal(r->kept[first], decided))
        first++;
    if (first < r->kept_count) {
        r->kept_count -= first;
        memmove(r->kept, r->kept + first, r->kept_count * sizeof *r->kept);
    }
    if (r->kept_count == RELOAD_KEPT)
        return; /* no checkpoint for so long: the next start removes what is left */
    r->kept[r->kept_count++] = fresh;
    ruleset_archive_prune(d->rulesets_dir, r->kept, r->kept_count);
}

/* Loads, and keeps a copy of what was loaded for the journal's tail of a later start. */
static enum status load(struct daemon *d, struct load_request *request, struct ruleset **out,
                        struct error *err)
{
    struct ruleset *fresh = NULL;
    enum status status = load_rules(request, &fresh, err);
    if (!status)
        status = ruleset_archive_save(d->rulesets_dir, request, ruleset_hash(fresh), err);
    if (status) {
        ruleset_unref(fresh);
        return status;
    }
    *out = fresh;
    return STATUS_OK;
}

enum status reload_start(struct daemon *d, struct error *err)
{
    struct load_request request = load_request_of(d->config);
    if (pthread_mutex_init(&d->reload.lock, NULL))
        return error_set(err, STATUS_NOMEM, 0, "no memory for reloads");
    d->reload.config = d->config;
    d->reload.seen = d->reload.last = look(d->config);
    buffer_init(&d->reload.known, KNOWN_BYTES);
    struct told told;
    told_init(&told, d);
    request.also = collect;
    request.also_context = &told;
    enum status status = load(d, &request, &d->ruleset, err);
    told_keep(&told);
    told_fini(&told);
    return status;
}

static void note(struct reload *r, struct hash128 hash)
{
    if (r->kept_count < RELOAD_KEPT)
        r->kept[r->kept_count++] = hash;
}

void reload_settle(struct daemon *d)
{
    struct reload *r = &d->reload;
    note(r, ruleset_hash(d->ruleset));
    if (r->kept_count < RELOAD_KEPT)
        ruleset_archive_prune(d->rulesets_dir, r->kept, r->kept_count);
}

void reload_end(struct daemon *d)
{
    if (d->reload.config != d->config)
        config_free(d->reload.config);
    buffer_fini(&d->reload.known);
}

/* Compiled aside; swapped at a batch boundary. Takes `fresh`. */
static void hand_over(struct daemon *d, struct ruleset *fresh)
{
    atomic_fetch_add_explicit(&d->reload.done, 1, memory_order_relaxed);
    (void)pthread_mutex_lock(&d->ruleset_lock);
    struct ruleset *old = d->ruleset;
    d->ruleset = ruleset_ref(fresh);
    (void)pthread_mutex_unlock(&d->ruleset_lock);
    forget_old(d, ruleset_hash(fresh));
    /* pairs with the acquire in writer.c; told only then: what is sent after it meets these */
    ruleset_unref(atomic_exchange_explicit(&d->writer.next, fresh, memory_order_acq_rel));
    ruleset_unref(old);
}

/* What the start left out, told by name, may stay left out: else nobody who reads a rule of others
 * that is refused could reload anything. */
static bool has_more_errors(const struct daemon *d, const struct ruleset *fresh)
{
    return ruleset_get_summary(fresh)->errors > ruleset_get_summary(d->ruleset)->errors;
}

/* ---- asked for ---- */

static bool refuse(struct daemon *d, const struct error *why, struct told *told, struct buffer *out)
{
    atomic_fetch_add_explicit(&d->reload.refused, 1, memory_order_relaxed);
    log_line(LOG_ERROR, "reload refused, the old rules stay: %s", why->text);
    json_write_open(out, NULL, '{');
    json_write_string(out, "error", text_of(why->text));
    json_write_close(&told->news, ']');
    json_write_name(out, TEXT("findings"));
    buffer_append(out, buffer_text(&told->news));
    json_write_close(out, '}');
    return false;
}

/* What the new rules have more of than those that decide, with the place of the first. */
static enum status refuse_more(const struct told *told, const struct ruleset *fresh,
                               struct error *err)
{
    if (!has_more_errors(told->daemon, fresh))
        return STATUS_OK;
    char more[40] = "";
    if (told->count > 1)
        (void)snprintf(more, sizeof more, " (and %u more)", told->count - 1);
    return error_set(err, STATUS_INVALID, 0, "%s%s", told->first, more);
}

static bool take_all(struct daemon *d, struct told *told, struct buffer *out)
{
    struct error err = {0};
    AUTO(config) config = NULL;
    struct ruleset *fresh = NULL;
    enum status status = config_load(d->config_path, d->data_path, &config, &err);
    if (!status && verify_config(config, load_print_finding, NULL))
        status = error_set(&err, STATUS_INVALID, 0, "the new configuration has an error");
    if (status)
        return refuse(d, &err, told, out);
    struct hash128 seen = look(config);
    struct load_request request = load_request_of(config);
    request.also = collect;
    request.also_context = told;
    status = load(d, &request, &fresh, &err);
    if (!status)
        status = refuse_more(told, fresh, &err);
    if (status) {
        ruleset_unref(fresh);
        return refuse(d, &err, told, out);
    }
    struct ruleset_summary counted = *ruleset_get_summary(fresh);
    hand_over(d, fresh);
    told_keep(told);
    if (d->reload.config != d->config)
        config_free(d->reload.config);
    d->reload.config = MOVE(config);
    d->reload.seen = d->reload.last = seen;
    log_line(LOG_INFO, "new rules rules=%u correlations=%u", counted.rules, counted.correlations);
    json_write_open(out, NULL, '{');
    json_write_uint(out, "rules", counted.rules);
    json_write_uint(out, "correlations", counted.correlations);
    json_write_close(out, '}');
    return true;
}

static bool reload_all(struct daemon *d, struct buffer *out)
{
    struct told told;
    told_init(&told, d);
    bool is_done = take_all(d, &told, out);
    told_fini(&told);
    return is_done;
}

bool reload_run(struct daemon *d, struct buffer *out)
{
    (void)pthread_mutex_lock(&d->reload.lock);
    bool is_done = reload_all(d, out);
    (void)pthread_mutex_unlock(&d->reload.lock);
    return is_done;
}

/* ---- by itself ---- */

static void be_silent(void *context, const struct diagnostic *f)
{
    (void)context;
    (void)f;
}

/* The rules that decide now, from their kept copy, with the lists and overrides of this moment: a
 * rule that somebody is just writing waits for its own reload. What was refused before is refused
 * again, and nobody wants to read that at every new list: only what is new is told. */
static enum status load_live(struct daemon *d, struct told *told, struct ruleset **out,
                             struct error *err)
{
    struct ruleset_archive_paths paths;
    struct load_request request = load_request_of(d->reload.config);
    enum status status =
        ruleset_archive_find(d->rulesets_dir, ruleset_hash(d->ruleset), &request, &paths, err);
    request.tell = be_silent;
    request.also = collect;
    request.also_context = told;
    if (!status)
        status = load(d, &request, out, err);
    if (status)
        return status;
    status = refuse_more(told, *out, err);
    if (status)
        ruleset_unref(*out);
    return status;
}

static void take_live(struct daemon *d, struct told *told)
{
    struct error err = {0};
    struct ruleset *fresh = NULL;
    if (load_live(d, told, &fresh, &err)) {
        atomic_fetch_add_explicit(&d->reload.refused, 1, memory_order_relaxed);
        log_line(LOG_ERROR, "changed value lists or overrides refused, the old ones stay: %s",
                 err.text);
        return;
    }
    told_keep(told);
    if (hash_equal(ruleset_hash(fresh), ruleset_hash(d->ruleset))) {
        ruleset_unref(fresh);
        return;
    }
    hand_over(d, fresh);
    log_line(LOG_INFO, "changed value lists or overrides decide now");
}

static void read_live(struct daemon *d)
{
    struct told told;
    told_init(&told, d);
    take_live(d, &told);
    told_fini(&told);
}

void reload_look(struct daemon *d)
{
    struct reload *r = &d->reload;
    if (pthread_mutex_trylock(&r->lock))
        return;
    struct hash128 now = look(r->config);
    bool has_changed = !hash_equal(now, r->seen);
    bool is_at_rest = hash_equal(now, r->last) || ++r->restless == RESTLESS_MOST;
    r->last = now;
    if (has_changed && is_at_rest) {
        r->seen = now;
        r->restless = 0;
        read_live(d);
    }
    (void)pthread_mutex_unlock(&r->lock);
}

/* ---- the past ---- */

struct ruleset *reload_ruleset(struct daemon *d, struct hash128 hash)
{
    struct error err = {0};
    struct ruleset *kept = NULL;
    struct load_request request = load_request_of(d->config);
    note(&d->reload, hash);
    if (hash_equal(hash, ruleset_hash(d->ruleset)))
        return ruleset_ref(d->ruleset);
    if (!ruleset_archive_load(d->rulesets_dir, &request, hash, &kept, &err))
        return kept;
    log_line(LOG_WARNING, "the journal's tail is decided by today's rules: %s", err.text);
    return ruleset_ref(d->ruleset);
}
