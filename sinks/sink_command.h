/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "sinks/kind.h"

/* A program that gets the document on its standard input. */
extern const struct sink_kind sink_command_kind;
