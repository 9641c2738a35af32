/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The pages, as they stand in app/pages: the first line is NAME(SECTION), the second what it is;
 * then
 *
 *   # HEADING    = term, its text on the lines behind    (four blanks) code    @name: made by the
 * program
 *
 * and paragraphs. Ended by an entry without a name.
 */
struct help_page {
    const char *name; /* "tocsin-rules.7" */
    const char *text;
};
extern const struct help_page help_pages[];
