/* SPDX-License-Identifier: Apache-2.0 */
#include "console/admission.h"
#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Headers, one a line. What is admitted has one reading: one host that is here, one length or none,
 * and not a length beside chunks. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct text rest = {(const char *)data, size};
    struct text line;
    struct admission a = {0};
    while (rest.len && text_split(&rest, '\n', &line)) {
        size_t colon = text_find_byte(line, ':');
        admission_header(&a, text_head(line, colon), text_trim(text_skip(line, colon + 1)));
    }
    int status = 0;
    const char *words = NULL;
    enum admission_reason reason = admission_check(&a, 1000, &status, &words);
    assert((reason == ADMISSION_OK) == (status == 200) && words);
    if (reason != ADMISSION_OK)
        return 0;
    int64_t length = 0;
    assert(a.hosts == 1 && a.lengths + a.encodings <= 1);
    assert(admission_is_local(a.host));
    assert(!a.lengths || (text_to_int64(a.length, &length) && length >= 0 && length <= 1000));
    return 0;
}
