/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ingest/format/known_fields.h"

/*
 * A collector's envelope around somebody else's line: Docker, Kubernetes, Filebeat, Fluent Bit,
 * Fluentd, Vector, Logstash, OpenTelemetry, GELF, Splunk's HEC, journald's export, CloudWatch,
 * Google's and Azure's log entries. Which one it is, is told by its names.
 */
struct wrapper_inner {
    struct text text;       /* the line, or the JSON object */
    struct text program;    /* whose it is, by program, image, container, data set, tag or path */
    struct text pid;        /* or empty */
    int severity, facility; /* or -1 */
    bool is_body;           /* its header was taken off before: what looks like one is text */
    bool is_exact;          /* the envelope's time is that of the line, not of its reading */
};

enum { WRAPPER_DEPTH = 4 }; /* envelopes in one another that are opened */

/* The line in an event whose fields have these marks. False: it is no envelope. */
bool wrapper_find(const struct known_fields *u, uint64_t marks, const struct event *e,
                  struct arena *arena, struct wrapper_inner *out);
/* Whose lines a file of that path has; empty where it does not tell. */
struct text wrapper_program_of_path(struct text path);
/* "2026-11-28T11:00:00.123Z stdout F text", as container runtimes write files (CRI): moves *t on to
 * its text. */
bool wrapper_take_cri(struct stamp_reader *stamps, struct text *t, struct stamp *out);
