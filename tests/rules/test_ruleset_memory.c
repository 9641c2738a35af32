/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/rules/harness.h"
#include "tests/support/table.h"

/* The allocation sweep: a load and a matcher once per allocation, with that one failing. Whatever
 * fails, nothing leaks and nothing is half made. */

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HAS_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define HAS_SANITIZER 1
#endif
#endif

#ifdef HAS_SANITIZER

static void test_sweep(void **state)
{
    (void)state;
    SKIP_BECAUSE("the sanitizer has the allocator");
}

#else

/* glibc's own names: this program's malloc stands before them, for the libraries too. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *at, size_t size);
void __libc_free(void *at);

static struct {
    long until; /* allocations that still succeed; below 0: all do */
    long live;
    bool is_counting;
} heap = {.until = -1};

static bool is_refused(void)
{
    if (!heap.is_counting || heap.until < 0)
        return false;
    return heap.until-- == 0;
}

static void *counted(void *at)
{
    heap.live += heap.is_counting && at;
    return at;
}

void *malloc(size_t size)
{
    return is_refused() ? NULL : counted(__libc_malloc(size));
}

void *calloc(size_t count, size_t size)
{
    return is_refused() ? NULL : counted(__libc_calloc(count, size));
}

void *realloc(void *at, size_t size)
{
    if (is_refused())
        return NULL;
    return at ? __libc_realloc(at, size) : counted(__libc_malloc(size));
}

void free(void *at)
{
    heap.live -= heap.is_counting && at;
    __libc_free(at);
}

static const char rules[] =
    "title: A\nname: a\nid: 1\nlogsource: {category: test}\ndetection:\n"
    "  s:\n    f|contains: [abcd, 'e*f', efgh]\n    g|re: 'x+yz'\n    h: [one, two, three]\n"
    "  k: [keyword, other]\n  condition: s and not k\n---\n"
    "title: F\nlogsource: {category: test}\nfilter: {rules: [a], s: {u|cidr: 10.0.0.0/8}, "
    "condition: s}\n---\n"
    "title: C\ncorrelation: {type: event_count, rules: [a], group-by: [u], timespan: 1m, "
    "condition: {gte: 3}}\n";

/* True where everything succeeded, so that the sweep is over. */
static bool run_once(const char *path, long until)
{
    struct error err = {.code = STATUS_OK};
    struct ruleset *r = NULL;
    struct matcher *m = NULL;
    const char *paths[] = {path};
    const struct ruleset_options options = {.paths = paths, .path_count = 1, .is_strict = true};
    heap.until = until;
    heap.live = 0;
    heap.is_counting = true;
    enum status load = ruleset_load(&options, &r, &err);
    enum status make = load == STATUS_OK ? matcher_new(r, &m, &err) : load;
    bool is_over = heap.until >= 0 || until < 0;
    matcher_free(m);
    ruleset_unref(r);
    heap.is_counting = false;
    assert_int_equal(load == STATUS_OK, r != NULL);
    assert_int_equal(make == STATUS_OK, m != NULL);
    assert_int_equal(heap.live, 0);
    return is_over;
}

static void test_sweep(void **state)
{
    (void)state;
    char path[64];
    long count = 0;
    harness_write(path, rules);
    (void)run_once(path, -1); /* what libc keeps for itself is kept now */
    while (!run_once(path, count))
        count++;
    (void)unlink(path);
    print_message("%ld allocations\n", count);
    assert_true(count > 50);
}

#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sweep),
    };
    return cmocka_run_group_tests_name("test_ruleset_memory", tests, NULL, NULL);
}
