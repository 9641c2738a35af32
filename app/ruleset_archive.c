/* SPDX-License-Identifier: Apache-2.0 */
#include "app/ruleset_archive.h"
#include "base/path.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

static enum status fail(struct error *err, const char *path)
{
    return error_set(err, STATUS_IO, 0, "%s: %s", path, strerrordesc_np(errno));
}

/* `root`: the folder of copies. What is in there is never changed, so a link does for a copy. */
static enum status copy_bytes(const char *root, const char *from, const char *to, struct error *err)
{
    if (text_starts(text_of(from), text_of(root)) && !link(from, to))
        return STATUS_OK;
    int in = open(from, O_RDONLY | O_CLOEXEC);
    if (in < 0)
        return fail(err, from);
    int out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    ssize_t n = out < 0 ? -1 : 1;
    while (n > 0)
        n = sendfile(out, in, NULL, 1 << 20);
    enum status status = n < 0 ? fail(err, to) : STATUS_OK;
    (void)close(in);
    if (out >= 0 && close(out) && !status)
        status = fail(err, to);
    return status;
}

static bool is_kept_kind(const char *name)
{
    struct text t = text_of(name);
    return text_ends(t, TEXT(".yml")) || text_ends(t, TEXT(".yaml")) || text_ends(t, TEXT(".txt"));
}

static enum status copy_tree(const char *root, const char *from, const char *to, struct error *err)
{
    struct stat about;
    if (stat(from, &about))
        return errno == ENOENT ? STATUS_OK : fail(err, from);
    if (!S_ISDIR(about.st_mode))
        return copy_bytes(root, from, to, err);
    if (mkdir(to, 0700) && errno != EEXIST)
        return fail(err, to);
    DIR *folder = opendir(from);
    if (!folder)
        return fail(err, from);
    enum status status = STATUS_OK;
    for (struct dirent *e = readdir(folder); e && !status; e = readdir(folder)) {
        char below[PATH_ROOM];
        char target[PATH_ROOM];
        if (e->d_name[0] == '.' || (e->d_type != DT_DIR && !is_kept_kind(e->d_name)))
            continue;
        (void)command_path(below, sizeof below, from, e->d_name);
        (void)command_path(target, sizeof target, to, e->d_name);
        status = copy_tree(root, below, target, err);
    }
    (void)closedir(folder);
    return status;
}

static void remove_tree(const char *path)
{
    DIR *folder = opendir(path);
    if (!folder) {
        (void)unlink(path);
        return;
    }
    for (struct dirent *e = readdir(folder); e; e = readdir(folder)) {
        char below[PATH_ROOM];
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        (void)command_path(below, sizeof below, path, e->d_name);
        if (e->d_type == DT_DIR)
            remove_tree(below);
        else
            (void)unlink(below);
    }
    (void)closedir(folder);
    (void)rmdir(path);
}

/* Names keep what kind of path it was: a single file keeps its ending. */
static void target_of(char *out, size_t size, const char *folder, const char *part, uint32_t n,
                      const char *from)
{
    struct stat about;
    bool is_file = !stat(from, &about) && !S_ISDIR(about.st_mode);
    (void)snprintf(out, size, "%s/%s-%u%s", folder, part, n, is_file ? ".yml" : "");
}

/* What ships is copied whole beside these, and stays what ships. */
static bool is_share(const char *item)
{
    return strcmp(item, "share") == 0;
}

static enum status copy_list(const char *root, const char *folder, const char *part,
                             const struct command_list *list, struct error *err)
{
    enum status status = STATUS_OK;
    for (uint32_t i = 0; i < list->count && !status; i++) {
        char to[PATH_ROOM];
        target_of(to, sizeof to, folder, part, i, list->items[i]);
        status = is_share(list->items[i]) ? STATUS_OK : copy_tree(root, list->items[i], to, err);
    }
    return status;
}

static enum status copy_all(const char *root, const char *folder,
                            const struct load_request *request, struct error *err)
{
    char share[PATH_ROOM];
    char to[PATH_ROOM];
    if (request->share)
        (void)snprintf(share, sizeof share, "%s", request->share);
    else
        (void)command_share(share, sizeof share);
    if (mkdir(folder, 0700) && errno != EEXIST)
        return fail(err, folder);
    enum status status = copy_list(root, folder, "rules", &request->rules, err);
    if (!status)
        status = copy_list(root, folder, "decoders", &request->decoders, err);
    (void)command_path(to, sizeof to, folder, "share");
    if (!status)
        status = copy_tree(root, share, to, err);
    (void)command_path(to, sizeof to, folder, "overrides.yml");
    if (!status && request->overrides)
        status = copy_tree(root, request->overrides, to, err);
    (void)command_path(to, sizeof to, folder, "lists");
    if (!status && request->lists)
        status = copy_tree(root, request->lists, to, err);
    return status;
}

enum status ruleset_archive_save(const char *folder, const struct load_request *request,
                                 struct hash128 hash, struct error *err)
{
    char hex[33];
    char whole[PATH_ROOM];
    char partial[PATH_ROOM];
    hash_to_hex(hash, hex);
    (void)command_path(whole, sizeof whole, folder, hex);
    (void)snprintf(partial, sizeof partial, "%s/%s.partial", folder, hex);
    if (access(whole, F_OK) == 0)
        return STATUS_OK;
    if (mkdir(folder, 0700) && errno != EEXIST)
        return fail(err, folder);
    remove_tree(partial);
    enum status status = copy_all(folder, partial, request, err);
    if (!status && rename(partial, whole))
        status = fail(err, whole);
    return status;
}

/* Where target_of() put it. */
static const char *kept_path(char out[PATH_ROOM], const char *base, const char *part, uint32_t n)
{
    (void)snprintf(out, PATH_ROOM, "%.4000s/%s-%u", base, part, n);
    if (access(out, F_OK))
        (void)snprintf(out, PATH_ROOM, "%.4000s/%s-%u.yml", base, part, n);
    return out;
}

static enum status find_base(const char *folder, struct hash128 hash, char out[PATH_ROOM],
                             struct error *err)
{
    char hex[33];
    hash_to_hex(hash, hex);
    (void)command_path(out, PATH_ROOM, folder, hex);
    if (access(out, F_OK))
        return error_set(err, STATUS_NOTFOUND, 0, "no copy of the rules %s is kept", hex);
    return STATUS_OK;
}

enum status ruleset_archive_find(const char *folder, struct hash128 hash,
                                 struct load_request *request, struct ruleset_archive_paths *paths,
                                 struct error *err)
{
    char base[PATH_ROOM];
    enum status status = find_base(folder, hash, base, err);
    if (status)
        return status;
    for (uint32_t i = 0; i < request->rules.count; i++)
        if (!is_share(request->rules.items[i]))
            request->rules.items[i] = kept_path(paths->rules[i], base, "rules", i);
    for (uint32_t i = 0; i < request->decoders.count; i++)
        request->decoders.items[i] = kept_path(paths->decoders[i], base, "decoders", i);
    request->share = command_path(paths->share, sizeof paths->share, base, "share");
    return STATUS_OK;
}

enum status ruleset_archive_load(const char *folder, const struct load_request *request,
                                 struct hash128 hash, struct ruleset **out, struct error *err)
{
    char base[PATH_ROOM];
    char overrides[PATH_ROOM + 64];
    char lists[PATH_ROOM + 64];
    struct ruleset_archive_paths paths;
    struct load_request kept = *request;
    struct ruleset *ruleset = NULL;
    enum status status = find_base(folder, hash, base, err);
    if (!status)
        status = ruleset_archive_find(folder, hash, &kept, &paths, err);
    if (status)
        return status;
    (void)command_path(overrides, sizeof overrides, base, "overrides.yml");
    (void)command_path(lists, sizeof lists, base, "lists");
    kept.overrides = request->overrides ? overrides : NULL;
    kept.lists = request->lists ? lists : NULL;
    kept.is_quiet = true;
    status = load_rules(&kept, &ruleset, err);
    if (!status && !hash_equal(ruleset_hash(ruleset), hash)) {
        char hex[33];
        hash_to_hex(hash, hex);
        ruleset_unref(ruleset);
        return error_set(err, STATUS_CONFLICT, 0, "the kept copy of the rules %s was changed", hex);
    }
    if (!status)
        *out = ruleset;
    return status;
}

/* The number behind "rules-", with what follows it: "rules-3/a/b.yml", "rules-3.yml". */
static bool split_part(struct text path, struct text part, uint32_t *out_number,
                       struct text *out_rest)
{
    if (!text_starts(path, part))
        return false;
    path = text_skip(path, part.len);
    size_t digits = 0;
    while (digits < path.len && path.at[digits] >= '0' && path.at[digits] <= '9')
        digits++;
    int64_t number = 0;
    if (!text_to_int64(text_head(path, digits), &number) || number >= COMMAND_LIST)
        return false;
    *out_number = (uint32_t)number;
    *out_rest = text_skip(path, digits);
    return true;
}

struct text ruleset_archive_original(const char *folder, const struct load_request *request,
                                     struct text file, char *out, size_t size)
{
    char share[PATH_ROOM];
    uint32_t n = 0;
    struct text rest = file;
    const char *from = NULL;
    if (!text_starts(file, text_of(folder)) || file.len < strlen(folder) + 34)
        return file;
    file = text_skip(file, strlen(folder) + 34); /* "/HASH/" */
    if (split_part(file, TEXT("rules-"), &n, &rest) && n < request->rules.count)
        from = request->rules.items[n];
    else if (split_part(file, TEXT("decoders-"), &n, &rest) && n < request->decoders.count)
        from = request->decoders.items[n];
    else if (text_starts(file, TEXT("share"))) {
        from = command_share(share, sizeof share);
        rest = text_skip(file, 5);
    }
    if (!from)
        return file;
    if (rest.len && rest.at[0] != '/') /* a single file: ".yml" is ours */
        rest = TEXT_NONE;
    int len = snprintf(out, size, "%s%.*s", from, TEXT_ARG(rest));
    return (struct text){out, len < 0 ? 0 : (size_t)len < size ? (size_t)len : size - 1};
}

void ruleset_archive_prune(const char *folder, const struct hash128 *keep, uint32_t count)
{
    DIR *all = opendir(folder);
    if (!all)
        return;
    for (struct dirent *e = readdir(all); e; e = readdir(all)) {
        char path[PATH_ROOM];
        struct hash128 hash;
        bool is_kept = false;
        bool is_hash = hash_from_hex(text_of(e->d_name), &hash);
        for (uint32_t i = 0; i < count && is_hash && !is_kept; i++)
            is_kept = hash_equal(hash, keep[i]);
        if (e->d_name[0] == '.' || is_kept)
            continue;
        (void)command_path(path, sizeof path, folder, e->d_name);
        remove_tree(path);
    }
    (void)closedir(all);
}
