/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/gram.h"

/* How often a byte stands in paths, command lines and log text, roughly: rarer is lower. */
static unsigned commonness(unsigned char c)
{
    static const char order[] = "eoistnarcldmpuhwfgvybk xqjz.\\/-:013245_";
    const char *at = c ? memchr(order, c, sizeof order - 1) : NULL;
    return at ? (unsigned)(sizeof order - (size_t)(at - order)) : 4;
}

static unsigned gram_cost(const char *at)
{
    static const char *const frequent[] = {
        ".exe", "\\win", "wind",  "indo", "ndow", "dows",  "ows\\", "syst",  "yste", "stem",
        "tem3", "em32",  "m32\\", "prog", "rogr", "ogra",  "gram",  "file",  "iles", "micr",
        "icro", "cros",  "roso",  "osof", "soft", "c:\\w", ":\\wi", "\\sys", "user", "http",
        "even", "vent",  "oper",  "tion", "ment", "proc",  "cess",  "powe",  "ower", "ersh",
        "shel", "hell",  ".dll",  "curr", "urre", "rent",  "vers",  "ersi",  "sion", "serv",
        "ervi", "vice",  "name",  "data", "time", "comm",  "mand",  "path",  "null", "true",
    };
    unsigned sum = 0;
    for (size_t k = 0; k < GRAM_BYTES; k++)
        sum += commonness((unsigned char)at[k]);
    for (size_t f = 0; f < sizeof frequent / sizeof *frequent; f++)
        if (memcmp(at, frequent[f], GRAM_BYTES) == 0)
            sum += 1000;
    return sum;
}

uint32_t gram_rarest(struct text t, size_t width)
{
    uint32_t best = 0;
    unsigned least = UINT32_MAX;
    for (size_t i = 0; i + width <= t.len; i++) {
        unsigned worst = 0;
        for (size_t k = i; k + GRAM_BYTES <= i + width; k++) {
            unsigned cost = gram_cost(t.at + k);
            worst = cost > worst ? cost : worst;
        }
        if (worst < least) {
            least = worst;
            best = (uint32_t)i;
        }
    }
    return best;
}
