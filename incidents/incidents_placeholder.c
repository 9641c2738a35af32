/* SPDX-License-Identifier: Apache-2.0 */
#include "incidents/incidents.h"
