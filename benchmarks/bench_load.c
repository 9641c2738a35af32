/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/rules.h"
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

/*
 * How long a ruleset takes to load and what it holds: `bench_load [--quick] [PATH...]`. Without a
 * path the public rules below TOCSIN_CORPORA, or a small set made here. One JSON line a case.
 */

enum { RUNS = 10 };

static void tell(void *context, const struct diagnostic *f)
{
    if (*(bool *)context && f->severity == DIAGNOSTIC_ERROR)
        (void)fprintf(stderr, "%.*s:%u:%u: %s: %.*s\n", TEXT_ARG(f->file), f->line, f->column,
                      f->code, TEXT_ARG(f->message));
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Of this process: what others do on the machine does not count. */
static double cpu_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static double load_once(const char *const *paths, uint32_t count, bool is_told,
                        struct ruleset_summary *out)
{
    struct error err = {.code = STATUS_OK};
    struct ruleset *ruleset = NULL;
    struct ruleset_options options = {
        .paths = paths,
        .path_count = count,
        .has_routing = true,
        .tell = tell,
        .context = &is_told,
    };
    double start = cpu_ms();
    if (ruleset_load(&options, &ruleset, &err) != STATUS_OK) {
        (void)fprintf(stderr, "%s\n", err.text);
        exit(1);
    }
    double ms = cpu_ms() - start;
    *out = *ruleset_get_summary(ruleset);
    ruleset_unref(ruleset);
    return ms;
}

static void run(const char *name, const char *const *paths, uint32_t count, unsigned runs)
{
    double ms[RUNS];
    struct ruleset_summary summary;
    struct rusage usage;
    for (unsigned i = 0; i < runs; i++)
        ms[i] = load_once(paths, count, i == 0, &summary);
    double first = ms[0];
    qsort(ms, runs, sizeof *ms, compare);
    (void)getrusage(RUSAGE_SELF, &usage);
    printf("{\"bench\":\"load\",\"case\":\"%s\",\"runs\":%u,\"rules\":%u,\"correlations\":%u,"
           "\"errors\":%u,\"first_cpu_ms\":%.1f,\"median_cpu_ms\":%.1f,\"worst_cpu_ms\":%.1f,"
           "\"peak_rss_mib\":%.1f}\n",
           name, runs, summary.rules, summary.correlations, summary.errors, first, ms[runs / 2],
           ms[runs - 1], (double)usage.ru_maxrss / 1024);
    (void)fflush(stdout);
}

/* Rules of the usual shape, so that the program runs without the corpora. */
static void write_rules(const char *path, unsigned count)
{
    FILE *f = fopen(path, "w");
    if (!f)
        exit(1);
    for (unsigned i = 0; i < count; i++)
        (void)fprintf(f,
                      "---\ntitle: made %u\nlogsource: {category: process_creation}\ndetection:\n"
                      "  s:\n    Image|endswith: ['\\tool%u.exe', '\\other%u.exe']\n"
                      "    CommandLine|contains|all: [' -flag%u', 'value']\n  condition: s\n",
                      i, i, i * 7, i % 97);
    (void)fclose(f);
}

static void run_made(unsigned runs)
{
    char path[] = "/tmp/tocsin-bench-XXXXXX.yml";
    int fd = mkstemps(path, 4);
    if (fd < 0)
        exit(1);
    (void)close(fd);
    write_rules(path, runs > 1 ? 3000 : 100);
    const char *paths[] = {path};
    run("made", paths, 1, runs);
    (void)unlink(path);
}

int main(int argc, char **argv)
{
    static const char *const names[] = {"rules", "rules-compliance", "rules-emerging-threats",
                                        "rules-placeholder", "rules-threat-hunting"};
    bool is_quick = argc > 1 && strcmp(argv[1], "--quick") == 0;
    unsigned runs = is_quick ? 1 : RUNS;
    int first = is_quick ? 2 : 1;
    const char *corpora = getenv("TOCSIN_CORPORA");
    if (argc > first) {
        run("given", (const char *const *)(argv + first), (uint32_t)(argc - first), runs);
        return 0;
    }
    run_made(runs);
    if (!corpora || is_quick)
        return 0;
    char paths[5][1024];
    const char *list[5];
    for (int i = 0; i < 5; i++) {
        (void)snprintf(paths[i], sizeof paths[i], "%s/sigma/%s", corpora, names[i]);
        list[i] = paths[i];
    }
    run("public", list, 5, runs);
    return 0;
}
