/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/counter.h"

/* What the journal's thread tells; any thread reads. */
#define JOURNAL_COUNTERS(COUNTER)                                                                  \
    COUNTER(records, METRIC_COUNTER, "journal_records_total", "Records appended to the journal")   \
    COUNTER(blocks, METRIC_COUNTER, "journal_blocks_total",                                        \
            "Batches appended to the journal, one block each")                                     \
    COUNTER(bytes, METRIC_COUNTER, "journal_written_bytes_total",                                  \
            "Bytes appended to the journal as stored")                                             \
    COUNTER(syncs, METRIC_COUNTER, "journal_syncs_total", "Times the journal was made durable")    \
    COUNTER(refused, METRIC_COUNTER, "journal_refused_records_total",                              \
            "Records of appends that the journal refused, repeated tries included")                \
    COUNTER(failed_syncs, METRIC_COUNTER, "journal_failed_syncs_total",                            \
            "Times the disk refused to make the journal durable")                                  \
    COUNTER(repeated, METRIC_COUNTER, "journal_repeated_records_total",                            \
            "Records that were in the journal already by topic, partition and offset: not taken "  \
            "again")                                                                               \
    COUNTER(removed, METRIC_COUNTER, "journal_removed_files_total",                                \
            "Segment files removed by retention")                                                  \
    COUNTER(stock_files, METRIC_GAUGE, "journal_files", "Segment files of the journal")            \
    COUNTER(stock_bytes, METRIC_GAUGE, "journal_bytes", "Bytes of the journal on disk")            \
    COUNTER(free_bytes, METRIC_GAUGE, "journal_free_bytes",                                        \
            "Bytes free on the journal's disk when last looked at")                                \
    COUNTER(is_full, METRIC_GAUGE, "journal_is_full",                                              \
            "1 while the journal refuses records for lack of disk space")                          \
    COUNTER(next_position, METRIC_GAUGE, "journal_next_position", "Position of the next record")   \
    COUNTER(epoch, METRIC_GAUGE, "journal_epoch", "Epoch of the journal, raised by each start")

struct journal_counters {
    JOURNAL_COUNTERS(COUNTER_FIELD)
};
