/* SPDX-License-Identifier: Apache-2.0 */
#include "base/rule.h"

const char *rule_level_name(enum rule_level level)
{
    static const char *const names[] = {"informational", "low", "medium", "high", "critical"};
    return names[level];
}

const char *rule_status_name(enum rule_status status)
{
    static const char *const names[] = {"stable", "test", "experimental", "deprecated",
                                        "unsupported"};
    return names[status];
}
