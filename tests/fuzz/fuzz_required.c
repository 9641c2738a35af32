/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/match/fold.h"
#include "rules/match/regex.h"
#include "rules/match/required.h"
#include <stdint.h>
#include <stdlib.h>

/* Where a regular expression matches, one of the literals that it is said to require is there. The
 * input is an expression, a NUL, a text. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(regex) r = NULL;
    AUTO(regex_scratch) scratch = NULL;
    struct arena arena;
    struct text literals[REQUIRED_LITERALS];
    struct text whole = {(const char *)data, size};
    size_t cut = text_find_byte(whole, 0);
    struct text source = text_head(whole, cut);
    struct text t = text_skip(whole, cut + 1);
    if (size > 4096 || regex_scratch_new(&scratch, NULL) != STATUS_OK ||
        regex_new(source, 0, &r, NULL) != STATUS_OK)
        return 0;
    arena_init(&arena, 1 << 20);
    uint32_t count = required_literals(source, &arena, literals);
    if (count && regex_search(r, scratch, t) == REGEX_YES) {
        char *folded = malloc(fold_room(t.len));
        if (!folded)
            abort();
        struct text text = {folded, fold_text(t, folded)};
        bool is_there = false;
        for (uint32_t i = 0; i < count; i++)
            is_there = is_there || text_find(text, literals[i]) < text.len;
        if (!is_there)
            abort();
        free(folded);
    }
    (void)required_is_wildcard(source);
    arena_fini(&arena);
    return 0;
}
