/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ingest/ingest.h"
#include <time.h>

/* The file behind a keyring: JSON Lines, one key each, replaced whole under a lock beside it. */
struct keyring_key {
    struct keyring_entry entry;
    unsigned char digest[32]; /* SHA-256 of the key */
};

struct keyring_file {
    char *path;
    struct keyring_key *keys;
    uint32_t count;
    bool is_read;
    struct timespec changed; /* of the version in memory */
    uint64_t inode;
};

enum { KEYRING_FILE_KEYS = 10000 };

NODISCARD enum status keyring_file_init(struct keyring_file *f, const char *path,
                                        struct error *err);
void keyring_file_fini(struct keyring_file *f);
/* Reads it where it changed. A missing file has no keys. On failure memory is unchanged. */
NODISCARD enum status keyring_file_read(struct keyring_file *f, struct error *err);
/* The key's entry, whatever its state, or NULL. */
const struct keyring_entry *keyring_file_find(const struct keyring_file *f, struct text key);
/* As keyring_add and keyring_revoke: read, changed and written in one step. */
NODISCARD enum status keyring_file_add(struct keyring_file *f, const struct keyring_entry *want,
                                       char out_key[KEYRING_KEY_LEN + 1], struct error *err);
NODISCARD enum status keyring_file_revoke(struct keyring_file *f, struct text id_or_name,
                                          struct error *err);
