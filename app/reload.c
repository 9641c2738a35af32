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
    return load(d, &request, &d->ruleset, err);
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

static bool refuse(struct daemon *d, const struct error *why, struct buffer *out)
{
    atomic_fetch_add_explicit(&d->reload.refused, 1, memory_order_relaxed);
    log_line(LOG_ERROR, "reload refused, the old rules stay: %s", why->text);
    json_write_open(out, NULL, '{');
    json_write_string(out, "error", text_of(why->text));
    json_write_close(out, '}');
    return false;
}

static bool reload_all(struct daemon *d, struct buffer *out)
{
    struct error err = {0};
    AUTO(config) config = NULL;
    struct ruleset *fresh = NULL;
    enum status status = config_load(d->config_path, d->data_path, &config, &err);
    if (!status && verify_config(config, load_print_finding, NULL))
        status = error_set(&err, STATUS_INVALID, 0, "the new configuration has an error");
    if (status)
        return refuse(d, &err, out);
    struct hash128 seen = look(config);
    struct load_request request = load_request_of(config);
    status = load(d, &request, &fresh, &err);
    if (!status && has_more_errors(d, fresh))
        status = error_set(&err, STATUS_INVALID, 0, "%u errors in the new rules",
                           ruleset_get_summary(fresh)->errors);
    if (status) {
        ruleset_unref(fresh);
        return refuse(d, &err, out);
    }
    struct ruleset_summary counted = *ruleset_get_summary(fresh);
    hand_over(d, fresh);
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

bool reload_run(struct daemon *d, struct buffer *out)
{
    (void)pthread_mutex_lock(&d->reload.lock);
    bool is_done = reload_all(d, out);
    (void)pthread_mutex_unlock(&d->reload.lock);
    return is_done;
}

/* ---- by itself ---- */

/* Findings wait until it is known whether they matter: what was refused before is refused again,
 * and nobody wants to read that at every new list. */
struct told {
    struct daemon *daemon;
    struct buffer text;
};

static void collect(void *context, const struct diagnostic *f)
{
    struct told *told = context;
    char file[PATH_ROOM];
    if (f->severity == DIAGNOSTIC_ERROR)
        buffer_printf(&told->text, "%.*s:%u: %.*s\n",
                      TEXT_ARG(original(told->daemon, f->file, file, sizeof file)), f->line,
                      TEXT_ARG(f->message));
}

/* The rules that decide now, from their kept copy, with the lists and overrides of this moment: a
 * rule that somebody is just writing waits for its own reload. */
static enum status load_live(struct daemon *d, struct ruleset **out, struct error *err)
{
    struct ruleset_archive_paths paths;
    struct told told = {.daemon = d};
    struct load_request request = load_request_of(d->reload.config);
    enum status status =
        ruleset_archive_find(d->rulesets_dir, ruleset_hash(d->ruleset), &request, &paths, err);
    buffer_init(&told.text, 1 << 20);
    request.tell = collect;
    request.context = &told;
    if (!status)
        status = load(d, &request, out, err);
    if (!status && has_more_errors(d, *out)) {
        (void)fprintf(stderr, "%.*s", TEXT_ARG(buffer_text(&told.text)));
        status = error_set(err, STATUS_INVALID, 0, "more rules are refused than before: %u errors",
                           ruleset_get_summary(*out)->errors);
        ruleset_unref(*out);
    }
    buffer_fini(&told.text);
    return status;
}

static void read_live(struct daemon *d)
{
    struct error err = {0};
    struct ruleset *fresh = NULL;
    if (load_live(d, &fresh, &err)) {
        atomic_fetch_add_explicit(&d->reload.refused, 1, memory_order_relaxed);
        log_line(LOG_ERROR, "changed value lists or overrides refused, the old ones stay: %s",
                 err.text);
        return;
    }
    if (hash_equal(ruleset_hash(fresh), ruleset_hash(d->ruleset))) {
        ruleset_unref(fresh);
        return;
    }
    hand_over(d, fresh);
    log_line(LOG_INFO, "changed value lists or overrides decide now");
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
