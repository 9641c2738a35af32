/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Gives a fuzz target a main: each file of each folder (or file) named is one input. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t replayed_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    if (!f)
        return 0;
    size_t size = 0;
    size_t room = 1 << 16;
    uint8_t *data = malloc(room);
    while (data) {
        size += fread(data + size, 1, room - size, f);
        if (size < room)
            break;
        room *= 2;
        uint8_t *bigger = realloc(data, room);
        if (!bigger)
            free(data);
        data = bigger;
    }
    (void)fclose(f);
    if (!data)
        return 0;
    uint8_t *exact = malloc(size ? size : 1); /* one byte too far is then seen */
    if (exact) {
        memcpy(exact, data, size);
        (void)LLVMFuzzerTestOneInput(exact, size);
    }
    free(exact);
    free(data);
    return 1;
}

static size_t replayed(const char *path)
{
    DIR *folder = opendir(path);
    if (!folder)
        return replayed_file(path);
    size_t count = 0;
    for (struct dirent *entry = readdir(folder); entry; entry = readdir(folder)) {
        if (entry->d_name[0] == '.')
            continue;
        char whole[4096];
        (void)snprintf(whole, sizeof whole, "%s/%s", path, entry->d_name);
        count += replayed_file(whole);
    }
    (void)closedir(folder);
    return count;
}

int main(int argc, char **argv)
{
    size_t count = 0;
    (void)LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
    for (int i = 1; i < argc; i++)
        count += replayed(argv[i]);
    printf("%zu inputs replayed\n", count);
    return 0;
}
