/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ingest/webhook.h"

/*
 * Whether a request brings a good key for `scope`: OK, DENIED or LIMIT. Senders that cannot set a
 * header put it where their own system has a key: Authorization (Bearer, GenieKey, Basic's
 * password), X-Api-Key, the query's `key`, PagerDuty's routing_key and service_key.
 */
enum status webhook_key_check(struct webhook_call *call, struct keyring *k, struct text scope);
