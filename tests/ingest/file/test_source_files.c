/* SPDX-License-Identifier: Apache-2.0 */
#include "base/timestamp.h"
#include "tests/support/door.h"
#include "tests/support/table.h"
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>

/* Many files in one folder, rotated in every way, over restarts and crashes. */
struct folder {
    struct door door;
    char dir[64], state[96], yaml[512];
    struct {
        char stream[64];
        int64_t number;
    } marks[256]; /* what the journal would know */
    size_t mark_count;
    size_t marked; /* records of the collector that are in `marks` */
};

static int setup(void **state)
{
    struct folder *p = calloc(1, sizeof *p);
    assert_non_null(p);
    (void)snprintf(p->dir, sizeof p->dir, "/tmp/tocsin-files-XXXXXX");
    assert_non_null(mkdtemp(p->dir));
    (void)snprintf(p->state, sizeof p->state, "%s.state", p->dir);
    *state = p;
    return 0;
}

static const char *at(const struct folder *p, const char *name, char out[384])
{
    (void)snprintf(out, 384, "%s/%s", p->dir, name);
    return out;
}

static int teardown(void **state)
{
    struct folder *p = *state;
    char path[384];
    DIR *d = opendir(p->dir);
    assert_non_null(d);
    for (struct dirent *e = readdir(d); e; e = readdir(d))
        if (e->d_name[0] != '.')
            (void)unlink(at(p, e->d_name, path));
    (void)closedir(d);
    assert_int_equal(rmdir(p->dir), 0);
    (void)unlink(p->state);
    free(p);
    return 0;
}

static int64_t mark(void *context, struct text stream)
{
    const struct folder *p = (const void *)context; /* the collector is the door's first member */
    for (size_t i = 0; i < p->mark_count; i++)
        if (text_equal(stream, text_of(p->marks[i].stream)))
            return p->marks[i].number;
    return -1;
}

static void follow(struct folder *p, const char *name, const char *more)
{
    struct yaml_file file;
    struct door *d = &p->door;
    (void)snprintf(p->yaml, sizeof p->yaml, "file: {path: ['%s/%s'], state: %s%s%s}", p->dir, name,
                   p->state, strstr(more, "from:") ? "" : ", from: beginning", more);
    collector_init(&d->collector);
    d->collector.max_batches = 200;
    arena_init(&d->arena, 1 << 20);
    assert_int_equal(yaml_parse(text_of(p->yaml), &d->arena, &file, NULL), STATUS_OK);
    struct intake intake = collector_intake(&d->collector);
    intake.mark = mark;
    p->marked = 0;
    assert_int_equal(source_open(file.documents[0], 7, &intake, &d->source, &d->error), STATUS_OK);
    assert_int_equal(source_start(d->source, &d->error), STATUS_OK);
}

/* What came is in the journal now. */
static void take_marks(struct folder *p)
{
    size_t count = collector_wait(&p->door.collector, 0);
    for (; p->marked < count; p->marked++) {
        const char *origin = p->door.collector.records[p->marked].origin.at;
        const char *colon = strrchr(origin, ':');
        assert_non_null(colon);
        size_t i = 0;
        while (i < p->mark_count && !text_equal(text_of(p->marks[i].stream),
                                                (struct text){origin, (size_t)(colon - origin)}))
            i++;
        assert_true(i < 256);
        if (i == p->mark_count)
            (void)snprintf(p->marks[p->mark_count++].stream, 64, "%.*s", (int)(colon - origin),
                           origin);
        int64_t number = strtoll(colon + 1, NULL, 10);
        assert_true(number > p->marks[i].number); /* else the journal would take it for known */
        p->marks[i].number = number;
    }
}

static void write_to(const struct folder *p, const char *name, int flags, const char *bytes)
{
    char path[384];
    int fd = open(at(p, name, path), O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, strlen(bytes)), strlen(bytes));
    assert_int_equal(close(fd), 0);
}

static void append(const struct folder *p, const char *name, const char *bytes)
{
    write_to(p, name, O_APPEND, bytes);
}

static void move(const struct folder *p, const char *from, const char *to)
{
    char a[384], b[384];
    (void)rename(at(p, from, a), at(p, to, b));
}

static void copy(const struct folder *p, const char *from, const char *to)
{
    char path[384], bytes[65536];
    int fd = open(at(p, from, path), O_RDONLY | O_CLOEXEC);
    int out = open(at(p, to, path), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0 && out >= 0);
    for (ssize_t n = read(fd, bytes, sizeof bytes); n > 0; n = read(fd, bytes, sizeof bytes))
        assert_int_equal(write(out, bytes, (size_t)n), n);
    (void)close(fd);
    (void)close(out);
}

/* How often a line came. */
static int times(struct folder *p, const char *line)
{
    struct collector *c = &p->door.collector;
    int n = 0;
    (void)pthread_mutex_lock(&c->lock);
    for (size_t i = 0; i < c->count; i++)
        n += strcmp(c->records[i].raw.at, line) == 0;
    (void)pthread_mutex_unlock(&c->lock);
    return n;
}

static void hold(struct collector *c, bool holds_barriers)
{
    (void)pthread_mutex_lock(&c->lock);
    c->holds_barriers = holds_barriers;
    (void)pthread_mutex_unlock(&c->lock);
}

static void assert_count(struct folder *p, size_t count)
{
    assert_int_equal(collector_wait(&p->door.collector, count), count);
}

static void test_patterns(void **state)
{
    struct folder *p = *state;
    char a[384], b[384];
    append(p, "a.log", "a1\n");
    append(p, "b.log", "b1\n");
    append(p, "other", "no\n");
    append(p, "b.log.2.log", "\x1f\x8b\x08 packed\n");
    assert_int_equal(link(at(p, "a.log", a), at(p, "c.log", b)), 0); /* the same file once more */
    follow(p, "*.log", "");
    assert_count(p, 2);
    append(p, "later.log", "l1\n");
    assert_count(p, 3);
    append(p, "c.log", "a2\n");
    append(p, "b.log", "b2\n");
    assert_count(p, 5);
    assert_true(times(p, "a1") == 1 && times(p, "a2") == 1 && times(p, "b2") == 1);
    assert_true(times(p, "l1") == 1 && times(p, "no") == 0);
    assert_true(door_metric(&p->door, "source_files_compressed_total", NULL) == 1);
    assert_true(door_metric(&p->door, "source_received_total", NULL) == 5);
    take_marks(p);
    door_close(&p->door);
}

static void test_a_list_and_few_open_at_once(void **state)
{
    struct folder *p = *state;
    char name[32];
    for (int i = 0; i < 40; i++) {
        (void)snprintf(name, sizeof name, "%d.log", i);
        append(p, name, "one\nunfini");
    }
    follow(p, "*.log", ", open_files: 3, max_files: 41");
    assert_count(p, 40);
    for (int i = 39; i >= 0; i--) {
        (void)snprintf(name, sizeof name, "%d.log", i);
        append(p, name, "shed\n");
    }
    assert_count(p, 80);
    assert_int_equal(times(p, "unfinished"), 40);
    append(p, "40.log", "more\n");
    append(p, "41.log", "more\n");
    assert_count(p, 81);
    while (door_metric(&p->door, "source_files_refused", NULL) != 1)
        (void)sched_yield();
    take_marks(p);
    door_close(&p->door);
    for (int i = 0; i < 40; i++) {
        (void)snprintf(name, sizeof name, "%d.log", i);
        append(p, name, "after a stop\n");
    }
    follow(p, "*.log", ", open_files: 3, max_files: 42");
    assert_count(p, 41);
    assert_true(times(p, "after a stop") == 40 && times(p, "more") == 1);
    take_marks(p);
    door_close(&p->door);
}

static void test_replaced_by_more_than_it_was(void **state)
{
    struct folder *p = *state;
    append(p, "log", "one\ntwo\n");
    follow(p, "log", "");
    assert_count(p, 2);
    write_to(p, "log", O_TRUNC, "three\nfour\nfive\n"); /* between two looks */
    assert_count(p, 5);
    assert_true(times(p, "three") == 1 && times(p, "five") == 1);
    assert_true(door_metric(&p->door, "source_truncations_total", NULL) == 1);
    append(p, "log", "six\n");
    assert_count(p, 6);
    take_marks(p);
    door_close(&p->door);
}

static void test_rotated_while_nobody_looked(void **state)
{
    struct folder *p = *state;
    append(p, "log", "one\n");
    follow(p, "log", "");
    assert_count(p, 1);
    take_marks(p);
    door_close(&p->door);
    append(p, "log", "two\nthr");
    move(p, "log", "log.1");
    append(p, "log.1", "ee\n"); /* its program has not heard of it */
    append(p, "log", "four\n");
    follow(p, "log", "");
    assert_count(p, 3);
    assert_true(times(p, "two") == 1 && times(p, "three") == 1 && times(p, "four") == 1);
    take_marks(p);
    door_close(&p->door);
}

static void test_truncated_while_nobody_looked(void **state)
{
    struct folder *p = *state;
    append(p, "log", "one\n");
    follow(p, "log", "");
    assert_count(p, 1);
    take_marks(p);
    door_close(&p->door);
    write_to(p, "log", O_TRUNC, "two\nthree\n");
    follow(p, "log", "");
    assert_count(p, 2);
    assert_true(times(p, "two") == 1 && times(p, "three") == 1);
    take_marks(p);
    door_close(&p->door);
}

#define LONG "-------------------------------------------------------------------------"

static void test_copytruncate_is_read_to_its_end_in_the_copy(void **state)
{
    struct folder *p = *state;
    for (int with_pattern = 0; with_pattern < 2; with_pattern++) {
        append(p, "log", LONG " one\n");
        follow(p, with_pattern ? "log*" : "log", "");
        assert_count(p, 1);
        append(p, "log", LONG " two\n");
        copy(p, "log", "log.1");
        write_to(p, "log", O_TRUNC, "three\n");
        assert_count(p, 3);
        assert_true(times(p, LONG " two") == 1 && times(p, "three") == 1);
        append(p, "log", "four\n");
        assert_count(p, 4);
        take_marks(p);
        door_close(&p->door);
        char path[384];
        (void)unlink(at(p, "log", path));
        (void)unlink(at(p, "log.1", path));
        (void)unlink(p->state);
    }
}

/* The copy is followed too, under whatever name, and however little was in the file. */
static const struct copied {
    const char *name, *pattern, *copy;
    const char *lines[2]; /* read before the copy; unread, where there is one */
    bool is_seen;         /* the copy, before the truncation */
} copies[] = {
    {"copied: dated before the ending", "*.log", "app-20260101.log", {LONG " 1", LONG " 2"}, false},
    {"copied: seen first, dated before the ending",
     "*.log",
     "app-2.log",
     {LONG " 1", LONG " 2"},
     true},
    {"copied: by another name", "*.log", "old.log", {LONG " 1", LONG " 2"}, false},
    {"copied: seen first, by another name", "*.log", "old.log", {LONG " 1", LONG " 2"}, true},
    {"copied: few bytes", "*.log*", "app.log.1", {"one", "two"}, false},
    {"copied: few bytes, seen first", "*.log*", "app.log.1", {"one", "two"}, true},
    {"copied: all was read", "*.log", "app.1.log", {LONG " 1", NULL}, false},
    {"copied: few bytes, all was read", "*.log", "app.1.log", {"one", NULL}, true},
    {"copied: two names, no pattern", NULL, "app.log.1", {LONG " 1", LONG " 2"}, false},
};

static void test_copied(void **state)
{
    const struct copied *row = *state;
    struct folder *p = NULL;
    char path[384], line[128], names[256];
    assert_int_equal(setup((void **)&p), 0);
    (void)snprintf(line, sizeof line, "%s\n", row->lines[0]);
    append(p, "app.log", line);
    (void)snprintf(names, sizeof names, "app.log', '%s/%s", p->dir, row->copy);
    follow(p, row->pattern ? row->pattern : names, "");
    assert_count(p, 1);
    if (row->lines[1]) {
        (void)snprintf(line, sizeof line, "%s\n", row->lines[1]);
        append(p, "app.log", line);
    }
    copy(p, "app.log", row->copy);
    while (row->is_seen && door_metric(&p->door, "source_files", NULL) < 2)
        sched_yield();
    assert_int_equal(truncate(at(p, "app.log", path), 0), 0);
    append(p, "app.log", "behind\n");
    assert_count(p, row->lines[1] ? 3 : 2);
    append(p, row->copy, "the end of the copy\n"); /* comes behind whatever is read twice */
    while (!times(p, "the end of the copy"))
        sched_yield();
    assert_int_equal(times(p, row->lines[0]), 1);
    assert_int_equal(row->lines[1] ? times(p, row->lines[1]) : 1, 1);
    assert_int_equal(times(p, "behind"), 1);
    door_close(&p->door);
    assert_int_equal(teardown((void **)&p), 0);
}

/* The same while nobody looked. */
static void test_copied_over_a_stop(void **state)
{
    struct folder *p = *state;
    append(p, "app.log", LONG " one\n");
    follow(p, "*.log", "");
    assert_count(p, 1);
    take_marks(p);
    door_close(&p->door);
    append(p, "app.log", LONG " two\n");
    copy(p, "app.log", "old.log");
    write_to(p, "app.log", O_TRUNC, "three\n");
    follow(p, "*.log", "");
    assert_count(p, 2);
    append(p, "old.log", "the end of the copy\n");
    while (!times(p, "the end of the copy"))
        sched_yield();
    assert_true(times(p, LONG " one") == 0 && times(p, LONG " two") == 1 && times(p, "three") == 1);
    take_marks(p);
    door_close(&p->door);
}

static void test_what_was_refused_is_read_again(void **state)
{
    struct folder *p = *state;
    struct collector *c = &p->door.collector;
    append(p, "a", "a1\n");
    append(p, "b", "b1\n");
    follow(p, "?", "");
    assert_count(p, 2);
    hold(c, true);
    append(p, "a", "a2\n");
    append(p, "b", "b2\n");
    assert_count(p, 4);
    hold(c, false);
    assert_true(collector_release(c, false) > 0); /* the journal's disk was full, say */
    assert_count(p, 6);
    assert_true(times(p, "a2") == 2 && times(p, "b2") == 2);
    assert_true(times(p, "a1") == 1 && times(p, "b1") == 1);
    assert_true(c->records[4].flags & RECORD_RESUMED);
    door_close(&p->door);
}

static void test_a_long_line_over_a_crash(void **state)
{
    struct folder *p = *state;
    char *line = calloc(1, 3000);
    assert_non_null(line);
    memset(line, 'x', 2998);
    append(p, "log", line); /* no end yet */
    follow(p, "log", ", max_message: 480");
    assert_count(p, 1);
    assert_int_equal(p->door.collector.records[0].raw.len, 480);
    take_marks(p);
    door_close(&p->door);
    append(p, "log", "the rest of it\nnext\n");
    follow(p, "log", ", max_message: 480");
    assert_count(p, 1);
    assert_int_equal(times(p, "next"), 1);
    take_marks(p);
    door_close(&p->door);
    free(line);
}

static void test_from_the_end(void **state)
{
    struct folder *p = *state;
    append(p, "a.log", "old\nhalf of a line");
    follow(p, "*.log", ", from: end");
    while (door_metric(&p->door, "source_files", NULL) != 1)
        (void)sched_yield();
    append(p, "a.log", " and its other half\nnew\n");
    append(p, "b.log", "came later\n");
    assert_count(p, 2);
    assert_true(times(p, "new") == 1 && times(p, "came later") == 1);
    take_marks(p);
    door_close(&p->door);
    append(p, "a.log", "while nobody looked\n");
    append(p, "c.log", "came then\n");
    follow(p, "*.log", ", from: end");
    assert_count(p, 2);
    assert_true(times(p, "while nobody looked") == 1 && times(p, "came then") == 1);
    take_marks(p);
    door_close(&p->door);
}

/* ---- any schedule ---- */

enum { STEPS = 60, LINES = 4000 };

struct schedule {
    struct folder *folder;
    unsigned seed;
    int written;
    uint8_t came[LINES];
};

static unsigned pick(struct schedule *s, unsigned below)
{
    s->seed = s->seed * 1103515245U + 12345U;
    return (s->seed >> 16) % below;
}

static void write_lines(struct schedule *s)
{
    char line[512];
    for (unsigned n = 1 + pick(s, 30); n && s->written < LINES; n--) {
        (void)snprintf(line, sizeof line, "%s line %d %.*s\n", LONG, s->written++, (int)pick(s, 60),
                       LONG);
        append(s->folder, "log", line);
    }
}

static void rotate(struct schedule *s, bool must_copy)
{
    char path[384];
    move(s->folder, "log.1", "log.2");
    if (pick(s, 4) == 0) { /* packed, and the plain one goes */
        append(s->folder, "log.9.gz", "\x1f\x8b\x08 packed\n");
        (void)unlink(at(s->folder, "log.2", path));
    }
    if (access(at(s->folder, "log", path), F_OK) != 0)
        return;
    if (!must_copy) {
        move(s->folder, "log", "log.1");
        return;
    }
    copy(s->folder, "log", "log.1");
    assert_int_equal(truncate(at(s->folder, "log", path), 0), 0);
}

/* Each line that came is one that was written, and came once. */
static void take_lines(struct schedule *s)
{
    struct collector *c = &s->folder->door.collector;
    (void)pthread_mutex_lock(&c->lock);
    for (size_t i = 0; i < c->count; i++) {
        const char *number = strstr(c->records[i].raw.at, " line ");
        assert_non_null(number);
        long n = strtol(number + 6, NULL, 10);
        assert_true(n >= 0 && n < s->written);
        if (s->came[n]++)
            fail_msg("line %ld came twice", n);
    }
    (void)pthread_mutex_unlock(&c->lock);
}

/* Stops the door: in order, or as a kill -9 leaves it, with a state older than the journal. */
static void stop(struct schedule *s, bool is_crash)
{
    struct folder *p = s->folder;
    char saved[8192];
    size_t len = 0;
    FILE *f = is_crash ? fopen(p->state, "re") : NULL;
    if (f) {
        len = fread(saved, 1, sizeof saved, f);
        (void)fclose(f);
    }
    source_stop(p->door.source);
    take_marks(p);
    take_lines(s);
    door_close(&p->door);
    if (!f)
        return;
    f = fopen(p->state, "we");
    assert_non_null(f);
    assert_int_equal(fwrite(saved, 1, len, f), len);
    assert_int_equal(fclose(f), 0);
}

static size_t came(const struct schedule *s)
{
    size_t n = 0;
    for (int i = 0; i < s->written; i++)
        n += s->came[i];
    return n;
}

static void test_any_schedule_gives_every_line_once(void **state)
{
    struct folder *p = *state;
    const char *chosen = getenv("TOCSIN_SEED");
    struct schedule s = {.folder = p};
    s.seed = chosen ? (unsigned)strtoul(chosen, NULL, 10) : (unsigned)timestamp_monotonic_ns();
    print_message("TOCSIN_SEED=%u\n", s.seed);
    const char *pattern = pick(&s, 2) ? "log*" : "log";
    write_lines(&s);
    follow(p, pattern, "");
    for (int step = 0; step < STEPS; step++) {
        unsigned what = pick(&s, 10);
        if (what < 6)
            write_lines(&s);
        /* a second rotation while the first is unseen would need the copy's copy: let it catch up
         */
        assert_count(p, (size_t)s.written - came(&s));
        if (what == 6 || what == 7) {
            write_lines(&s);
            rotate(&s, what == 7);
            write_lines(&s);
        } else if (what == 8) {
            stop(&s, pick(&s, 2));
            if (pick(&s, 2))
                write_lines(&s);
            if (pick(&s, 3) == 0)
                rotate(&s, pick(&s, 2));
            write_lines(&s);
            follow(p, pattern, "");
        }
    }
    assert_count(p, (size_t)s.written - came(&s));
    stop(&s, false);
    assert_int_equal(came(&s), s.written);
}

int main(void)
{
    enum { COPIES = sizeof copies / sizeof *copies };
    struct CMUnitTest rows[COPIES];
    for (size_t i = 0; i < COPIES; i++)
        rows[i] = ROW(test_copied, &copies[i]);
    int failed = _cmocka_run_group_tests("test_copied", rows, COPIES, NULL, NULL);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_patterns, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_list_and_few_open_at_once, setup, teardown),
        cmocka_unit_test_setup_teardown(test_replaced_by_more_than_it_was, setup, teardown),
        cmocka_unit_test_setup_teardown(test_rotated_while_nobody_looked, setup, teardown),
        cmocka_unit_test_setup_teardown(test_truncated_while_nobody_looked, setup, teardown),
        cmocka_unit_test_setup_teardown(test_copytruncate_is_read_to_its_end_in_the_copy, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_copied_over_a_stop, setup, teardown),
        cmocka_unit_test_setup_teardown(test_what_was_refused_is_read_again, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_long_line_over_a_crash, setup, teardown),
        cmocka_unit_test_setup_teardown(test_from_the_end, setup, teardown),
        cmocka_unit_test_setup_teardown(test_any_schedule_gives_every_line_once, setup, teardown),
    };
    return failed + cmocka_run_group_tests_name("test_source_files", tests, NULL, NULL);
}
