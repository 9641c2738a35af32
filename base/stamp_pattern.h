/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/stamp.h"

/*
 * A time whose form somebody wrote down as strptime(3) does:
 *   %Y %y year   %m %b %B month   %d %e day   %j day of the year   %H %I %p %M %S clock
 *   %f fraction of a second   %s seconds since 1970   %z +02:00, Z   %Z CEST
 *   %a %A weekday, passed over   %F %Y-%m-%d   %D %m/%d/%y   %T %H:%M:%S   %% a percent sign
 * A blank stands for any number of blanks; every other byte for itself.
 */

/* NULL, or what is wrong with the pattern, in words for its author. */
const char *stamp_pattern_fault(struct text pattern);
/* The whole of `t` (blanks around it allowed) is such a time. The pattern has no fault. */
bool stamp_pattern_read(struct stamp_reader *r, struct text pattern, struct text t,
                        struct stamp *out);
