/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/read/rulefile.h"
#include "rules/match/grow.h"
#include "rules/read/parsing.h"
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

enum { FOLDER_DEPTH = 32 };
#define OTHER_BYTES ((size_t)2 << 30)

struct paths {
    char **items;
    uint32_t count, max;
};

struct reading {
    const char *share;
    struct arena *arena;
    struct diagnostics *diagnostics;
    struct documents *out;
};

void rulefile_fini(struct documents *d)
{
    free(d->items);
    free(d->files);
    if (d->has_other)
        arena_fini(&d->other);
    *d = (struct documents){.items = NULL};
}

static void free_paths(struct paths *p)
{
    for (uint32_t i = 0; i < p->count; i++)
        free(p->items[i]);
    free(p->items);
}

static bool is_rule_name(const char *name)
{
    struct text t = text_of(name);
    bool is_yaml = text_ends(t, TEXT(".yml")) || text_ends(t, TEXT(".yaml"));
    bool is_test = text_ends(t, TEXT(".test.yml")) || text_ends(t, TEXT(".test.yaml"));
    /* local decisions about rules and hosts: who configures them names them */
    bool is_local = text_equal(t, TEXT("overrides.yml")) || text_equal(t, TEXT("entities.yml"));
    return is_yaml && !is_test && !is_local && name[0] != '.';
}

/* ---- folders ---- */

static enum status refuse_path(struct reading *r, const char *path, int reason)
{
    r->diagnostics->file = text_of(path);
    (void)diagnostic_error(r->diagnostics, NULL, "unreadable", "%s: %s", path,
                           strerrordesc_np(reason));
    return STATUS_IO;
}

static enum status walk(struct reading *r, const char *path, bool is_named, unsigned depth,
                        struct paths *out);

static enum status walk_entry(struct reading *r, const char *folder, const char *name,
                              unsigned depth, struct paths *out)
{
    char path[PATH_MAX];
    if (name[0] == '.')
        return STATUS_OK;
    if (snprintf(path, sizeof path, "%s/%s", folder, name) >= (int)sizeof path)
        return refuse_path(r, folder, ENAMETOOLONG);
    return walk(r, path, false, depth + 1, out);
}

static enum status walk_folder(struct reading *r, const char *path, unsigned depth,
                               struct paths *out)
{
    DIR *dir = depth < FOLDER_DEPTH ? opendir(path) : NULL;
    if (!dir)
        return refuse_path(r, path, depth < FOLDER_DEPTH ? errno : ELOOP);
    enum status status = STATUS_OK; /* of what is below only NOMEM ends the walk */
    for (struct dirent *e = readdir(dir); e && status != STATUS_NOMEM; e = readdir(dir))
        status = walk_entry(r, path, e->d_name, depth, out);
    (void)closedir(dir);
    return status == STATUS_NOMEM ? status : STATUS_OK;
}

/* The folders that ship are often named twice. Some thousand files: a scan of 16 bytes each is
 * nothing beside opening one. */
static bool is_read_already(const struct documents *d, const struct file_identity *me)
{
    for (uint32_t i = 0; i < d->file_count; i++)
        if (d->files[i].inode == me->inode && d->files[i].device == me->device)
            return true;
    return false;
}

static enum status walk(struct reading *r, const char *path, bool is_named, unsigned depth,
                        struct paths *out)
{
    struct stat s;
    if (stat(path, &s) != 0)
        return refuse_path(r, path, errno);
    if (S_ISDIR(s.st_mode))
        return walk_folder(r, path, depth, out);
    const char *slash = strrchr(path, '/');
    if (!is_named && !is_rule_name(slash ? slash + 1 : path))
        return STATUS_OK;
    struct file_identity me = {(uint64_t)s.st_dev, (uint64_t)s.st_ino};
    if (is_read_already(r->out, &me))
        return STATUS_OK;
    if (!GROW(r->out->files, r->out->file_count, r->out->file_max))
        return STATUS_NOMEM;
    r->out->files[r->out->file_count++] = me;
    if (!GROW(out->items, out->count, out->max) || !(out->items[out->count] = strdup(path)))
        return STATUS_NOMEM;
    out->count++;
    return STATUS_OK;
}

static int compare_paths(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* ---- documents ---- */

static const struct {
    const char *key;
    enum document_kind kind;
} kinds[] = {
    {"correlation", DOCUMENT_CORRELATION}, {"detection", DOCUMENT_RULE},
    {"filter", DOCUMENT_FILTER},           {"decoder", DOCUMENT_DECODER},
    {"mapping", DOCUMENT_MAPPING},
};

static bool kind_of(const struct yaml_node *root, enum document_kind *out)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (yaml_get(root, text_of(kinds[i].key))) {
            *out = kinds[i].kind;
            return true;
        }
    return false;
}

/* `over` on top of `under`: mappings are joined key by key, everything else is replaced. */
static const struct yaml_node *merge(struct arena *arena, const struct yaml_node *under,
                                     const struct yaml_node *over, unsigned depth)
{
    if (!under || under->kind != YAML_MAPPING || over->kind != YAML_MAPPING || depth > 8)
        return over;
    struct yaml_node *node = arena_alloc(arena, sizeof *node);
    size_t most = (size_t)under->count + over->count;
    struct yaml_pair *pairs = arena_alloc(arena, (most + 1) * sizeof *pairs);
    if (!node || !pairs)
        return NULL;
    *node = *over;
    node->count = 0;
    node->pairs = pairs;
    for (uint32_t i = 0; i < under->count; i++)
        if (!yaml_get(over, under->pairs[i].key->value))
            pairs[node->count++] = under->pairs[i];
    for (uint32_t i = 0; i < over->count; i++) {
        const struct yaml_node *below = yaml_get(under, over->pairs[i].key->value);
        const struct yaml_node *value = merge(arena, below, over->pairs[i].value, depth + 1);
        if (!value)
            return NULL;
        if (text_equal(over->pairs[i].key->value, TEXT("action")))
            continue;
        pairs[node->count++] = (struct yaml_pair){over->pairs[i].key, value};
    }
    return node;
}

/* How often the documents of a file have had an id or a name. */
struct label_use {
    const char *key;
    struct text label;
    uint32_t count;
};

/* One more document, `written` being what stands in it; which part it is of what it took over. */
static uint32_t part_of(struct label_use *use, const struct yaml_node *whole,
                        const struct yaml_node *written)
{
    const struct yaml_node *label = yaml_get(whole, text_of(use->key));
    if (!label || label->kind != YAML_SCALAR || !label->value.len)
        return 0;
    use->count = text_equal(use->label, label->value) ? use->count + 1 : 1;
    use->label = label->value;
    return yaml_get(written, text_of(use->key)) || use->count == 1 ? 0 : use->count;
}

static enum status add(struct reading *r, struct document d)
{
    const struct yaml_node *root = d.root;
    if (root->kind != YAML_MAPPING)
        return diagnostic_error(r->diagnostics, root, "unknown-document", "a rule is a mapping");
    bool is_rule = kind_of(root, &d.kind);
    if (!is_rule && yaml_get(root, TEXT("test")))
        return STATUS_OK; /* read elsewhere */
    if (!is_rule && yaml_get(root, TEXT("playbook"))) {
        diagnostic_lint(r->diagnostics, root, DIAGNOSTIC_WARNING, "playbook",
                        "playbooks are not read by this version: this document has no effect");
        return STATUS_OK;
    }
    if (!is_rule)
        return diagnostic_error(
            r->diagnostics, root, "unknown-document",
            "no rule, correlation, filter, decoder or mapping: none of the keys "
            "detection, correlation, filter, decoder, mapping is here");
    if (!GROW(r->out->items, r->out->count, r->out->max))
        return STATUS_NOMEM;
    r->out->items[r->out->count++] = d;
    return STATUS_OK;
}

/* `action:` of several documents in one file: global goes under all that follow, reset forgets it;
 * what repeats goes on top of the document before, also of a global one. */
static enum status add_all(struct reading *r, struct text file, bool is_shipped,
                           const struct yaml_file *yaml)
{
    const struct yaml_node *global = NULL;
    const struct yaml_node *last = NULL;
    struct label_use ids = {.key = "id"};
    struct label_use names = {.key = "name"};
    for (uint32_t i = 0; i < yaml->count; i++) {
        const struct yaml_node *root = yaml->documents[i];
        const struct yaml_node *action = yaml_get(root, TEXT("action"));
        struct text word = action && action->kind == YAML_SCALAR ? action->value : TEXT_NONE;
        if (text_equal(word, TEXT("global"))) {
            last = global = merge(r->arena, global, root, 0);
            if (!global)
                return STATUS_NOMEM;
            continue;
        }
        if (text_equal(word, TEXT("reset"))) {
            global = NULL;
            continue;
        }
        if (action && !text_equal(word, TEXT("repeat"))) {
            (void)diagnostic_error(r->diagnostics, action, "bad-value",
                                   "action is global, repeat or reset, not '%.*s'", TEXT_ARG(word));
            continue;
        }
        const struct yaml_node *whole = merge(r->arena, action ? last : global, root, 0);
        if (!whole)
            return STATUS_NOMEM;
        const struct document d = {.file = file,
                                   .is_shipped = is_shipped,
                                   .part_id = part_of(&ids, whole, root),
                                   .part_name = part_of(&names, whole, root),
                                   .root = whole};
        if (add(r, d) == STATUS_NOMEM)
            return STATUS_NOMEM;
        last = whole;
    }
    return STATUS_OK;
}

/* The folder itself, or anything in it. */
static bool is_below(const char *path, const char *folder)
{
    char real_path[PATH_MAX];
    char real_folder[PATH_MAX];
    if (!folder || !realpath(path, real_path) || !realpath(folder, real_folder))
        return false;
    size_t len = strlen(real_folder);
    return strncmp(real_path, real_folder, len) == 0 &&
           (real_path[len] == '/' || real_path[len] == 0);
}

static enum status add_file(struct reading *r, const char *path, bool is_shipped,
                            const struct parsed *parsed)
{
    struct text file = arena_copy(r->arena, text_of(path));
    if (!file.at || parsed->status == STATUS_NOMEM)
        return STATUS_NOMEM;
    r->diagnostics->file = file;
    r->diagnostics->rule = TEXT_NONE;
    if (parsed->status == STATUS_OK)
        return add_all(r, file, is_shipped, &parsed->yaml);
    (void)diagnostic_at(r->diagnostics, parsed->why.line, parsed->why.column,
                        parsed->status == STATUS_IO ? "unreadable" : "bad-yaml", "%s",
                        parsed->why.text);
    return STATUS_OK; /* the others are read all the same */
}

static enum status read_files(struct reading *r, const struct paths *paths, bool is_shipped)
{
    struct documents *d = r->out;
    struct parsed *parsed = calloc((size_t)paths->count + 1, sizeof *parsed);
    enum status status = parsed ? STATUS_OK : STATUS_NOMEM;
    if (!d->has_other)
        arena_init(&d->other, OTHER_BYTES);
    d->has_other = true;
    if (parsed)
        parsing_run(paths->items, paths->count, r->arena, &d->other, parsed);
    for (uint32_t i = 0; i < paths->count && status != STATUS_NOMEM; i++)
        status = add_file(r, paths->items[i], is_shipped, &parsed[i]);
    free(parsed);
    return status;
}

enum status rulefile_read(const char *path, const char *share, struct arena *arena,
                          struct diagnostics *diagnostics, struct documents *out)
{
    struct reading r = {.share = share, .arena = arena, .diagnostics = diagnostics, .out = out};
    struct paths paths = {.items = NULL};
    enum status status = walk(&r, path, true, 0, &paths);
    if (paths.count)
        qsort(paths.items, paths.count, sizeof *paths.items, compare_paths);
    bool is_shipped = is_below(path, share);
    if (status != STATUS_NOMEM && read_files(&r, &paths, is_shipped) == STATUS_NOMEM)
        status = STATUS_NOMEM;
    free_paths(&paths);
    return status;
}
