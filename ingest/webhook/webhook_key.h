/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ingest/webhook/webhook.h"

/*
 * Whether a request brings a good key for `scope`: OK, DENIED or LIMIT. Senders that cannot set a
 * header put it where their own system has a key: Authorization (Bearer, GenieKey, Splunk,
 * Basic's password, ApiKey's second half), X-Api-Key, the query's `key` or `token`, and in
 * `inside`, the body or how it begins, PagerDuty's routing_key and service_key. `is_only_looked`:
 * nothing is taken from its rate.
 */
enum status webhook_key_check(struct webhook_call *call, struct keyring *k, struct text scope,
                              struct text inside, bool is_only_looked);
/*
 * Whether Grafana's signature header fits the body: hex of HMAC-SHA256 over it, with
 * "<time>:" before it where `time_header` is not empty. An all-zero signature never fits.
 */
bool webhook_key_is_signed(const struct webhook_call *call, struct text secret,
                           struct text time_header);
