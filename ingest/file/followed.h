/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/error.h"
#include "base/own.h"
#include "ingest/door/framer.h"
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

/*
 * One log file that is followed: which one it is, how far it was read, and whether it is still the
 * same one. A name says little: a file is its device and inode, and as inodes are used again and
 * files are truncated and filled anew, also its first bytes and those before the place reached.
 *
 *   head: up to 1 KiB      tail: up to 64 bytes
 *   |----|................|--|<- offset .... unread .... |
 */
enum { FOLLOWED_HEAD_BYTES = 1024, FOLLOWED_TAIL_BYTES = 64 };

/* A hash of some bytes of the file. */
struct followed_print {
    uint64_t hash;
    uint32_t len;
};

/* Bytes that stand before a place. */
struct followed_mark {
    uint64_t end;
    struct followed_print print;
};

struct followed {
    char *path; /* owned; the name it was seen at last */
    char *name; /* owned; the one it had first: its messages' peer */
    uint64_t device, inode;
    uint32_t slot;     /* its number among the files of the door */
    uint64_t base;     /* its numbers begin behind this one: raised by each new life in the slot */
    uint64_t offset;   /* read so far */
    uint64_t given_at; /* behind the last message given */
    uint64_t durable;  /* behind the last durable message */
    struct followed_print head;
    char tail[FOLLOWED_TAIL_BYTES];
    uint32_t tail_len;
    struct followed_mark
        lost;           /* where it was read to, when it is another file since: see is_lost */
    bool is_lost;       /* found so after a start; to be begun anew */
    int fd;             /* -1: closed for now */
    bool is_named;      /* its place is on disk: its messages may carry numbers */
    bool is_asked;      /* ... or that was tried */
    bool is_touched;    /* the open batch holds messages of it */
    bool is_resumed;    /* the next message is the first behind a refused batch */
    bool is_compressed; /* what logrotate packed was read before */
    bool has_more;      /* bytes may be there to read */
    bool is_at_path;    /* the last scan saw it at its path */
    bool is_checked;    /* it is known whether it is another's copy */
    uint64_t copy_ms;   /* since when it is: not read until the other is truncated; 0: it is none */
    bool is_alike;      /* it may be one: it begins like the other */
    uint32_t copy_of;   /* the other's slot, of both */
    uint64_t grown;     /* its size while it may be a copy in the making */
    bool is_ended;      /* gone, and read to its end */
    bool waits;         /* until the file that was at its path before is read to its end */
    uint32_t waits_for; /* slot */
    uint64_t quiet_ms;  /* since when nothing came */
    struct stat seen;   /* at the last look */
    struct framer framer;
};

enum followed_news {
    FOLLOWED_SAME,
    FOLLOWED_MORE, /* bytes came, or may have come */
    FOLLOWED_ANEW, /* truncated, or written anew: what is there now is another file's content */
    FOLLOWED_GONE, /* closed, and not to be opened again at its path */
};

/* A file at `path` that `st` tells of; not open. NULL without memory. */
struct followed *followed_new(const char *path, const struct stat *st, size_t max_message,
                              bool has_nul_ends);
void followed_free(struct followed *f);
AUTO_DEFINE(followed);
static inline bool followed_is(const struct followed *f, const struct stat *st)
{
    return f->inode == st->st_ino && f->device == st->st_dev;
}

/* Its messages come from the file that had this name. */
void followed_name(struct followed *f, const char *name);
/* Opens it at its path, if that one is still it. False: it is not there. */
bool followed_open(struct followed *f);
void followed_close(struct followed *f);
/* From now on it is read from `offset` on: a place inside a line is followed by the rest of that
 * line, which is left out. Everything up to there counts as durable. */
void followed_seek(struct followed *f, uint64_t offset);
/* As after an end: another life begins at 0, its numbers behind all that the old one had. */
void followed_begin_anew(struct followed *f);
/* Asks the file's size, times and first bytes. */
enum followed_news followed_look(struct followed *f);
/*
 * Reads into `chunk` of `size` bytes: the new bytes as *out, a view into it, empty at the end.
 * FOLLOWED_ANEW: the bytes before them are not those that were there.
 */
enum followed_news followed_read(struct followed *f, char *chunk, size_t size, struct text *out);

/* Of a file that was not read yet: the first bytes that are there now. False: there are none. */
bool followed_learn_head(struct followed *f);
/* Its tail, or what is `lost`. */
struct followed_mark followed_reached(const struct followed *f);
/* The bytes before `end`, at most `most` of them; len 0 where they cannot be read. */
struct followed_print followed_print_of(int fd, uint64_t end, uint32_t most);
