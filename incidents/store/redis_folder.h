/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/error.h"
#include "base/path.h"
#include <sys/un.h>

/*
 * Where the private redis-server lives: its folder, configuration, socket and locks. One Tocsin per
 * folder; the second lock is inherited by redis-server, so that an orphan of it is noticed.
 */
struct redis_folder {
    char dir[PATH_MAX];
    char socket[sizeof((struct sockaddr_un *)NULL)->sun_path];
    char conf[PATH_ROOM];
    int owner_fd;
    int lock_fd;
};

/* Makes and locks it; an orphan of an earlier run is killed. CONFLICT: another Tocsin works there.
 */
NODISCARD enum status redis_folder_open(struct redis_folder *f, const char *dir, struct error *err);
void redis_folder_close(struct redis_folder *f);
/* Removes what a server left that was killed while it wrote its file anew (temp-rewriteaof-*.aof,
 * temp-*.rdb): nobody else ever would, and each is as large as the record. No server may run. */
void redis_folder_clean(const struct redis_folder *f);
