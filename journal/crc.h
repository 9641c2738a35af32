/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <stddef.h>
#include <stdint.h>

/*
 * CRC-32C (Castagnoli, RFC 3720 appendix B.4) of `len` bytes, going on from `seed`: 0 at the start,
 * else what the call before returned.
 */
uint32_t crc_of(const void *at, size_t len, uint32_t seed);
/* The same by table, whatever the machine can do: the path without SSE4.2, and what tests compare.
 */
uint32_t crc_by_table(const void *at, size_t len, uint32_t seed);
