/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/yaml.h"
#include "rules/read/diagnostic.h"

/* The YAML documents of rule files and folders, with Sigma's `action: global` worked in. */

enum document_kind {
    DOCUMENT_RULE,
    DOCUMENT_CORRELATION,
    DOCUMENT_FILTER,
    DOCUMENT_DECODER,
    DOCUMENT_MAPPING,
};
struct document {
    enum document_kind kind;
    struct text file;
    bool is_shipped;
    /* 2, 3... where its id or its name is that of an earlier document, from which `action` took it
     * over: one rule in parts. 0: its own. */
    uint32_t part_id, part_name;
    const struct yaml_node *root;
};
struct documents {
    struct document *items; /* on the heap */
    uint32_t count, max;
    struct file_identity *files; /* already read: a file is read once, by whatever path */
    uint32_t file_count, file_max;
    struct arena other; /* of nodes that a second thread read */
    bool has_other;
};
struct file_identity {
    uint64_t device, inode;
};
void rulefile_fini(struct documents *d);

/*
 * Reads a file, or every *.yml and *.yaml below a folder in order of their paths (not *.test.yml).
 * Nodes live in `arena` and in `out`. What is no YAML or no kind of document is told as an error
 * and left out; IO (also told) where `path` itself cannot be read; what cannot be read below it is
 * told and left out. Files below `share` (may be NULL) are is_shipped.
 */
NODISCARD enum status rulefile_read(const char *path, const char *share, struct arena *arena,
                                    struct diagnostics *diagnostics, struct documents *out);
