/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* cmocka needs these four before its own header. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Ends the test as skipped, and says why. */
#define SKIP_BECAUSE(...)                                                                          \
    do {                                                                                           \
        print_message("skipped: " __VA_ARGS__);                                                    \
        print_message("\n");                                                                       \
        skip();                                                                                    \
    } while (0)

/* One cmocka test for one row of a table, so that a failure names its row. */
#define ROW(function, row)                                                                         \
    ((struct CMUnitTest){(row)->name, (function), NULL, NULL, (void *)(uintptr_t)(row)})
