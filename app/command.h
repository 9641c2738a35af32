/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/buffer.h"
#include "base/error.h"
#include "base/text.h"
#include <stdbool.h>
#include <stdint.h>

/* What all subcommands share: exit statuses, flags, output files. */
enum {
    COMMAND_DONE = 0,
    COMMAND_NO = 1,         /* the answer is "no": a check or test failed */
    COMMAND_USAGE = 2,      /* wrong use or configuration */
    COMMAND_UNFINISHED = 3, /* the work could not be finished; what was done is said */
};

/* One flag of a subcommand. `--name VALUE` and `--name=VALUE`; a single letter has one dash too. */
enum command_flag_type {
    FLAG_SWITCH,   /* bool */
    FLAG_TEXT,     /* const char * */
    FLAG_TEXTS,    /* struct command_list: may be repeated */
    FLAG_TIME,     /* int64_t us: RFC 3339, or a duration before now ("24h") */
    FLAG_DURATION, /* int64_t us */
    FLAG_COUNT,    /* uint32_t, 1 to 64 */
};

enum { COMMAND_LIST = 64 };
struct command_list {
    const char *items[COMMAND_LIST];
    uint32_t count;
};

struct command_flag {
    const char *name;
    enum command_flag_type type;
    void *value;
    const char *argument; /* what stands for the value in the help; NULL for a switch */
    const char *help;
};

/*
 * Reads flags and leaves the other arguments, in order, in `out_rest` (ended by NULL; room for
 * argc + 1). "--" ends the flags, "-" is an argument. On --help prints `usage` and the flags to
 * standard output and returns AGAIN: the subcommand then ends with COMMAND_DONE. INVALID: said on
 * standard error.
 */
NODISCARD enum status command_flags(int argc, char **argv, const char *usage,
                                    const struct command_flag *flags, size_t count,
                                    const char **out_rest, uint32_t *out_rest_count);

/* A file for JSON lines: "-" is standard output. */
struct command_output {
    int fd;
    bool is_own;
    struct buffer buffer;
    bool has_failed;
};
NODISCARD enum status command_open_output(struct command_output *o, const char *path,
                                          struct error *err);
/* Writes what is buffered once it is 64 KiB, or all of it with `now`. */
void command_flush_output(struct command_output *o, bool now);
/* False where something could not be written: said on standard error. */
bool command_close_output(struct command_output *o);

/* What was printed until now, written out. False where some of it was lost: said on standard error
 * each time it is asked. */
bool command_flush_stdout(void);

/* A sentence for people on standard error, with "tocsin: " before it. */
__attribute__((format(printf, 1, 2))) void command_say(const char *format, ...);
/* True where standard error is a terminal: progress may be drawn. */
bool command_has_terminal(void);

/* "folder/name" into `out`; cut where it is too long, which then does not exist. Returns `out`. */
const char *command_path(char *out, size_t size, const char *folder, const char *name);

/* The folder of what ships: $TOCSIN_SHARE, beside the installed binary, or in the source tree. */
const char *command_share(char *out, size_t size);
/* $TOCSIN_DATA, /var/lib/tocsin for root where it exists, else ~/.local/share/tocsin. */
const char *command_data(char *out, size_t size);

struct command {
    const char *name;
    int (*run)(int argc, char **argv); /* argv[0] is the subcommand's name */
    const char *summary;
};
