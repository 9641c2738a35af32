/* SPDX-License-Identifier: Apache-2.0 */
#include "base/counter.h"

void counter_tell(const struct counter_line *lines, size_t count, const char *labels,
                  metric_fn tell, void *context)
{
    for (size_t i = 0; i < count; i++)
        tell(context, &(struct metric){lines[i].name, lines[i].help, labels, lines[i].kind,
                                       (double)counter_get(lines[i].value)});
}
