/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/arena.h"
#include "base/event.h"

/*
 * Windows events as text. XML as the event log renders it becomes fields by the names that
 * evtx_dump gives ("Event.System.EventID", "Event.EventData.TargetUserName"). Snare's line of cells
 * becomes NXLog's names ("Channel", "EventID", "Message"). False where it is neither, or not whole;
 * nothing was added then.
 */
bool windows_event_read_xml(struct text t, struct arena *arena, struct event *e);
bool windows_event_read_snare(struct text t, struct arena *arena, struct event *e);
