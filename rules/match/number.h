/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/text.h"
#include <stdbool.h>
#include <stdint.h>

/* A number of a rule or event: whole ones exactly, others as double. 1 and 1.0 are the same. */
struct number {
    bool is_whole;
    int64_t whole;
    double real; /* also of whole ones */
};
/* The whole text as a decimal number. */
bool number_parse(struct text t, struct number *out);
/* <0, 0, >0 */
int number_compare(const struct number *a, const struct number *b);
/* Equal numbers have equal keys. */
uint64_t number_key(const struct number *n);
