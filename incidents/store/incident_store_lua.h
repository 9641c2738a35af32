/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <stddef.h>

/* incident_store.lua, the Redis Function, with a NUL behind it. */
extern const char incident_store_lua[];
extern const size_t incident_store_lua_len;
