/* SPDX-License-Identifier: Apache-2.0 */
#include "ingest/webhook/webhook_types.h"

const struct webhook_type *const webhook_types[WEBHOOK_TYPES] = {
    &webhook_events_type,       &webhook_pagerduty_type, &webhook_opsgenie_type,
    &webhook_splunk_type,       &webhook_gelf_type,      &webhook_otlp_type,
    &webhook_loki_type,         &webhook_elastic_type,   &webhook_cloudevents_type,
    &webhook_alertmanager_type, /* last, for it takes any name */
};
