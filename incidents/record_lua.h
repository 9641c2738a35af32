/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <stddef.h>

/* record.lua, the Redis Function, with a NUL behind it. */
extern const char record_lua[];
extern const size_t record_lua_len;
