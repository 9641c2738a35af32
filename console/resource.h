/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/arena.h"
#include "base/buffer.h"
#include "base/text.h"
#include "console/console.h"
#include "console/server.h"
#include <stdbool.h>

/*
 * What can be asked for under which path: one table, from which requests are answered and the
 * OpenAPI document is written.
 */
enum { RESOURCE_ARGUMENTS = 2 };

struct view_pool;
/* One request and all that answering it may need. */
struct resource_call {
    const struct console_calls *app;
    struct view_pool *views;
    const struct server *server;
    const struct console_request *request;
    struct server_reply *reply;
    struct text arguments[RESOURCE_ARGUMENTS]; /* what stood in the path's {..} */
    struct arena *arena;                       /* dies with the call */
    int64_t now_us;
    struct incident_filter filter; /* what the query asks for */
    uint64_t before;               /* of the timeline; 0: all */
};

struct resource {
    const char *method, *path; /* "/api/v1/incidents/{id}" */
    const char *parameters;    /* of the query: names with a comma between */
    void (*answer)(struct resource_call *call);
    const char *summary;  /* one sentence, for the OpenAPI document */
    const char *produces; /* content type */
};

/* The resources, ended by one without a method. */
const struct resource *resource_all(void);
/* True where the path is one of ours: the reply is filled, also with 405. */
bool resource_answer(struct resource_call *call);
