/* SPDX-License-Identifier: Apache-2.0 */
#include "base/digit.h"

int digit_of_hex(char c)
{
    if (digit_is(c))
        return c - '0';
    const unsigned char letter = (unsigned char)((c | 0x20) - 'a');
    return letter < 6 ? letter + 10 : -1;
}
