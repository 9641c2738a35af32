/* SPDX-License-Identifier: Apache-2.0 */
#include "incidents/view/view.h"

enum { VERDICT_BYTES = 1 << 16 };

enum status view_verdicts(struct view *v, verdict_fn tell, void *context, struct error *err)
{
    struct reply all = {0};
    struct arena arena;
    enum status status = VIEW_ASK(v, &all, err, TEXT("HGETALL"), TEXT("tocsin:verdicts"));
    arena_init(&arena, VERDICT_BYTES);
    for (uint32_t k = 0; !status && k + 1 < all.count; k += 2) {
        struct doc_tree t;
        arena_reset(&arena);
        if (!doc_tree_parse(all.items[k + 1].text, &arena, &t, NULL))
            tell(context, all.items[k].text, doc_tree_whole(&t, "right", 0),
                 doc_tree_whole(&t, "wrong", 0));
    }
    arena_fini(&arena);
    return status;
}
