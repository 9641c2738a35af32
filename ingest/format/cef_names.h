/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/text.h"

/* The full name of a CEF extension key ("src" -> "sourceAddress"), or an empty text where it has
 * none or is one itself. Source: ArcSight Common Event Format, extension dictionary. */
struct text cef_names_find(struct text key);
