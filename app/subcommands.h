/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "app/command.h"

/* The subcommands: each lives in the file of its name and returns the exit status. */
int parse_main(int argc, char **argv);
int check_main(int argc, char **argv);
int replay_main(int argc, char **argv);
int timeline_main(int argc, char **argv); /* tocsin test */
int explain_main(int argc, char **argv);
int run_main(int argc, char **argv);
int search_main(int argc, char **argv);
int key_main(int argc, char **argv);
int doctor_main(int argc, char **argv);
int help_main(int argc, char **argv);
int client_incidents(int argc, char **argv);
int client_incident(int argc, char **argv);
int client_report(int argc, char **argv);
int client_handover(int argc, char **argv);
int client_exceptions(int argc, char **argv);
int client_verify(int argc, char **argv);
int client_sources(int argc, char **argv);

/* Every subcommand, ended by an entry without a name. */
const struct command *commands_table(void);
