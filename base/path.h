/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <limits.h>

/* Room for a folder as long as the kernel takes, and a name in it: what is longer is refused when
 * it is opened, and never cut to the name of something else. */
enum { PATH_ROOM = PATH_MAX + NAME_MAX + 2 };
