/* SPDX-License-Identifier: Apache-2.0 */
#include "sinks/sinks.h"
