/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/rules/random_rules.h"

/* What the index finds is what plain evaluation of every rule finds. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!random_rules_agree(data, size))
        abort();
    return 0;
}
