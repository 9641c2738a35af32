/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/rules.h"
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* Rule text: whatever it holds, it loads or is refused with a message; what loads has a title, and
 * loads again to the same hash. */

static void count_errors(void *context, const struct diagnostic *f)
{
    if (f->severity == DIAGNOSTIC_ERROR) {
        ++*(unsigned *)context;
        if (!f->message.len || !f->code[0])
            abort();
    }
}

static struct ruleset *load(const uint8_t *data, size_t size, unsigned *errors)
{
    struct error err = {.code = STATUS_OK};
    struct ruleset *r = NULL;
    char path[64];
    int fd = memfd_create("rules", 0);
    if (fd < 0 || write(fd, data, size) != (ssize_t)size)
        abort();
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    const char *paths[] = {path};
    const struct ruleset_options options = {
        .paths = paths,
        .path_count = 1,
        .has_lints = true,
        .tell = count_errors,
        .context = errors,
    };
    enum status status = ruleset_load(&options, &r, &err);
    (void)close(fd);
    return status == STATUS_OK ? r : NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    unsigned errors = 0;
    unsigned again = 0;
    uint32_t count = 0;
    if (size > 1 << 16)
        return 0;
    struct ruleset *r = load(data, size, &errors);
    if (!r)
        return 0;
    if (ruleset_get_summary(r)->errors != errors)
        abort();
    const struct rule *const *rules = ruleset_rules(r, &count);
    for (uint32_t i = 0; i < count; i++)
        if (!rules[i]->title.len || !rules[i]->key.len || rules[i]->index != i)
            abort();
    struct ruleset *twin = load(data, size, &again);
    if (!twin || again != errors || !hash_equal(ruleset_hash(r), ruleset_hash(twin)))
        abort();
    ruleset_unref(twin);
    ruleset_unref(r);
    return 0;
}
