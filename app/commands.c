/* SPDX-License-Identifier: Apache-2.0 */
#include "app/command.h"
#include "app/subcommands.h"
#include <stddef.h>
#include <stdio.h>

static int print_version(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    (void)printf("tocsin %s\n", TOCSIN_VERSION);
    return COMMAND_DONE;
}

static const struct command commands[] = {
    {"run", run_main, "the program itself: reads, matches, correlates, opens incidents"},
    {"check", check_main, "what is wrong or unwise in rules, decoders and configuration"},
    {"test", timeline_main, "runs the timelines that stand beside the rules"},
    {"explain", explain_main, "why an event did or did not match"},
    {"replay", replay_main, "runs rules over recorded input, with no effect outside"},
    {"parse", parse_main, "shows what records are made of"},
    {"search", search_main, "searches the journal"},
    {"incidents", client_incidents, "lists incidents"},
    {"incident", client_incident, "shows one incident, or acts on it"},
    {"report", client_report, "response times: n, still open, median, p90"},
    {"handover", client_handover, "what the next shift must know"},
    {"exceptions", client_exceptions, "who is not charged after a false positive; withdraws"},
    {"verify", client_verify, "walks the ledger and names the first bad record"},
    {"sources", client_sources, "what each source and host sent, and how it looked"},
    {"key", key_main, "keys of doors: add, list, revoke"},
    {"doctor", doctor_main, "what the program stands on, and what to do about it"},
    {"help", help_main, "pages of the manual: tocsin help TOPIC"},
    {"version", print_version, "the version"},
    {NULL, NULL, NULL},
};

const struct command *commands_table(void)
{
    return commands;
}
