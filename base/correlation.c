/* SPDX-License-Identifier: Apache-2.0 */
#include "base/correlation.h"

const char *correlation_entity_name(enum entity_kind kind)
{
    static const char *const names[] = {"address", "host", "user", "service"};
    return names[kind];
}
