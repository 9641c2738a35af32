/* SPDX-License-Identifier: Apache-2.0 */
#include "journal/journal_counters.h"
#include <stddef.h>

void journal_counters_tell(const struct journal_counters *c, metric_fn tell, void *context)
{
    bool is_full = atomic_load_explicit(&c->is_full, memory_order_relaxed);
    const struct metric all[] = {
        {"journal_records_total", "Records appended to the journal", NULL, METRIC_COUNTER,
         (double)journal_counters_get(&c->records)},
        {"journal_blocks_total", "Batches appended to the journal, one block each", NULL,
         METRIC_COUNTER, (double)journal_counters_get(&c->blocks)},
        {"journal_written_bytes_total", "Bytes appended to the journal as stored", NULL,
         METRIC_COUNTER, (double)journal_counters_get(&c->bytes)},
        {"journal_syncs_total", "Times the journal was made durable", NULL, METRIC_COUNTER,
         (double)journal_counters_get(&c->syncs)},
        {"journal_refused_records_total",
         "Records of appends that the journal refused, repeated tries included", NULL,
         METRIC_COUNTER, (double)journal_counters_get(&c->refused)},
        {"journal_failed_syncs_total", "Times the disk refused to make the journal durable", NULL,
         METRIC_COUNTER, (double)journal_counters_get(&c->failed_syncs)},
        {"journal_repeated_records_total",
         "Records that were in the journal already by topic, partition and offset: not taken again",
         NULL, METRIC_COUNTER, (double)journal_counters_get(&c->repeated)},
        {"journal_removed_files_total", "Segment files removed by retention", NULL, METRIC_COUNTER,
         (double)journal_counters_get(&c->removed)},
        {"journal_files", "Segment files of the journal", NULL, METRIC_GAUGE,
         (double)journal_counters_get(&c->stock_files)},
        {"journal_bytes", "Bytes of the journal on disk", NULL, METRIC_GAUGE,
         (double)journal_counters_get(&c->stock_bytes)},
        {"journal_free_bytes", "Bytes free on the journal's disk when last looked at", NULL,
         METRIC_GAUGE, (double)journal_counters_get(&c->free_bytes)},
        {"journal_is_full", "1 while the journal refuses records for lack of disk space", NULL,
         METRIC_GAUGE, is_full ? 1 : 0},
        {"journal_next_position", "Position of the next record", NULL, METRIC_GAUGE,
         (double)journal_counters_get(&c->next_position)},
        {"journal_epoch", "Epoch of the journal, raised by each start", NULL, METRIC_GAUGE,
         (double)atomic_load_explicit(&c->epoch, memory_order_relaxed)},
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        tell(context, &all[i]);
}
