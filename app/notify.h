/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Tells systemd (Type=notify) how far the program is: "READY=1", "STOPPING=1", "WATCHDOG=1". Does
 * nothing where NOTIFY_SOCKET is not set. Any thread. */
void notify_send(const char *state);
