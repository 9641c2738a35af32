/* SPDX-License-Identifier: Apache-2.0 */
#include "app/signals.h"
#include "app/subcommands.h"
#include <stdio.h>
#include <string.h>

static void print_help(void)
{
    (void)printf("tocsin turns logs and alerts into incidents that somebody answers.\n\n"
                 "Usage: tocsin COMMAND [options]\n\nCommands:\n");
    for (const struct command *c = commands_table(); c->name; c++)
        (void)printf("  %-10s %s\n", c->name, c->summary);
    (void)printf("\nExit status: 0 done, 1 the answer is no, 2 wrong use or configuration,\n"
                 "3 the work could not be finished. `tocsin COMMAND --help` tells more.\n");
}

static int dispatch(int argc, char **argv)
{
    if (argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        print_help();
        return argc < 2 ? COMMAND_USAGE : COMMAND_DONE;
    }
    const char *name = strcmp(argv[1], "--version") == 0 ? "version" : argv[1];
    for (const struct command *c = commands_table(); c->name; c++)
        if (strcmp(c->name, name) == 0)
            return c->run(argc - 1, argv + 1);
    command_say("there is no command '%s'; tocsin --help lists them", argv[1]);
    return COMMAND_USAGE;
}

/* An answer that nobody could read is no answer, whatever the subcommand found. */
int main(int argc, char **argv)
{
    /* a command whose reader has seen enough (`| head`) ends without a word, as others do */
    if (argc > 1 && strcmp(argv[1], "run") == 0)
        signals_ignore_pipe();
    int code = dispatch(argc, argv);
    if (code > COMMAND_NO || command_flush_stdout())
        return code;
    return COMMAND_UNFINISHED;
}
